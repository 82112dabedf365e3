import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondlook as sl

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=1, max_size=5), st.floats(0.01, 0.99))
def test_exact_for_the_first_five_samples(samples, probability):
    quantile = sl.RunningQuantile(probability)
    for sample in samples:
        quantile.push(sample)
    # Halved, because NumPy's interpolation overflows; halving a subnormal number loses a bit.
    expected = 2 * np.quantile(np.array(samples) / 2, probability)
    scale = max(abs(sample) for sample in samples)
    assert quantile.value == pytest.approx(expected, abs=scale * 1e-12 + 1e-323)


@given(st.lists(finite, min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_stays_within_the_samples(samples, probability):
    quantile = sl.RunningQuantile(probability)
    for count, sample in enumerate(samples, 1):
        value = quantile.push(sample)
        assert min(samples[:count]) <= value <= max(samples[:count])
        assert quantile.n_samples == count


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.99])
def test_near_the_exact_quantile_of_a_normal_stream(probability):
    samples = np.random.default_rng(0).normal(size=20_000)
    quantile = sl.RunningQuantile(probability)
    for sample in samples:
        quantile.push(sample)
    assert quantile.value == pytest.approx(np.quantile(samples, probability), abs=0.05)


@given(st.lists(finite, max_size=20), st.lists(finite, min_size=1, max_size=5))
def test_pickles_and_goes_on(before, after):
    quantile = sl.RunningQuantile(0.9)
    for sample in before:
        quantile.push(sample)
    copy = pickle.loads(pickle.dumps(quantile))
    assert copy.probability == 0.9
    for sample in after:
        assert copy.push(sample) == quantile.push(sample)


def test_bad_input():
    with pytest.raises(ValueError, match="probability must lie in"):
        sl.RunningQuantile(0)
    quantile = sl.RunningQuantile(0.5)
    assert math.isnan(quantile.value)
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match="expected a finite sample"):
            quantile.push(bad)
    assert quantile.n_samples == 0


def test_a_forged_state_is_refused():
    from secondlook import _core

    forged = _core.decide.RunningQuantile.__new__(_core.decide.RunningQuantile)
    with pytest.raises(ValueError, match="expected the state of a running quantile"):
        forged.__setstate__(
            {
                "probability": 0.5,
                "count": 9,
                "heights": [5.0, 4, 3, 2, 1],
                "positions": [1.0, 2, 3, 4, 9],
            }
        )
