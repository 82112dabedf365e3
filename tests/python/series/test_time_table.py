from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import secondlook as sl

SECOND = 10**9


@st.composite
def tables(draw, min_rows=1):
    n = draw(st.integers(min_rows, 30))
    steps = draw(hnp.arrays(np.int64, n, elements=st.integers(1, 50 * SECOND)))
    start = draw(st.integers(-(10**17), 10**18))
    values = draw(hnp.arrays(np.float64, (n, 2), elements=st.floats(-1e6, 1e6) | st.just(np.nan)))
    return sl.TimeTable((start + np.cumsum(steps)).view("datetime64[ns]"), values)


@given(tables(), st.sampled_from(["mean", "last"]), st.sampled_from(["7s", "30s", "2min"]))
def test_resampling_agrees_with_pandas(table, how, step):
    ours = table.resample(step, how=how)
    rule = {"7s": "7s", "30s": "30s", "2min": "2min"}[step]
    theirs = getattr(table.to_pandas().resample(rule, origin="epoch"), how)()
    np.testing.assert_array_equal(ours.time, theirs.index.to_numpy())
    np.testing.assert_allclose(ours.values, theirs.to_numpy(), rtol=1e-12, atol=1e-9)


@given(tables())
def test_a_given_grid_is_kept(table):
    start = table.time[0] - np.timedelta64(3, "s")
    ours = table.resample(timedelta(seconds=10), start=start, n_steps=5)
    assert len(ours) == 5
    assert ours.time[0] == start
    whole = table.resample("10s", start=start)
    assert whole.time[0] == start
    assert whole.time[-1] <= table.time[-1] < whole.time[-1] + np.timedelta64(10, "s")


@given(tables(), st.integers(0, 200))
def test_interpolation_agrees_with_numpy(table, limit_s):
    filled = table.interpolate(np.timedelta64(limit_s, "s"))
    time = table.time.astype(np.int64)
    for column in range(2):
        before, after = table.values[:, column], filled.values[:, column]
        known = np.flatnonzero(~np.isnan(before))
        origins = filled.origins[:, column]
        np.testing.assert_array_equal(after[known], before[known])
        assert (origins[known] == sl.TimeTable.MEASURED).all()
        for row in np.flatnonzero(np.isnan(before)):
            left, right = known[known < row], known[known > row]
            if not len(left) or not len(right):
                expected = np.nan
            else:
                a, b = left[-1], right[0]
                line = np.interp(time[row] - time[a], [0, time[b] - time[a]], before[[a, b]])
                expected = line if time[b] - time[a] <= limit_s * SECOND else np.nan
            np.testing.assert_allclose(after[row], expected, rtol=1e-9, atol=1e-6)
            there = not np.isnan(expected)
            assert origins[row] == (sl.TimeTable.INTERPOLATED if there else sl.TimeTable.MISSING)
    np.testing.assert_array_equal(np.isnan(filled.values), filled.origins == sl.TimeTable.MISSING)


@given(tables(), st.integers(-100, 100))
def test_aligned_tables_have_the_same_times(table, shift):
    other = sl.TimeTable(table.time + np.timedelta64(shift, "s"), table.values)
    whole = sl.align([table, other], "10s", span="whole")
    np.testing.assert_array_equal(whole[0].time, whole[1].time)
    assert whole[0].time[0] <= min(table.time[0], other.time[0])
    try:
        common = sl.align([table, other], "10s")
    except ValueError:
        assert abs(shift) * SECOND > (table.time[-1] - table.time[0]).astype(np.int64)
        return
    np.testing.assert_array_equal(common[0].time, common[1].time)
    assert np.isin(common[0].time, whole[0].time).all()


def test_bad_tables_are_refused():
    with pytest.raises(ValueError, match=r"got \(2,\) and \(1, 1\)"):
        sl.TimeTable(["2021-01-01", "2021-01-02"], [[1.0]])
    with pytest.raises(ValueError, match="expected strictly increasing times"):
        sl.TimeTable(["2021-01-02", "2021-01-02"], [[1.0], [2.0]])
    with pytest.raises(ValueError, match="expected 1 column names, got 2"):
        sl.TimeTable(["2021-01-02"], [[1.0]], ["a", "b"])
    with pytest.raises(ValueError, match="'UTC' or None"):
        sl.TimeTable(["2021-01-02"], [[1.0]], time_zone="CET")


def test_bad_arguments_are_refused():
    table = sl.TimeTable(["2021-01-02"], [[1.0]])
    for step in ("30", "s", "30 parsecs", "-1s", ""):
        with pytest.raises(ValueError, match="expected a number and a unit"):
            table.resample(step)
    with pytest.raises(ValueError, match="expected a step above 0"):
        table.resample("0s")
    with pytest.raises(TypeError, match="got int"):
        table.resample(30)
    with pytest.raises(ValueError, match="expected one of 'mean', 'last', got 'max'"):
        table.resample("1s", how="max")
    with pytest.raises(ValueError, match="limit of at least 0"):
        table.interpolate(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="either all tables in UTC or none"):
        sl.align([table, sl.TimeTable(["2021-01-02"], [[1.0]], time_zone="UTC")], "1s")
    with pytest.raises(ValueError, match="at least 1 table"):
        sl.align([], "1s")


def test_importing_secondlook_loads_no_pandas():
    import subprocess
    import sys

    code = "import sys, secondlook as sl; sl.read_csv, sl.TimeTable; print('pandas' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "False"
