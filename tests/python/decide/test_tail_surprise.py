import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondlook as sl

seeds = st.integers(0, 2**32 - 1)


def reference(values, two_sided, largest, shape, warm_up, block):
    """Reference: sorts the stored values again for each value."""
    surprises = []
    for n, value in enumerate(values):
        first = max(n // block - 1, 0) * block
        past = values[first:n]
        surprise = 0.0
        for sign in (1, -1) if two_sided else (1,):
            if n < warm_up:
                continue
            top = np.sort(sign * past)[-largest:]
            excess, spread = sign * value - top[0], past.max() - past.min()
            if excess > 1e-6 * spread:
                mean = (top[1:] - top[0]).mean() + 1e-3 * spread + 1e-12 * abs(top[0])
                p = largest / len(past) * (1 + shape * excess / mean / (1 - shape)) ** (-1 / shape)
                surprise = max(surprise, -np.log10(p))
        surprises.append(surprise)
    return np.array(surprises)


@given(seeds, st.booleans(), st.integers(2, 6), st.floats(0.05, 0.9), st.integers(6, 40))
def test_is_the_formula(seed, two_sided, largest, shape, block):
    values = np.random.default_rng(seed).standard_t(3, size=150)
    tail = sl.TailSurprise(two_sided, largest=largest, shape=shape, warm_up=6, block=block)
    expected = reference(values, two_sided, largest, shape, 6, block)
    np.testing.assert_allclose(tail.push_many(values), expected, rtol=1e-9, atol=1e-9)


@given(st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1e300, -1e300]), max_size=80))
def test_lies_between_0_and_300_and_pickles(values):
    tail = sl.TailSurprise(True, largest=2, warm_up=2, block=5)
    batch = sl.TailSurprise(True, largest=2, warm_up=2, block=5).push_many(values)
    for value, expected in zip(values, batch, strict=True):
        copy = pickle.loads(pickle.dumps(tail))
        assert 0 <= tail.push(value) <= 300
        assert copy.push(value) == expected
    assert tail.n_samples == len(values)


def test_any_detectors_score_says_how_rare_it_is():
    random = np.random.default_rng(0)
    forest = sl.IsolationForest(random_state=0).fit(random.normal(size=(1000, 2)))
    tail = sl.TailSurprise()
    usual = tail.push_many(-forest.score_samples(random.normal(size=(4000, 2))))
    assert np.mean(usual >= 2) == pytest.approx(0.01, abs=0.006)
    assert tail.push(-forest.score_samples([[6.0, -6.0]])[0]) > 2.5


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"largest": 1}, "largest must be at least 2, got 1"),
        ({"shape": 1.0}, r"shape must lie in \[0, 1\), got 1"),
        ({"warm_up": 49}, "warm_up must be at least largest 50, got 49"),
        ({"block": 10}, "block must be at least largest 50, got 10"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        sl.TailSurprise(**parameters)


def test_bad_values():
    tail = sl.TailSurprise()
    for bad in (np.nan, np.inf, 1e301):
        with pytest.raises(ValueError, match="expected a finite value"):
            tail.push(bad)
        with pytest.raises(ValueError, match="expected a finite value"):
            tail.push_many([1.0, bad])
    with pytest.raises(
        ValueError, match=r"expected values of shape \(n_values,\), got shape \(1, 1\)"
    ):
        tail.push_many([[1.0]])
    assert tail.n_samples == 0
