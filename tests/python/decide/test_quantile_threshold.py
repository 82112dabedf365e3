import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

import secondlook as sl

scores = st.lists(st.floats(-1e9, 1e9), min_size=20, max_size=200)


@given(scores, st.floats(0.05, 0.5))
def test_is_the_least_cut_off_that_the_rate_allows(values, rate):
    threshold = sl.quantile_threshold(values, rate)
    allowed = rate * (len(values) + 1) + 1e-6
    # A score at the threshold has a conformal p-value of at most the rate …
    assert np.sum(np.array(values) >= threshold) + 1 <= allowed
    # … and a score just below it does not.
    below = np.nextafter(threshold, -np.inf)
    assert np.sum(np.array(values) >= below) + 1 > np.floor(allowed)


@given(scores, st.floats(0.2, 0.5), st.floats(0.5, 0.95))
def test_with_a_confidence_is_the_binomial_tolerance_limit(values, rate, confidence):
    threshold = sl.quantile_threshold(values, rate, confidence=confidence)
    ordered = np.sort(values)[::-1]
    k = max(k for k in range(1, len(values) + 1) if binom.cdf(k - 1, len(values), rate)
            <= 1 - confidence)  # fmt: skip
    assert threshold == np.nextafter(ordered[k - 1], np.inf)


@pytest.mark.parametrize("draw", ["normal", "exponential", "standard_cauchy"])
def test_keeps_the_false_alarm_rate_on_fresh_scores(draw):
    random = np.random.default_rng(1)
    make = getattr(random, draw)
    rates = [
        np.mean(make(size=2000) >= sl.quantile_threshold(make(size=999), 0.02)) for _ in range(300)
    ]
    # Threshold and fresh scores both vary: variances rate · (1 − rate) / n of each.
    error = np.sqrt(0.02 * 0.98 * (1 / 1000 + 1 / 2000) / 300)
    assert abs(np.mean(rates) - 0.02) < 4 * error


def test_too_few_scores():
    with pytest.raises(
        ValueError, match="at least 99 scores for a false-alarm rate of 0.01, got 5"
    ):
        sl.quantile_threshold(range(5))
    with pytest.raises(ValueError, match="at least 59 scores for a false-alarm rate of 0.05"):
        sl.quantile_threshold(range(58), 0.05, confidence=0.95)
    assert sl.quantile_threshold(range(59), 0.05, confidence=0.95) > 58


def test_bad_input():
    with pytest.raises(ValueError, match=r"expected scores of shape \(n,\), got shape \(2, 1\)"):
        sl.quantile_threshold([[1.0], [2.0]], 0.5)
    with pytest.raises(ValueError, match="expected at least 1 score, got 0"):
        sl.quantile_threshold([], 0.5)
    with pytest.raises(ValueError, match="expected finite scores, got nan at index 1"):
        sl.quantile_threshold([1.0, np.nan, 2.0], 0.5)
    with pytest.raises(ValueError, match="false_alarm_rate must lie in"):
        sl.quantile_threshold([1.0], 1.0)
