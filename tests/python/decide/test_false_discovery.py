import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

import secondlook as sl

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=50)


@given(p_values, st.floats(0.01, 0.99))
def test_agrees_with_scipys_adjusted_p_values(p, rate):
    adjusted = false_discovery_control(p)
    rejected = sl.benjamini_hochberg(p, rate)
    clear = np.abs(adjusted - rate) > 1e-9
    np.testing.assert_array_equal(rejected[clear], (adjusted <= rate)[clear])


@given(p_values)
def test_a_smaller_null_share_rejects_no_less(p):
    few = sl.benjamini_hochberg(p, 0.1)
    assert (sl.benjamini_hochberg(p, 0.1, null_fraction=0.5) >= few).all()


@given(p_values, st.floats(0.1, 0.9))
def test_storeys_fraction(p, cut):
    expected = (1 + np.sum(np.array(p) > cut)) / (len(p) * (1 - cut))
    assert sl.storey_null_fraction(p, cut=cut) == pytest.approx(expected)


def test_bad_input():
    with pytest.raises(ValueError, match="expected at least 1 p-value, got 0"):
        sl.benjamini_hochberg([])
    with pytest.raises(ValueError, match=r"expected p-values in \[0, 1\], got nan at index 1"):
        sl.benjamini_hochberg([0.5, np.nan])
    with pytest.raises(ValueError, match=r"expected p-values of shape \(n,\)"):
        sl.storey_null_fraction(0.5)
    with pytest.raises(ValueError, match="null_fraction must be above 0"):
        sl.benjamini_hochberg([0.5], null_fraction=-1)
