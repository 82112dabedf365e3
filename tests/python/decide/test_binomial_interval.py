import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

import secondlook as sl


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
       st.floats(0.5, 0.999))  # fmt: skip
def test_is_the_exact_interval(counts, confidence):
    expected = binomtest(*counts).proportion_ci(confidence, method="exact")
    # scipy solves numerically as well.
    assert sl.binomial_interval(*counts, confidence=confidence) == pytest.approx(
        (expected.low, expected.high), abs=1e-9
    )


def test_of_many_trials():
    expected = binomtest(499_000, 1_000_000).proportion_ci(method="exact")
    assert sl.binomial_interval(499_000, 1_000_000) == pytest.approx(
        (expected.low, expected.high), rel=1e-7
    )


def test_of_nothing():
    assert sl.binomial_interval(0, 0) == (0.0, 1.0)


def test_bad_input():
    with pytest.raises(ValueError, match=r"n_successes must lie in \[0, 3\], got 4"):
        sl.binomial_interval(4, 3)
    with pytest.raises(ValueError, match="expected n_trials as a whole number from 0 .*, got -1"):
        sl.binomial_interval(0, -1)
    with pytest.raises(ValueError, match=r"confidence must lie in \(0, 1\), got 95"):
        sl.binomial_interval(1, 3, confidence=95)
    with pytest.raises(
        ValueError, match=r"expected n_successes as a whole number from 0 .* got 1\.0"
    ):
        sl.binomial_interval(1.0, 3)


def test_an_estimate_reads_well():
    assert str(sl.Estimate(0.5, 0.25, 0.75)) == "0.500 (0.250 to 0.750)"
    assert str(sl.Estimate(math.nan, math.nan, math.nan)) == "nan"
