import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import secondlook as sl

scores = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


@given(scores, st.integers(1, 5), st.integers(6, 30))
def test_is_the_formula_over_exponential_windows(values, short_window, long_window):
    stream = sl.AnomalyLikelihood(short_window, long_window, warm_up=1, floor=1.0)

    def weights(n, window):
        gains = np.maximum(1 / np.arange(1, n + 1), 2 / (window + 1))
        left = np.append(np.cumprod((1 - gains)[:0:-1])[::-1], 1.0)
        return gains * left

    for n, value in enumerate(values, 1):
        likelihood = stream.push(value)
        if n == 1:
            assert likelihood == 0.5
            continue
        seen = np.array(values[:n])
        long = weights(n, long_window)
        mean = long @ seen
        sigma = max(np.sqrt(long @ (seen - mean) ** 2), 1.0, 1e-9 * abs(mean))
        z = (weights(n, short_window) @ seen - mean) / sigma
        assert likelihood == pytest.approx(norm.cdf(z), abs=1e-6)
        assert stream.tail_probability == pytest.approx(norm.sf(z), rel=1e-4)


@given(scores)
def test_lies_between_0_and_1_and_pickles(values):
    stream = sl.AnomalyLikelihood(2, 10, warm_up=3)
    for value in values:
        copy = pickle.loads(pickle.dumps(stream))
        likelihood = stream.push(value)
        assert 0 <= likelihood <= 1
        assert copy.push(value) == likelihood == copy.likelihood


def test_finds_a_change_of_level_and_no_other():
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(1, 0.1, 5000), random.normal(1.6, 0.1, 20)])
    stream = sl.AnomalyLikelihood(10, 2000)
    likelihoods = np.array([stream.push(value) for value in values])
    assert likelihoods[:5000].max() < 0.99
    assert likelihoods[5010:].min() > 0.9999
    assert stream.n_samples == 5020


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"short_window": 0}, "short_window must be at least 1, got 0"),
        ({"long_window": 10}, "long_window must be above short_window 10, got 10"),
        ({"warm_up": 0}, "warm_up must be at least 1, got 0"),
        ({"floor": np.nan}, "floor must be at least 0 and finite, got nan"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        sl.AnomalyLikelihood(**parameters)


def test_bad_scores():
    stream = sl.AnomalyLikelihood()
    for bad in (np.nan, np.inf, 1e200):
        with pytest.raises(ValueError, match="expected a finite score"):
            stream.push(bad)
    assert stream.n_samples == 0
