"""The simulated meters have the documented properties."""

import numpy as np
import pytest

simulated_meter = pytest.importorskip("simulated_meter", reason="the benchmarks are not here")
from simulated_meter import (  # noqa: E402
    DAY,
    KINDS,
    N_HOURS,
    N_TRAINING,
    USERS,
    WEEK,
    simulate_meters,
)

SEED = 7


@pytest.fixture(scope="module")
def meters():
    return simulate_meters(2 * len(USERS), SEED)


def of_kind(meters, kind):
    """Return the ratio of the readings to the normal readings for each anomaly."""
    found = [(meter, one) for meter in meters for one in meter.anomalies if one.kind == kind]
    assert found
    return [
        meter.consumption_kwh[one.begin : one.end] / meter.normal_kwh[one.begin : one.end]
        for meter, one in found
    ]


def correlation(values, lag):
    return np.corrcoef(values[lag:], values[:-lag])[0, 1]


def test_the_seed_determines_the_readings(meters):
    again, others = simulate_meters(len(meters), SEED), simulate_meters(len(meters), SEED + 1)
    for one, same, other in zip(meters, again, others, strict=True):
        np.testing.assert_array_equal(one.consumption_kwh, same.consumption_kwh)
        assert one.anomalies == same.anomalies
        assert not np.array_equal(one.normal_kwh, other.normal_kwh)
        assert one.anomalies != other.anomalies


def test_hours_are_consecutive_and_span_more_than_a_year_from_a_monday(meters):
    time = meters[0].time
    assert len(time) == N_HOURS > 366 * DAY
    assert (np.diff(time) == np.timedelta64(1, "h")).all()
    assert (time[0].astype("datetime64[D]").astype(int) + 3) % 7 == 0  # 1970 began on a Thursday
    assert all(np.array_equal(one.temperature_c, meters[0].temperature_c) for one in meters)


def test_readings_are_whole_watt_hours_and_normal_outside_the_windows(meters):
    for meter in meters:
        watt_hours = 1000 * meter.consumption_kwh
        np.testing.assert_allclose(watt_hours, np.round(watt_hours), atol=1e-6)
        assert (meter.consumption_kwh >= 0).all()
        assert (meter.normal_kwh > 0).all()
        normal = ~meter.label
        np.testing.assert_array_equal(meter.consumption_kwh[normal], meter.normal_kwh[normal])


def test_labels_cover_each_window_and_nothing_else(meters):
    for meter in meters:
        assert meter.label.sum() == sum(one.end - one.begin for one in meter.anomalies)
        assert all(meter.label[one.begin : one.end].all() for one in meter.anomalies)


def test_anomalies_lie_in_order_two_days_apart(meters):
    for meter in meters:
        ends = [0, *(one.end for one in meter.anomalies)]
        begins = [*(one.begin for one in meter.anomalies), N_HOURS]
        assert all(begin - end >= 2 * DAY for end, begin in zip(ends, begins, strict=True))


def test_training_has_only_short_anomalies_and_the_rest_every_kind(meters):
    training = [one for meter in meters for one in meter.anomalies if one.end <= N_TRAINING]
    tested = [one for meter in meters for one in meter.anomalies if one.begin >= N_TRAINING]
    assert len(training) + len(tested) == sum(len(meter.anomalies) for meter in meters)
    assert {one.kind for one in training} == {"spike", "dip", "outage"}
    assert {one.kind for one in tested} == set(KINDS)
    fraction = np.mean([meter.label[:N_TRAINING].mean() for meter in meters])
    assert 0.001 < fraction < 0.01


def test_every_kind_distorts_as_it_should(meters):
    assert all(1 <= len(ratio) <= 3 and (ratio > 1.3).all() for ratio in of_kind(meters, "spike"))
    for ratio in of_kind(meters, "dip"):
        # Readings are rounded to a watt-hour, which is 1 % of a small reading.
        assert 3 <= len(ratio) <= 8
        assert ((ratio > 0.08) & (ratio < 0.42)).all()
    assert all((ratio == 0).all() for ratio in of_kind(meters, "outage"))
    for ratio in of_kind(meters, "theft"):
        assert 4 * DAY <= len(ratio) <= 3 * WEEK
        assert 0.29 < np.median(ratio) < 0.71
        assert np.ptp(ratio) < 0.05
    for ratio in of_kind(meters, "drift"):
        assert 3 * WEEK <= len(ratio) <= 6 * WEEK
        assert ratio[0] == pytest.approx(1, abs=0.02)
        assert 0.48 < ratio[-1] < 0.77
        assert np.corrcoef(ratio, np.arange(len(ratio)))[0, 1] < -0.95


def test_consumption_has_daily_and_weekly_cycles_and_persistent_noise(meters):
    for meter in meters:
        logarithm = np.log(meter.normal_kwh)
        assert correlation(logarithm, DAY) > 0.5 > correlation(logarithm, DAY // 2)
        assert correlation(logarithm, WEEK) > correlation(logarithm, DAY)
        hour_of_week = logarithm.reshape(-1, WEEK)
        noise = (hour_of_week - hour_of_week.mean(axis=0)).ravel()
        assert correlation(noise, 1) > 0.3


def test_a_heated_household_consumes_more_in_the_cold_half_of_the_year(meters):
    for meter in meters:
        if meter.users == "heated household":
            cold = meter.temperature_c < np.median(meter.temperature_c)
            assert meter.normal_kwh[cold].mean() > 1.2 * meter.normal_kwh[~cold].mean()


def test_shops_are_closed_on_sundays(meters):
    for meter in meters:
        if meter.users == "shop":
            days = meter.normal_kwh.reshape(-1, 7, DAY).sum(axis=2).mean(axis=0)
            assert days[6] < 0.6 * days[:5].min()
