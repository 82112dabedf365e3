import pickle

import numpy as np
import pandas as pd
import pytest

import secondlook as sl


def waves(steps=400, seed=0):
    random = np.random.default_rng(seed)
    t = np.arange(steps)
    X = np.c_[np.sin(t / 4), np.cos(t / 4)] + 0.05 * random.normal(size=(steps, 2))
    return pd.DataFrame(X, columns=["current", "voltage"])


@pytest.fixture(
    scope="module",
    params=[
        sl.IsolationForest(random_state=0, contamination=0.01),
        sl.Autoencoder(hidden=(8, 2), max_epochs=10, random_state=0),
        sl.LSTMForecaster(
            window=16, hidden=8, max_epochs=8, batch_size=8, learning_rate=1e-2, random_state=0,
            n_jobs=1,
        ),
    ],
    ids=lambda detector: type(detector).__name__,
)  # fmt: skip
def detector(request):
    return request.param.fit(waves(800))


def test_scores_equal_those_of_the_batch(detector):
    X = waves(seed=1)
    stream = detector.stream()
    scores = [stream.push(x).score for x in X.to_numpy()]
    np.testing.assert_array_equal(scores, detector.score_samples(X))


def test_verdicts_equal_those_of_the_batch_and_anomalies_have_reasons(detector):
    X = waves(seed=2)
    X.iloc[300, 1] += 6
    stream = detector.stream()
    records = [stream.push(x, time) for time, x in enumerate(X.to_numpy())]
    called = np.array([record.verdict == "anomaly" for record in records])
    np.testing.assert_array_equal(called, detector.predict(X) == -1)
    assert called[300]
    assert records[300].reasons[0].startswith("voltage (")
    assert records[300].time == 300
    assert "voltage" in repr(records[300])
    assert all(record.reasons == () for record in records if record.verdict == "normal")


def test_a_copy_continues_from_the_same_state(detector):
    X = waves(seed=3).to_numpy()
    stream = detector.stream()
    for x in X[:150]:
        stream.push(x)
    copy = pickle.loads(pickle.dumps(stream))
    for x in X[150:]:
        a, b = stream.push(x), copy.push(x)
        assert (a.score, a.verdict, a.tail_probability) == (b.score, b.verdict, b.tail_probability)


def test_a_lasting_change_lowers_the_tail_probability(detector):
    stream = detector.stream()
    for x in waves(1000, seed=4).to_numpy():
        before = stream.push(x).tail_probability
    for x in waves(40, seed=5).to_numpy():
        after = stream.push(x * 3).tail_probability
    assert after < 1e-3 < before


def test_bad_samples_leave_the_stream_unchanged(detector):
    X = waves(seed=6).to_numpy()
    stream, untouched = detector.stream(), detector.stream()
    for time, x in enumerate(X[:100]):
        stream.push(x, time)
        untouched.push(x, time)
    with pytest.raises(ValueError, match="after 99, got 99"):
        stream.push(X[100], 99)
    with pytest.raises(ValueError, match="after 99, got 3"):
        stream.push(X[100], 3)
    for sample in ([1.0], [1.0, 2.0, 3.0], [np.inf, 0.0]):
        with pytest.raises(ValueError, match="expected"):
            stream.push(sample, 100)
    assert stream.push(X[100], 100).score == untouched.push(X[100], 100).score


def test_a_forecaster_gives_missing_samples_no_score(detector):
    stream = detector.stream()
    for x in waves(50).to_numpy():
        stream.push(x)
    if isinstance(detector, sl.LSTMForecaster):
        record = stream.push([np.nan, np.nan])
        assert record.verdict == "unknown"
        assert np.isnan(record.score)
        assert stream.push([np.nan, 0.0]).verdict != "unknown"
    else:
        with pytest.raises(ValueError, match="finite|NaN"):
            stream.push([np.nan, np.nan])


def test_many_streams_share_one_model():
    model = sl.LSTMForecaster(window=16, hidden=64, max_epochs=1, random_state=0).fit(waves(200))
    streams = [model.stream() for _ in range(1000)]
    X = waves(20, seed=7).to_numpy()
    scores = {tuple(stream.push(x).score for x in X)[-1] for stream in streams}
    assert len(scores) == 1
    assert len(pickle.dumps(streams[0]._stream.state["series"])) < 8192


def test_unfitted_detectors_have_no_stream():
    with pytest.raises(ValueError, match="call fit first"):
        sl.LSTMForecaster().stream()


# --- samples by name, and many at once


def named_stream(kind):
    random = np.random.default_rng(0)
    times = pd.date_range("2026-03-01", periods=600, freq="min", tz="Europe/Berlin")
    table = pd.DataFrame(random.normal(size=(600, 2)), times, ["flow", "level"])
    table.iloc[-1] = 9.0
    detector = (
        sl.IsolationForest(random_state=0)
        if kind == "forest"
        else sl.DetectorEnsemble([("forest", sl.IsolationForest(random_state=0))])
    )
    return table, detector.fit(table.iloc[:500])


@pytest.mark.parametrize("kind", ["forest", "ensemble"])
def test_a_sample_may_be_given_by_the_names_of_its_features(kind):
    table, detector = named_stream(kind)
    by_position, by_name = detector.stream(), detector.stream()
    for row in table.iloc[-20:].to_dict("records"):
        expected = by_position.push([row["flow"], row["level"]])
        assert (
            by_name.push({"level": row["level"], "flow": row["flow"]}).to_dict()
            == expected.to_dict()
        )
    for bad in ({"flow": 1.0}, {"flow": 1.0, "level": 2.0, "speed": 3.0}):
        with pytest.raises(ValueError, match=r"expected the features \['flow', 'level'\], got"):
            by_name.push(bad)


@pytest.mark.parametrize("kind", ["forest", "ensemble"])
def test_many_samples_are_judged_as_one_by_one_with_their_times(kind):
    table, detector = named_stream(kind)
    one_by_one = detector.stream()
    expected = [
        one_by_one.push(row, time) for time, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    records = detector.stream().push_many(table)
    assert [one.to_dict() for one in records] == [one.to_dict() for one in expected]
    frame = records.to_pandas()
    assert len(frame) == 600
    assert frame["time"].tolist() == table.index.tolist()
    assert frame["verdict"].iloc[-1] == "anomaly"
    assert "580 more" in records._repr_html_()
    without = detector.stream().push_many(table.to_numpy())
    assert without[0].time is None
    assert [one.score for one in without[:50]] == [one.score for one in records[:50]]
    assert detector.stream().push_many(table.iloc[:0]) == []
    with pytest.raises(ValueError, match="a time for each of 600 samples, got 1"):
        detector.stream().push_many(table, [1])
