import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

import secondlook as sl

cases = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])), min_size=1)


@given(cases, st.sampled_from([0.0, 0.3, 0.5, 1.0, 2.0]))
def test_agrees_with_scikit_learn(labelled, threshold):
    y, score = np.array(labelled).T
    predicted = score >= threshold
    found = sl.confusion_matrix(y, score, threshold)
    assert [
        found.true_negatives, found.false_positives, found.false_negatives, found.true_positives,
    ] == metrics.confusion_matrix(y, predicted, labels=[0, 1]).ravel().tolist()  # fmt: skip
    assert found.accuracy == metrics.accuracy_score(y, predicted)
    for ours, theirs in (
        (found.recall, metrics.recall_score(y, predicted, zero_division=np.nan)),
        (found.precision, metrics.precision_score(y, predicted, zero_division=np.nan)),
        (found.f1, metrics.f1_score(y, predicted, zero_division=np.nan)),
    ):
        assert ours == pytest.approx(theirs, nan_ok=True)
    if len(set(y)) == 2:
        assert found.balanced_accuracy == pytest.approx(
            metrics.balanced_accuracy_score(y, predicted)
        )
        if len(set(predicted)) == 2:
            assert found.matthews == pytest.approx(metrics.matthews_corrcoef(y, predicted))
        else:
            assert math.isnan(found.matthews)


def test_reads_well():
    found = sl.confusion_matrix([0] * 12_345 + [1, 1], [0.1] * 12_346 + [0.9])
    assert str(found).splitlines() == [
        "          negative  positive",
        "normal      12,345         0",
        "abnormal         1         1",
    ]


def test_bad_input():
    with pytest.raises(ValueError, match=r"y_true of shape \(2,\), got shape \(3,\)"):
        sl.confusion_matrix([0, 1, 1], [0.5, 0.6])
    with pytest.raises(
        ValueError, match=r"labels 0 \(normal\) and 1 \(abnormal\), got .*-1.*index 1"
    ):
        sl.confusion_matrix([1, -1], [0.5, 0.6])
    with pytest.raises(ValueError, match="got .*sick.* at index 0"):
        sl.confusion_matrix(["sick", "well"], [0.5, 0.6])
    with pytest.raises(ValueError, match="finite scores, got nan at index 1"):
        sl.confusion_matrix([1, 0], [0.5, np.nan])
    with pytest.raises(ValueError, match="at least 1 score, got 0"):
        sl.confusion_matrix([], [])
    with pytest.raises(ValueError, match="expected a threshold, got nan"):
        sl.confusion_matrix([1, 0], [0.5, 0.5], np.nan)
    with pytest.raises(
        ValueError, match="confusion_matrix: expected threshold as a number, got '1'"
    ):
        sl.confusion_matrix([1, 0], [0.5, 0.5], "1")
