"""Features of battery samples."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondlook as sl


def samples(n, seed=0):
    random = np.random.default_rng(seed)
    time = np.datetime64("2026-05-01T00:00", "ns") + np.cumsum(
        random.integers(1, 90, n)
    ) * np.timedelta64(1, "m")
    values = random.normal([3.3, 0, 25], [0.05, 40, 2], (n, 3))
    return time, values


@given(st.integers(2, 20), st.integers(0, 40), st.integers(0, 1000))
def test_one_after_another_as_many_at_once_and_after_a_snapshot(window, cut, seed):
    time, values = samples(40, seed)
    values[seed % 40, 1] = np.nan
    expected = sl.BatteryFeatures(window).push_many(time, values)
    features = sl.BatteryFeatures(window)
    for i in range(cut):
        np.testing.assert_array_equal(features.push(time[i], *values[i]), expected[i])
    again = pickle.loads(pickle.dumps(features))
    np.testing.assert_array_equal(again.push_many(time[cut:], values[cut:]), expected[cut:])


def test_windows_are_those_of_pandas():
    time, values = samples(200)
    features = pd.DataFrame(
        sl.BatteryFeatures(12, max_gap="365d").push_many(time, values),
        columns=list(sl.BATTERY_FEATURES),
    )
    table = pd.DataFrame(values, columns=["voltage", "current", "temperature"])
    rolling = table.rolling(12, min_periods=1)
    np.testing.assert_allclose(features.temperature_mean, rolling.mean().temperature)
    np.testing.assert_allclose(features.voltage_deviation, rolling.std(ddof=0).voltage, atol=1e-9)
    np.testing.assert_array_equal(features.voltage_minimum, rolling.min().voltage)
    np.testing.assert_array_equal(features.temperature_maximum, rolling.max().temperature)
    np.testing.assert_array_equal(features.current_difference[1:], np.diff(table.current))
    np.testing.assert_allclose(features.power, table.voltage * table.current)
    hours = pd.DatetimeIndex(time)
    np.testing.assert_allclose(features.hour, hours.hour + hours.minute / 60)


def test_each_device_of_a_fleet_has_its_own():
    tables = []
    for seed in range(3):
        time, values = samples(50, seed)
        table = pd.DataFrame(values, columns=["voltage", "current", "temperature"])
        tables.append(table.assign(device=seed, time=time))
    fleet = pd.concat(tables).sort_values("time", kind="stable", ignore_index=True)
    features = sl.battery_features(fleet)
    assert list(features.columns) == ["device", "time", *sl.BATTERY_FEATURES]
    for seed in range(3):
        own = features[features.device == seed][list(sl.BATTERY_FEATURES)]
        np.testing.assert_array_equal(own, sl.BatteryFeatures().push_many(*samples(50, seed)))


def test_the_hour_is_that_of_the_clock_whatever_its_zone():
    time = pd.date_range("2026-05-01T12:00", periods=2, freq="1min", tz="Europe/Berlin")
    table = pd.DataFrame(
        {"device": "a", "time": time, "voltage": 3.3, "current": 1.0, "temperature": 25.0}
    )
    assert sl.battery_features(table).hour[0] == 12
    hour = sl.BATTERY_FEATURES.index("hour")
    assert sl.BatteryFeatures().push(time[0], 3.3, 1.0, 25.0)[hour] == 12


def test_a_copy_knows_the_time_of_a_missing_sample():
    features = sl.BatteryFeatures()
    features.push("2026-05-01T00:00", 3.3, 1.0, 25.0)
    features.push("2026-05-01T00:10", np.nan, 1.0, 25.0)
    with pytest.raises(ValueError, match="expected a time after"):
        pickle.loads(pickle.dumps(features)).push("2026-05-01T00:05", 3.3, 1.0, 25.0)


@pytest.mark.parametrize("kind", ["category", object])
def test_a_row_without_a_device_is_refused(kind):
    time, values = samples(4)
    table = pd.DataFrame(values, columns=["voltage", "current", "temperature"])
    table = table.assign(time=time, device=pd.Series([None, "x", "x", "x"], dtype=kind))
    with pytest.raises(ValueError, match="expected a device in every row, got 1 rows without"):
        sl.battery_features(table)


def test_what_is_wrong_is_said():
    time, values = samples(5)
    with pytest.raises(ValueError, match=r"window must lie in \[2, 65536\], got 1"):
        sl.BatteryFeatures(1)
    with pytest.raises(ValueError, match="max_gap"):
        sl.BatteryFeatures(max_gap="soon")
    features = sl.BatteryFeatures()
    with pytest.raises(ValueError, match="expected a time after"):
        features.push_many(time[::-1], values)
    with pytest.raises(ValueError, match=r"expected samples of shape \(5, 3\), got \(5, 2\)"):
        features.push_many(time, values[:, :2])
    with pytest.raises(ValueError, match="inf"):
        features.push(time[0], np.inf, 0, 0)
    with pytest.raises(ValueError, match="missing"):
        features.push(np.datetime64("NaT"), 1, 0, 0)
    with pytest.raises(ValueError, match="expected times, got numbers"):
        features.push(12.5, 1, 0, 0)
    with pytest.raises(ValueError, match="from 1678 to 2262"):
        features.push("3000-01-01", 1, 0, 0)
    np.testing.assert_array_equal(
        features.push_many(time, values), sl.BatteryFeatures().push_many(time, values)
    )
    table = pd.DataFrame(values, columns=["voltage", "current", "temperature"])
    with pytest.raises(ValueError, match=r"missing: \['device', 'time'\]"):
        sl.battery_features(table)
    with pytest.raises(ValueError, match="device 'a': BatteryFeatures.*after"):
        sl.battery_features(table.assign(device="a", time=time[::-1]))
