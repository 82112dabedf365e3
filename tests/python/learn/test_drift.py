import math
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

import secondlook as sl

samples = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


@given(samples, samples)
def test_the_two_sample_test_equals_scipys(a, b):
    statistic, p_value = sl.kolmogorov_smirnov(a, b)
    with warnings.catch_warnings(record=True) as trouble:
        warnings.simplefilter("always")
        theirs = ks_2samp(a, b, method="exact")
    assert statistic == pytest.approx(theirs.statistic, abs=1e-12)
    if trouble:  # SciPy's exact result was above 1, and it used the approximation
        assert p_value > 0.9
    else:
        assert p_value == pytest.approx(theirs.pvalue, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(("n", "m"), [(1000, 1000), (300, 1700), (3000, 5000)])
@pytest.mark.parametrize("shift", [0.0, 0.05, 0.2])
def test_the_two_sample_test_equals_scipys_for_large_samples(n, m, shift):
    random = np.random.default_rng(n + m)
    a, b = random.normal(size=n), random.normal(shift, size=m)
    ours = sl.kolmogorov_smirnov(a, b)
    theirs = ks_2samp(a, b, method="exact" if n * m <= 4_000_000 else "asymp")
    assert ours[0] == pytest.approx(theirs.statistic)
    exact = n * m <= 4_000_000
    assert ours[1] == pytest.approx(theirs.pvalue, rel=1e-6 if exact else 0.05)


@pytest.mark.parametrize("bad", [[], [math.nan], [math.inf], [[1.0]]])
def test_the_two_sample_test_rejects_invalid_samples(bad):
    with pytest.raises(ValueError, match="kolmogorov_smirnov"):
        sl.kolmogorov_smirnov([1.0, 2.0], bad)


@pytest.mark.parametrize("make", [sl.Adwin, lambda: sl.PageHinkley(0.1, 3.0)])
def test_drift_detectors_continue_from_a_pickle(make):
    random = np.random.default_rng(0)
    stream = np.r_[random.uniform(0, 0.5, 700), random.uniform(0.4, 1.0, 300)]
    detector = make()
    for value in stream[:600]:
        detector.push(value)
    copy = pickle.loads(pickle.dumps(detector))
    alarms = [detector.push(value) for value in stream[600:]]
    assert alarms == [copy.push(value) for value in stream[600:]]
    assert any(alarms[100:200])
    assert not any(alarms[:100])


@pytest.mark.parametrize("seed", range(20))
def test_adwin_reports_each_step_once(seed):
    random = np.random.default_rng(seed)
    low, high = random.uniform(0, 0.5, 1000), random.uniform(0.4, 1.0, 1000)
    for detector in (sl.Adwin(), sl.PageHinkley(0.1, 8.0)):
        reports = [i for i, value in enumerate(np.r_[low, high, low]) if detector.push(value)]
        assert [i // 1000 for i in reports] == [1, 2], (detector, reports)


def test_adwin_shrinks_its_window_at_a_change():
    adwin = sl.Adwin()
    assert math.isnan(adwin.mean)
    for value in [0.2] * 1000 + [0.8] * 500:
        adwin.push(value)
    assert adwin.n_samples < 700
    assert adwin.mean == pytest.approx(0.8, abs=0.1)


def test_drift_detectors_reject_bad_values():
    with pytest.raises(ValueError, match=r"Adwin: delta must lie in \(0, 1\), got 2"):
        sl.Adwin(2.0)
    with pytest.raises(ValueError, match="expected a value in"):
        sl.Adwin().push(math.nan)
    with pytest.raises(ValueError, match="threshold must be above 0"):
        sl.PageHinkley(threshold=0)
    with pytest.raises(ValueError, match="expected a finite value"):
        sl.PageHinkley().push(math.inf)
