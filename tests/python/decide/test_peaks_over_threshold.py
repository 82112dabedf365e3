import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, genpareto
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import secondlook as sl


@given(st.floats(-0.3, 1.0), st.integers(0, 2**32 - 1))
def test_the_tail_is_no_less_likely_than_scipys(shape, seed):
    scores = genpareto.rvs(shape, size=1500, random_state=seed)
    tail = sl.PeaksOverThreshold(level=0.9).fit(scores)
    peaks = tail.peaks_
    assert len(peaks) == tail.n_peaks_
    ours = genpareto.logpdf(peaks, tail.shape_, scale=tail.scale_).sum()
    theirs_shape, _, theirs_scale = genpareto.fit(peaks, 0.1, floc=0, scale=peaks.mean())
    theirs = genpareto.logpdf(peaks, theirs_shape, scale=theirs_scale).sum()
    # scipy's search may go below shape -1, where the likelihood is unbounded.
    assert ours >= theirs - 1e-3 or theirs_shape < -1


@given(st.floats(-0.2, 0.6), st.integers(0, 2**32 - 1))
def test_the_cut_off_is_the_papers_formula(shape, seed):
    scores = genpareto.rvs(shape, size=2000, random_state=seed)
    tail = sl.PeaksOverThreshold(1e-4, 0.95).fit(scores)
    excess = genpareto.isf(1e-4 * tail.n_samples_ / tail.n_peaks_, tail.shape_, scale=tail.scale_)
    assert tail.threshold_ == pytest.approx(tail.initial_threshold_ + excess)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-100, 100))
def test_scores_may_be_scaled_and_moved(seed, factor, offset):
    scores = np.random.default_rng(seed).exponential(size=1000)
    tail = sl.PeaksOverThreshold().fit(scores)
    moved = sl.PeaksOverThreshold().fit(scores * factor + offset)
    assert moved.threshold_ == pytest.approx(tail.threshold_ * factor + offset, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("draw", ["normal", "exponential", "gumbel"])
def test_keeps_the_risk_on_fresh_scores(draw):
    random = np.random.default_rng(0)
    make = getattr(random, draw)
    n, repetitions = 50_000, 20
    alarms = sum(
        sl.PeaksOverThreshold(1e-3).fit(make(size=10_000)).alarms(make(size=n)).sum()
        for _ in range(repetitions)
    )
    # Binomial bounds on twice and half the risk: the calibration alone varies by about 20 %.
    low = binom.ppf(1e-4, n * repetitions, 0.7e-3)
    high = binom.ppf(1 - 1e-4, n * repetitions, 1.4e-3)
    assert low < alarms < high


def test_a_stream_keeps_the_risk_after_many_times_its_memory():
    random = np.random.default_rng(1)
    tail = sl.PeaksOverThreshold(1e-3, max_peaks=200).fit(random.exponential(size=10_000))
    alarms = [tail.push(score) for score in random.exponential(size=200_000)]
    assert tail.n_alarms_ == sum(alarms)
    assert len(tail.peaks_) == 200
    assert 0.5e-3 < np.mean(alarms[100_000:]) < 2e-3


def test_pickles_and_goes_on():
    random = np.random.default_rng(2)
    tail = sl.PeaksOverThreshold(0.01, 0.9, max_peaks=20, drift_window=30)
    tail.fit(random.normal(size=500))
    copy = pickle.loads(pickle.dumps(tail))
    for score in random.normal(size=500):
        assert copy.push(score) == tail.push(score)
        assert copy.threshold_ == tail.threshold_


def test_clones_and_is_not_fitted_before_fit():
    tail = sl.PeaksOverThreshold(1e-4, 0.9, max_peaks=50, drift_window=3)
    assert clone(tail).get_params() == tail.get_params()
    assert not hasattr(tail, "threshold_")
    with pytest.raises(NotFittedError):
        tail.push(1.0)
    with pytest.raises(NotFittedError):
        tail.alarms([1.0])


def test_bad_input():
    with pytest.raises(ValueError, match="at least 10 scores above the 0.98-quantile 5, got 0"):
        sl.PeaksOverThreshold().fit(np.full(1000, 5.0))
    with pytest.raises(ValueError, match="at least 10 scores above .* got 2 of 100"):
        sl.PeaksOverThreshold().fit(np.arange(100))
    with pytest.raises(ValueError, match="level must lie in"):
        sl.PeaksOverThreshold(0.05, 0.98).fit(np.arange(1000))
    with pytest.raises(ValueError, match="max_peaks must be at least 10, got -1"):
        sl.PeaksOverThreshold(max_peaks=-1).fit(np.arange(1000))
    with pytest.raises(ValueError, match="expected finite scores, got nan at index 2"):
        sl.PeaksOverThreshold().fit([1.0, 2.0, np.nan])
    tail = sl.PeaksOverThreshold().fit(np.arange(1000.0))
    with pytest.raises(ValueError, match="expected a finite score, got nan"):
        tail.push(np.nan)
    with pytest.raises(ValueError, match="expected finite scores, got inf at index 0"):
        tail.alarms([np.inf])


def test_a_forged_state_is_refused():
    from secondlook import _core

    class_ = _core.decide.PeaksOverThreshold
    good = {
        "initial_threshold": 1.0, "shape": 0.1, "scale": 1.0, "tail_threshold": 3.0,
        "local_mean": 0.0, "n_calibration": 100, "n_samples": 100, "n_peaks": 2, "n_alarms": 0,
        "n_alarms_counted": 0, "peaks": [(1.0, False)], "oldest": 0,
    }  # fmt: skip
    for forged in ({"scale": -1.0}, {"shape": np.nan}, {"oldest": 7}, {"peaks": []}):
        with pytest.raises(ValueError, match="expected the state of a fitted tail"):
            class_.__new__(class_).__setstate__({"parameters": {}, "state": {**good, **forged}})
    with pytest.raises(ValueError, match="PeaksOverThreshold: unknown parameter 'skale'"):
        class_.__new__(class_).__setstate__({"parameters": {}, "state": {**good, "skale": 1.0}})
    with pytest.raises(ValueError, match="n_peaks: expected a whole number, got 'two'"):
        class_.__new__(class_).__setstate__({"parameters": {}, "state": {**good, "n_peaks": "two"}})
