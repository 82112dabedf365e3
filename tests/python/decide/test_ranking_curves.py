import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

import secondlook as sl

# Few distinct scores, so that there are many ties.
labelled = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3).map(float)), min_size=2).filter(
    lambda cases: len({y for y, _ in cases}) == 2
)


@given(labelled)
def test_roc_curve_agrees_with_scikit_learn(cases):
    y, score = np.array(cases).T
    curve = sl.roc_curve(y, score)
    rate, recall, thresholds = metrics.roc_curve(y, score, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_alarm_rate, rate)
    np.testing.assert_allclose(curve.recall, recall)
    np.testing.assert_array_equal(curve.thresholds, thresholds)
    assert curve.area == pytest.approx(metrics.roc_auc_score(y, score))


@given(labelled)
def test_precision_recall_curve_agrees_with_scikit_learn(cases):
    y, score = np.array(cases).T
    curve = sl.precision_recall_curve(y, score)
    precision, recall, thresholds = metrics.precision_recall_curve(y, score)
    # scikit-learn's curve ends with a point without a threshold, and increases.
    np.testing.assert_allclose(curve.precision[::-1], precision[:-1])
    np.testing.assert_allclose(curve.recall[::-1], recall[:-1])
    np.testing.assert_array_equal(curve.thresholds[::-1], thresholds)
    assert curve.area == pytest.approx(metrics.average_precision_score(y, score))


@given(labelled)
def test_area_is_the_chance_to_rank_a_pair_rightly(cases):
    y, score = np.array(cases).T
    pairs = np.sign(score[y == 1][:, None] - score[y == 0][None, :])
    assert sl.roc_curve(y, score).area == pytest.approx((pairs.mean() + 1) / 2)


@pytest.mark.parametrize("curve", [sl.roc_curve, sl.precision_recall_curve])
def test_bad_input(curve):
    with pytest.raises(ValueError, match="labels of both classes, got 2 positive and 0 negative"):
        curve([1, 1], [0.1, 0.2])
    with pytest.raises(ValueError, match="finite scores, got inf at index 0"):
        curve([0, 1], [np.inf, 0.2])
