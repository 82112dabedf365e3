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
