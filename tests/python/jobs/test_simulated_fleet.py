"""The simulation used by the fleet monitor."""

import numpy as np
import pandas as pd

from secondlook.jobs.simulated_fleet import simulate_fleet


def test_the_same_seed_gives_the_same_fleet():
    table, faults = simulate_fleet(3, 20, seed=4)
    again, faults_again = simulate_fleet(3, 20, seed=4)
    pd.testing.assert_frame_equal(table, again)
    assert faults == faults_again
    other, _ = simulate_fleet(3, 20, seed=5)
    assert not np.allclose(table.voltage, other.voltage)


def test_faults_appear_only_where_they_were_injected():
    table, faults = simulate_fleet(6, 42, seed=1)
    assert len(faults) > 10
    shown = table[table.fault != ""]
    assert 0.005 < len(shown) / len(table) < 0.1
    fade = pd.Timedelta("6h")
    for row in shown.itertuples():
        assert any(
            fault.device == row.device
            and fault.kind == row.fault
            and fault.begin <= row.time <= fault.end + fade
            for fault in faults
        )
    assert (table.time[table.fault != ""] >= table.time[0] + pd.Timedelta("14D")).all()
    stuck = [fault for fault in faults if fault.kind == "stuck thermometer"]
    assert stuck
    for fault in stuck:
        inside = (table.device == fault.device) & table.time.between(
            fault.begin, fault.end, inclusive="left"
        )
        assert table.temperature[inside].nunique() == 1


def test_packs_behave_like_batteries():
    table, _ = simulate_fleet(4, 30, faults_from_day=30, seed=2)
    assert (table.fault == "").all()
    assert table.voltage.between(2.5, 3.6).all()
    assert table.current.abs().max() < 200
    hour = table.time.dt.hour
    assert table.current[hour == 12].mean() > 20 > -20 > table.current[hour == 19].mean()
    first, last = table[: len(table) // 3], table[-len(table) // 3 :]
    assert last.temperature.mean() > first.temperature.mean() + 1
