"""Reading of times of all supported types."""

import copy
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondlook as sl
from secondlook.series.times import changes_of, is_later, read_times

BERLIN = ZoneInfo("Europe/Berlin")
# Nights of both clock changes.
NIGHTS = [
    pd.date_range("2026-03-28 22:00", periods=40, freq="15min", tz="Europe/Berlin"),
    pd.date_range("2026-10-24 22:00", periods=40, freq="15min", tz="Europe/Berlin"),
]


def spellings(index):
    yield index
    yield pd.Series(index)
    yield list(index)
    yield index.astype(object).to_numpy()
    yield [time.to_pydatetime() for time in index]
    yield [time.isoformat() for time in index]
    yield pd.Series([time.isoformat(" ") for time in index])
    yield pd.Series(list(index), dtype=object)


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("i", range(8))
def test_hours_are_by_the_clock_and_order_is_by_the_instant(night, i):
    times = list(spellings(night))[i]
    read = read_times("f", times)
    assert read.is_aware
    utc = night.tz_convert("UTC").tz_localize(None).to_numpy()
    np.testing.assert_array_equal(read.instants, utc.astype("M8[ns]"))
    np.testing.assert_array_equal(sl.hours_of_day(times), night.hour)
    table = sl.TimeTable(times, np.zeros((40, 1)))
    assert table.time_zone == "UTC"
    np.testing.assert_array_equal(table.time, utc.astype("M8[ns]"))
    metrics = sl.event_metrics(times, np.arange(40) == 17, [(times[16], times[18])])
    assert metrics.n_windows_hit == 1
    np.testing.assert_allclose(
        sl.BatteryFeatures().push_many(times, np.ones((40, 3)))[:, -1],
        night.hour + night.minute / 60,
    )


def test_the_zone_survives_in_a_time_table():
    night = NIGHTS[1]
    for zone in (night, [time.to_pydatetime() for time in night]):
        table = sl.TimeTable(zone, np.arange(40.0)[:, None], ["a"])
        assert str(table.clock_zone) == "Europe/Berlin"
        assert "clock of Europe/Berlin" in repr(table)
        for same in (table, table.interpolate("1h"), table.resample("15min"), copy.copy(table)):
            frame = same.to_pandas()
            assert str(frame.index.tz) == "Europe/Berlin"
            assert (frame.index == night).all()
            np.testing.assert_array_equal(sl.hours_of_day(same), night.hour)
    naive = sl.TimeTable(night.tz_localize(None)[:8], np.zeros((8, 1)))
    assert (naive.time_zone, naive.clock_zone) == (None, None)
    with pytest.raises(ValueError, match="expected times in UTC for clock_zone"):
        sl.TimeTable(["2026-01-01"], [[1.0]], clock_zone="Europe/Berlin")
    utc = sl.TimeTable(["2026-07-01T22:30"], [[1.0]], time_zone="UTC", clock_zone="+02:00")
    assert sl.hours_of_day(utc) == [0]


MIXED = [
    [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2)],
    ["2026-01-01T00:00+01:00", "2026-01-02T00:00"],
    [pd.Timestamp("2026-01-01", tz="UTC"), np.datetime64("2026-01-02")],
]


@pytest.mark.parametrize("times", MIXED)
def test_a_mixture_of_times_with_and_without_a_zone_is_refused(times):
    for use in (
        sl.hours_of_day,
        lambda t: sl.TimeTable(t, np.zeros((2, 1))),
        lambda t: sl.event_metrics(t, np.zeros(2, bool), []),
        lambda t: sl.BatteryFeatures().push_many(t, np.zeros((2, 3))),
    ):
        with pytest.raises(
            ValueError, match="either all .* with a time zone or none, got 2026-01-01"
        ):
            use(times)
    features = sl.BatteryFeatures()
    features.push(times[0], 1, 2, 3)
    with pytest.raises(ValueError, match="both with a time zone or both without"):
        features.push(times[1], 1, 2, 3)
    with pytest.raises(ValueError, match="windows and times either both with a time zone"):
        sl.event_metrics(NIGHTS[0], np.zeros(40, bool), [("2026-03-29T01:00", "2026-03-29T03:00")])
    stream = sl.IsolationForest(random_state=0).fit([[0.0], [1.0], [2.0]]).stream()
    stream.push([1.0], time=times[0])
    with pytest.raises(ValueError, match="either all .* with a time zone or none"):
        stream.push([1.0], time=times[1])


def test_streams_go_on_over_the_hour_that_comes_twice():
    night = [time.to_pydatetime() for time in NIGHTS[1]]
    forest = sl.IsolationForest(random_state=0).fit([[0.0], [1.0], [2.0]])
    ensemble = sl.DetectorEnsemble([("forest", forest)], votes=1, random_state=0)
    ensemble.fit(np.random.default_rng(0).normal(size=(100, 1)))
    for times in (night, [time.isoformat() for time in night], list(NIGHTS[1])):
        streams = forest.stream(), ensemble.stream()
        for time in times:
            assert [stream.push([1.0], time=time).time for stream in streams] == [time, time]
        for stream in streams:
            with pytest.raises(ValueError, match="expected a time after"):
                stream.push([1.0], time=times[-1])
    for column in (NIGHTS[1], pd.Series(night, dtype=object)):
        fleet = pd.DataFrame({"device": "a", "time": column, "feature": 1.0})
        verdicts = ensemble.verdicts(fleet)
        assert (verdicts.time == fleet.time).all()
        fleet = fleet.assign(voltage=3.3, current=1.0, temperature=25.0)
        features = sl.battery_features(fleet)
        np.testing.assert_allclose(features.hour, NIGHTS[1].hour + NIGHTS[1].minute / 60)


def test_features_of_a_copy_know_the_zone():
    features = sl.BatteryFeatures()
    features.push(NIGHTS[1][0], 1, 2, 3)
    again = pickle.loads(pickle.dumps(features))
    with pytest.raises(ValueError, match="both with a time zone"):
        again.push("2026-10-25T03:00", 1, 2, 3)


@given(st.lists(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), max_size=5))
def test_times_without_a_zone_stay_as_they_are(times):
    expected = np.array(times, dtype="datetime64[ns]")
    for written in (times, [t.isoformat() for t in times], [t.isoformat(" ") for t in times]):
        read = read_times("f", written)
        assert not read.is_aware
        np.testing.assert_array_equal(read.instants, expected)
        np.testing.assert_array_equal(read.clock, expected)


def test_nanoseconds_missing_times_dates_and_offsets():
    exact = pd.Timestamp("2026-01-01T00:00:00.123456789", tz="Europe/Berlin")
    assert read_times("f", [exact, None]).clock[0] == exact.tz_localize(None).to_datetime64()
    assert np.isnat(read_times("f", [exact, None, pd.NaT, np.nan]).instants[1:]).all()
    assert read_times("f", [date(2026, 1, 1)]).instants == [np.datetime64("2026-01-01")]
    two = [datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=h))) for h in (1, 2)]
    read = read_times("f", two)
    assert read.zone is UTC
    np.testing.assert_array_equal(sl.hours_of_day(two), [12, 12])


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([12.5], "expected times, got numbers"),
        (np.arange(3), "expected times, got numbers"),
        (["noon"], "expected times such as 2026-03-01T10:00"),
        (["2026-01-01T00:00+01:00", "noon"], "such as 2026-03-01T10:00, got 'noon'"),
        (["3000-01-01"], "from 1678 to 2262"),
    ],
)
def test_what_is_no_time_is_said(times, message):
    with pytest.raises(ValueError, match=message):
        read_times("f", times)


def test_an_offset_beside_times_with_a_zone_is_refused():
    with pytest.raises(ValueError, match="expected no utc_offset_minutes"):
        sl.hours_of_day(NIGHTS[0], utc_offset_minutes=60)


def test_seasons_may_be_times():
    random = np.random.default_rng(0)
    time = pd.date_range("2026-10-01", periods=3000, freq="15min", tz="Europe/Berlin")
    scores = random.exponential(size=3000)
    fitted = sl.SeasonalThreshold(0.05).fit(scores, time)
    expected = sl.SeasonalThreshold(0.05).fit(scores, sl.hours_of_day(time))
    np.testing.assert_array_equal(fitted.thresholds_, expected.thresholds_)
    np.testing.assert_array_equal(fitted.alarms(scores, time), expected.alarms(scores, time.hour))
    with pytest.raises(ValueError, match="expected n_seasons=24 for times, .* got 7"):
        sl.SeasonalThreshold(n_seasons=7).fit(scores, time)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Africa/Casablanca", "Asia/Gaza", "Asia/Tokyo"])
def test_changes_of_a_clock_are_those_of_zoneinfo(zone):
    changes = np.array(changes_of(ZoneInfo(zone)))
    instants = np.arange(-1_500_000_000, 2_500_000_000, 1_234_567)
    place = np.searchsorted(changes[:, 0], instants * 10**9, side="right") - 1
    expected = [datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(s)) for s in instants]
    offsets = [t.astimezone(ZoneInfo(zone)).utcoffset() / timedelta(seconds=1) for t in expected]
    np.testing.assert_array_equal(changes[place, 1] / 1e9, offsets)


def test_numbers_are_later_as_numbers():
    assert is_later("f", 2.0, 1)
    assert not is_later("f", np.datetime64("2026-01-01"), np.datetime64("2026-01-01"))
    assert is_later("f", "2026-01-01T00:00+01:00", datetime(2025, 12, 31, 22, tzinfo=UTC))
