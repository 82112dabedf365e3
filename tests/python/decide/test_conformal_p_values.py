import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import secondlook as sl

scores = st.lists(st.floats(-1e3, 1e3).map(lambda x: round(x, 1)), min_size=2, max_size=50)


@given(scores, scores)
def test_are_one_more_than_the_calibration_scores_as_large(calibration, new):
    p = sl.ConformalPValues().fit(calibration).p_values(new)
    as_large = np.sum(np.array(calibration)[None, :] >= np.array(new)[:, None], axis=1)
    np.testing.assert_array_equal(p, (1 + as_large) / (len(calibration) + 1))


@given(scores, scores, st.floats(0.5, 0.99))
def test_with_a_confidence_they_keep_the_order(calibration, new, confidence):
    p = sl.ConformalPValues().fit(calibration).p_values(new)
    safe = sl.ConformalPValues(confidence=confidence).fit(calibration).p_values(new)
    assert ((safe > 0) & (safe <= 1)).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(safe[order]) >= 0).all()


def test_super_uniform_also_with_ties():
    random = np.random.default_rng(0)
    p = np.concatenate(
        [
            sl.ConformalPValues().fit(random.poisson(3, 49)).p_values(random.poisson(3, 1))
            for _ in range(5000)
        ]
    )
    for level in (0.02, 0.1, 0.3, 0.5, 0.9):
        assert np.mean(p <= level) < level + 4 * np.sqrt(level * (1 - level) / 5000)


@pytest.mark.parametrize(("fraction", "adaptive"), [(0.0, False), (0.1, False), (0.5, True)])
def test_discoveries_keep_the_false_discovery_rate(fraction, adaptive):
    random = np.random.default_rng(1)
    abnormal = np.arange(100) < 100 * fraction
    wrong, found = [], []
    for _ in range(400):
        conformal = sl.ConformalPValues().fit(random.normal(size=999))
        new = random.normal(size=100) + 4 * abnormal
        discovered = conformal.discoveries(new, 0.1, adaptive=adaptive)
        wrong.append((discovered & ~abnormal).sum() / max(1, discovered.sum()))
        found.append(discovered[abnormal].mean() if fraction else 1.0)
    error = np.std(wrong) / np.sqrt(400)
    promised = 0.1 if adaptive else 0.1 * (1 - fraction)
    assert np.mean(wrong) < promised + 4 * error
    if fraction:
        assert np.mean(found) > 0.7


def test_clones_and_pickles():
    conformal = sl.ConformalPValues(confidence=0.9)
    assert clone(conformal).get_params() == {"confidence": 0.9}
    conformal.fit(np.arange(50))
    copy = pickle.loads(pickle.dumps(conformal))
    assert copy.n_calibration_ == 50
    np.testing.assert_array_equal(copy.p_values([3.5, 60]), conformal.p_values([3.5, 60]))


def test_bad_input():
    with pytest.raises(NotFittedError):
        sl.ConformalPValues().p_values([1.0])
    with pytest.raises(ValueError, match="expected at least 1 score, got 0"):
        sl.ConformalPValues().fit([])
    with pytest.raises(ValueError, match="confidence must lie in"):
        sl.ConformalPValues(confidence=1).fit([1.0, 2.0])
    with pytest.raises(ValueError, match="expected finite scores, got inf at index 0"):
        sl.ConformalPValues().fit([np.inf])
    with pytest.raises(ValueError, match="expected finite scores, got nan at index 0"):
        sl.ConformalPValues().fit([1.0]).p_values([np.nan])
