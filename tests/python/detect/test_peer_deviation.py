import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

import secondlook as sl


def readings(instants=200, sensors=20, seed=0):
    return np.random.default_rng(seed).normal(3.3, 0.01, size=(instants, sensors))


def leave_one_out(X, n_sigma):
    """Find the deviating sensors with NumPy alone."""
    beyond = np.zeros(X.shape, bool)
    for sensor in range(X.shape[1]):
        others = np.delete(X, sensor, axis=1)
        distance = np.abs(X[:, sensor] - others.mean(axis=1))
        beyond[:, sensor] = distance > n_sigma * others.std(axis=1, ddof=1)
    return beyond


@given(st.integers(1, 30), st.integers(3, 12), st.floats(0.5, 4), st.integers(0, 2**32 - 1))
def test_agrees_with_leave_one_out_in_numpy(instants, sensors, n_sigma, seed):
    X = readings(instants, sensors, seed)
    expected = leave_one_out(X, n_sigma)
    verdicts = sl.PeerDeviation(n_sigma=n_sigma).judge(X)
    np.testing.assert_array_equal(verdicts.n_beyond, expected.sum(axis=0))


@given(st.integers(3, 12), st.integers(0, 2**32 - 1), st.sampled_from(["both", "low", "high"]))
def test_a_stream_equals_the_batch(sensors, seed, side):
    X = readings(60, sensors, seed)
    X[np.random.default_rng(seed).random(X.shape) < 0.1] = np.nan
    states = np.array(["idle", "discharging", "charging"] * 20)
    detector = sl.PeerDeviation(1.5, side=side, while_state=("discharging", "charging"))
    batch = detector.judge(X, states)
    stream = detector.stream(sensors)
    deviating = [stream.push(row, state).deviating for row, state in zip(X, states, strict=True)]
    for name in ("n_judged", "n_beyond", "first", "last", "worst", "worst_ratio"):
        np.testing.assert_array_equal(getattr(stream.verdicts, name), getattr(batch, name))
    counts = np.bincount(np.concatenate(deviating), minlength=sensors)
    np.testing.assert_array_equal(counts, batch.n_beyond)


def test_three_sensors_are_enough():
    X = np.array([[3.30, 3.31, 3.90]])
    assert sl.PeerDeviation().judge(X).deviating.tolist() == [2]


def test_the_floor_suppresses_deviations_within_the_precision():
    X = np.full((5, 8), 3.300)
    X[:, 1] += 0.001
    assert sl.PeerDeviation().judge(X).deviating.tolist() == [1]
    assert sl.PeerDeviation(floor=0.005).judge(X).deviating.size == 0


def test_only_the_selected_states_count():
    X = readings()
    X[3, 4] = 9
    states = np.full(200, "idle", dtype=object)
    detector = sl.PeerDeviation(5.0, while_state="discharging")
    assert detector.judge(X, states).n_judged.max() == 0
    states[3] = "discharging"
    verdicts = detector.judge(X, states)
    assert verdicts.deviating.tolist() == [4]
    assert verdicts.state[4] == "discharging"


def test_robust_statistics_find_many_deviating_sensors():
    X = readings(10, 20)
    X[:, :6] += 1
    assert sl.PeerDeviation().judge(X).deviating.size == 0
    assert sorted(sl.PeerDeviation(5, robust=True).judge(X).deviating[:6]) == list(range(6))


def test_bands_contain_exactly_the_sensors_that_do_not_deviate():
    X = readings()
    detector = sl.PeerDeviation(2.0)
    centre, half_width = detector.bands(X).T
    outside = np.abs(X - centre[:, None]) > half_width[:, None]
    np.testing.assert_array_equal(outside.sum(axis=0), detector.judge(X).n_beyond)


def test_a_table_of_verdicts():
    pytest.importorskip("pandas")
    table = sl.PeerDeviation().judge(readings()).to_pandas()
    assert len(table) == 20
    assert "worst_sigma" in table


def test_clones():
    detector = sl.PeerDeviation(2.0, 0.5, "low", bound=3.0, while_state="idle")
    assert clone(detector).get_params() == detector.get_params()


def test_finds_the_published_sensors_of_the_real_clusters(real_data):
    folder = real_data / "ess" / "Test_data"
    if not folder.is_dir():
        pytest.skip(f"no exports under {folder}")
    published = {1: {52}, 2: {104, 148, 237}, 3: {24, 228}}
    for cluster, expected in published.items():
        cluster_folder = folder / f"cluster {cluster}"
        voltage = sl.read_csv(
            sorted((cluster_folder / "voltage").glob("*.csv")), millisecond_column="MCGS_TIMEMS"
        )
        state = sl.read_csv(
            sorted((cluster_folder / "total state").glob("*.csv")), millisecond_column="MCGS_TIMEMS"
        )
        voltage, state = sl.align([voltage, state], "30s")
        current = state.values[:, state.columns.index(f"Cluster{cluster}_Current")]
        verdicts = sl.PeerDeviation(3.0, 5.0, while_state="discharging").judge(
            voltage.values, sl.plant_state(current, 200)
        )
        found = {int(voltage.columns[i][-3:]) for i in verdicts.deviating}
        assert found == expected


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_sigma": 0}, "n_sigma must be above 0, got 0"),
        ({"floor": -1}, "floor must be at least 0, got -1"),
        ({"bound": -3}, "bound must be above 0, got -3"),
        ({"side": "left"}, 'side must be "both", "low" or "high"'),
    ],
)
def test_rejects_parameters_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        sl.PeerDeviation(**parameters).judge(readings())


def test_rejects_bad_input():
    X = readings()
    with pytest.raises(ValueError, match="at least 3 sensors to compare, got 2"):
        sl.PeerDeviation().judge(X[:, :2])
    for bad in (X[0], X[:0], X[:, :0]):
        with pytest.raises(ValueError, match="expected readings of shape"):
            sl.PeerDeviation().judge(bad)
    with pytest.raises(ValueError, match="expected 200 states, one per instant"):
        sl.PeerDeviation().judge(X, ["idle"] * 3)
    with pytest.raises(ValueError, match="the state of the plant is needed"):
        sl.PeerDeviation(while_state="idle").judge(X)
    X[8, 9] = np.inf
    with pytest.raises(ValueError, match="infinity at instant 8, sensor 9"):
        sl.PeerDeviation().judge(X)
    stream = sl.PeerDeviation().stream(20)
    with pytest.raises(ValueError, match="expected 20 readings, got 19"):
        stream.push(X[0, :19])


def test_plant_states():
    assert sl.plant_state([-300, 0, 300, np.nan], 200).tolist() == [
        "charging", "idle", "discharging", "idle",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="threshold must be at least 0"):
        sl.plant_state([1.0], -1)
