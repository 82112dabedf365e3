import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import secondlook as sl


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_each_seasons_own_cut_off_or_the_common_one(n_seasons, seed):
    random = np.random.default_rng(seed)
    seasons = random.integers(0, n_seasons, 300)
    scores = random.normal(seasons)
    fitted = sl.SeasonalThreshold(0.05, n_seasons=n_seasons, min_scores=60).fit(scores, seasons)
    assert fitted.threshold_ == sl.quantile_threshold(scores, 0.05)
    for season in range(n_seasons):
        own = scores[seasons == season]
        assert fitted.n_samples_[season] == len(own)
        expected = sl.quantile_threshold(own, 0.05) if len(own) >= 60 else fitted.threshold_
        assert fitted.thresholds_[season] == expected
    np.testing.assert_array_equal(
        fitted.alarms(scores, seasons), scores >= fitted.thresholds_[seasons]
    )


def test_keeps_the_rate_at_every_hour():
    random = np.random.default_rng(0)
    time = np.datetime64("2024-01-01") + np.arange(60 * 1440).astype("timedelta64[m]")
    hours = sl.hours_of_day(time)
    scores = random.exponential(size=len(hours)) * (1 + hours)  # busier in the evening
    half = len(hours) // 2
    fitted = sl.SeasonalThreshold(0.02).fit(scores[:half], hours[:half])
    alarms = fitted.alarms(scores[half:], hours[half:])
    rates = [alarms[hours[half:] == hour].mean() for hour in range(24)]
    # 1,800 scores per hour to calibrate and to test; 5 standard errors for 24 hours.
    assert np.abs(np.array(rates) - 0.02).max() < 5 * np.sqrt(0.02 * 0.98 * 2 / 1800)
    common = sl.quantile_threshold(scores[:half], 0.02)
    assert (scores[hours == 0] >= common).mean() == 0  # the result of a single threshold


def test_hours_of_day_agree_with_numpy():
    time = np.datetime64("1965-03-01T00:30") + np.arange(0, 90_000, 37).astype("timedelta64[m]")
    expected = (time.astype("datetime64[h]") - time.astype("datetime64[D]")).astype(int)
    np.testing.assert_array_equal(sl.hours_of_day(time), expected)
    np.testing.assert_array_equal(
        sl.hours_of_day(time, utc_offset_minutes=-300), (expected - 5) % 24
    )
    with pytest.raises(ValueError, match="with 1 missing"):
        sl.hours_of_day(["2024-01-01", "NaT"])


def test_clones_and_pickles():
    threshold = sl.SeasonalThreshold(0.1, confidence=0.8, n_seasons=2, min_scores=5)
    assert clone(threshold).get_params() == threshold.get_params()
    threshold.fit(np.arange(100), np.arange(100) % 2)
    copy = pickle.loads(pickle.dumps(threshold))
    np.testing.assert_array_equal(copy.thresholds_, threshold.thresholds_)


def test_bad_input():
    threshold = sl.SeasonalThreshold(0.1, n_seasons=2)
    with pytest.raises(ValueError, match="n_seasons must lie in .* got -1"):
        sl.SeasonalThreshold(0.1, n_seasons=-1).fit([1.0], [0])
    with pytest.raises(NotFittedError):
        threshold.alarms([1.0], [0])
    scores = np.arange(100.0)
    with pytest.raises(ValueError, match=r"expected one season per score \(100\), got 99"):
        threshold.fit(scores, np.zeros(99, int))
    with pytest.raises(ValueError, match="expected seasons as integers"):
        threshold.fit(scores, np.zeros(100))
    with pytest.raises(ValueError, match="expected seasons from 0 to 1, got 7 at index 0"):
        threshold.fit(scores, np.full(100, 7))
    threshold.fit(scores, np.arange(100) % 2)
    with pytest.raises(ValueError, match="expected seasons from 0 to 1, got -1 to 0"):
        threshold.alarms([1.0, 2.0], [0, -1])
    with pytest.raises(ValueError, match="expected one season per score"):
        threshold.alarms([1.0, 2.0], [0])
    with pytest.raises(ValueError, match="expected finite scores, got nan at index 1"):
        threshold.alarms([1.0, np.nan], [0, 1])
