import json
import pickle
import re

import numpy as np
import pandas as pd
import pytest

import secondlook as sl

NAMES = ["inlet", "outlet", "flow"]


def plant(n=1500, *, zone="Europe/Berlin"):
    random = np.random.default_rng(0)
    day = np.sin(np.arange(n) * 2 * np.pi / 288)
    values = {
        "inlet": 20 + 5 * day + random.normal(0, 0.3, n),
        "outlet": 40 + 8 * day + random.normal(0, 0.4, n),
        "flow": 10 + random.normal(0, 0.2, n),
    }
    times = pd.date_range("2024-03-29", periods=n, freq="5min", tz=zone)
    frame = pd.DataFrame(values, index=times)
    frame.iloc[700, 2] = 3.0
    return frame


@pytest.fixture(scope="module")
def frame():
    return plant()


@pytest.fixture(scope="module")
def clean(frame):
    return frame.drop(index=frame.index[700])


def detectors(clean):
    forest = sl.IsolationForest(contamination=0.01, random_state=0).fit(clean)
    return {
        "forest": forest,
        "autoencoder": sl.Autoencoder(contamination=0.01, random_state=0).fit(clean),
        "lstm": sl.LSTMForecaster(contamination=0.01, max_epochs=3, random_state=0).fit(clean),
        "ensemble": sl.DetectorEnsemble(random_state=0).fit(clean),
        "learner": sl.IncrementalLearner(forest, clean, random_state=0, suspicion_rate=0.05),
    }


@pytest.mark.parametrize("kind", ["forest", "autoencoder", "lstm", "ensemble", "learner"])
def test_every_detector_of_rows_names_the_broken_one(kind, frame, clean):
    # A forest ranks rows that are odd in several features first.
    n = 40 if kind in ("forest", "learner") else 5
    report = sl.report(detectors(clean)[kind], frame.assign(site="north"), n=n)
    top = report.top
    assert len(top) == n
    assert frame.index[700] in top.index
    row = top.loc[frame.index[700]]
    assert row["verdict"] == "anomaly"
    assert row["severity"] in ("medium", "high", "critical")
    assert row["feature"] == "flow"
    assert row["value"] == 3.0
    assert 9 < row["usual_low"] < 10 < row["usual_high"] < 11
    assert "flow 3, usually 9." in row["reasons"]
    assert report.left_out == ["site"]
    table = report.to_pandas()
    pd.testing.assert_index_equal(table.index, frame.index)
    assert str(table.index.tz) == "Europe/Berlin"
    assert (table["verdict"] == "anomaly").sum() == report.n_anomalies
    assert (table["verdict"] == "unknown").sum() == report.n_unknown
    assert table["severity"].isna().sum() == report.n_unknown


def test_verdicts_are_those_of_the_detector(frame, clean):
    forest = sl.IsolationForest(contamination=0.01, random_state=0).fit(clean)
    table = sl.report(forest, frame).to_pandas()
    np.testing.assert_array_equal(table["score"], forest.score_samples(frame))
    np.testing.assert_array_equal(table["verdict"] == "anomaly", forest.predict(frame) == -1)
    ensemble = sl.DetectorEnsemble(random_state=0).fit(clean)
    pd.testing.assert_series_equal(
        sl.report(ensemble, frame).to_pandas()["verdict"], ensemble.verdicts(frame)["verdict"]
    )


def test_rows_with_missing_values_are_unknown_not_normal(frame, clean):
    holed = frame.copy()
    holed.iloc[10:20, 0] = np.nan
    report = sl.report(sl.Autoencoder(random_state=0).fit(clean), holed)
    assert report.n_unknown == 10
    assert (report.to_pandas()["verdict"].iloc[10:20] == "unknown").all()
    assert "10 not judged" in repr(report)


def test_a_stream_is_judged_and_not_changed(frame):
    stream = sl.SurpriseStream(season=288)
    series = frame["outlet"].copy()
    series.iloc[900:910] += 12
    report = sl.report(stream, series, n=3)
    assert stream.n_samples == 0
    assert set(report.top.index) <= set(frame.index[900:912])
    assert "(surprise " in report.top["reasons"].iloc[0]
    assert report.episodes["begin"].iloc[0] in frame.index[900:903]
    with pytest.raises(ValueError, match="expected one series for a SurpriseStream, got 3"):
        sl.report(stream, frame)


@pytest.mark.parametrize("side", ["both", "low", "high"])
def test_peers_name_the_sensor_and_its_band(side):
    readings = 3.3 + 0.001 * np.random.default_rng(0).normal(size=(60, 8))
    readings[20:30, 3] -= 0.2
    cells = pd.DataFrame(readings, columns=[f"cell {i}" for i in range(8)])
    detector = sl.PeerDeviation(floor=0.05, side=side)
    report = sl.report(detector, cells)
    if side == "high":
        assert report.n_anomalies == 0
    else:
        assert report.n_anomalies == detector.judge(cells).n_beyond.max() == 10
        assert set(report.top["feature"]) == {"cell 3"}
        assert (report.top["usual_low"] > report.top["value"]).all()


def test_a_frame_alone_chooses_by_what_it_is(frame):
    series = sl.report(frame)
    assert list(series.detectors) == ["DetectorEnsemble", "LSTMForecaster"]
    assert series.top.index[0] == frame.index[700]
    rows = frame.reset_index(drop=True)
    assert list(sl.report(rows).detectors) == ["DetectorEnsemble"]
    holed = rows.copy()
    holed.iloc[5, 0] = np.nan
    assert list(sl.report(holed).detectors) == ["IsolationForest"]
    assert "0.0% are missing" in sl.report(holed).why[0]
    assert list(sl.report(rows[:100]).detectors) == ["IsolationForest"]
    alone = sl.report(frame["flow"])
    assert list(alone.detectors) == ["SurpriseStream"]
    assert "288 samples as a day" in alone.why[0]
    # The detectors are fitted, and give the same report again.
    forest = sl.report(rows[:100]).detectors["IsolationForest"]
    pd.testing.assert_frame_equal(
        sl.report(forest, rows[:100]).to_pandas(), sl.report(rows[:100]).to_pandas()
    )


def test_frames_of_any_library_are_read(frame, clean):
    expected = sl.report(sl.IsolationForest(random_state=0).fit(clean), frame).to_pandas()
    forest = sl.IsolationForest(random_state=0).fit(clean)
    table = sl.TimeTable(frame.index, frame.to_numpy(), NAMES)
    pd.testing.assert_frame_equal(
        sl.report(forest, table).to_pandas(), expected, check_names=False, check_freq=False,
        check_index_type=False,
    )  # fmt: skip
    column = frame.rename_axis("when").reset_index()
    np.testing.assert_array_equal(
        sl.report(forest, column).top.index, sl.report(forest, frame).top.index
    )
    bare = sl.IsolationForest(random_state=0).fit(clean.to_numpy())
    assert sl.report(bare, frame.to_numpy()).top["feature"].str.startswith("feature ").all()
    polars = pytest.importorskip("polars")
    report = sl.report(forest, polars.DataFrame({name: frame[name].to_numpy() for name in NAMES}))
    np.testing.assert_array_equal(report.to_pandas()["score"], expected["score"])


def test_equal_rows_and_rows_that_are_mostly_anomalies_are_reported():
    same = pd.DataFrame(np.ones((50, 2)), columns=["a", "b"])
    assert sl.report(same).n_anomalies == 0
    forest = sl.IsolationForest(contamination=0.01, random_state=0).fit(
        np.random.default_rng(0).normal(size=(300, 2))
    )
    far = sl.report(forest, np.full((30, 2), 50.0))
    assert far.n_anomalies == 30
    assert np.isfinite(far.to_pandas()["score"]).all()


def test_looks(frame, tmp_path):
    report = sl.report(frame, n=3)
    text = repr(report)
    assert text.startswith("DetectorEnsemble and LSTMForecaster on 1,500 samples: ")
    assert max(map(len, text.splitlines())) <= 100
    assert re.search(r"critical  \w+: flow 3, usually", text)
    assert "flow 3" in report._repr_html_()
    assert "nan" not in sl.report(pd.DataFrame(np.ones((50, 2))))._repr_html_()
    assert json.loads(json.dumps(report.to_dict()))["n_rows"] == 1500
    assert len(pickle.loads(pickle.dumps(report.top))) == 3
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    display = report.plot()
    assert len(display.figure_.axes) == 3
    assert display.figure_.axes[0].get_xlim() == display.figure_.axes[1].get_xlim()
    page = tmp_path / "report.html"
    report.to_html(page)
    assert page.read_text().count("<table>") == 2
    assert "data:image/png" in page.read_text()
    assert list(tmp_path.iterdir()) == [page]
    with pytest.raises(FileNotFoundError):
        report.to_html(tmp_path / "absent" / "report.html")


def test_names_are_escaped(frame, tmp_path):
    renamed = frame.rename(columns={"flow": "<script>"}).reset_index(drop=True)
    page = tmp_path / "report.html"
    sl.report(renamed).to_html(page)
    assert "<script>" not in page.read_text()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda f, d: sl.report(d), TypeError, "expected a frame for IsolationForest, got none"),
        (lambda f, d: sl.report(d, f[["flow"]]), ValueError, r"none named \['inlet', 'outlet'\]"),
        (lambda f, d: sl.report(d, f.to_numpy()[:, :2]), ValueError, "the 3 features of the Isol"),
        (lambda f, d: sl.report(f[:5]), ValueError, "at least 20 rows"),
        (lambda f, d: sl.report(pd.DataFrame({"a": ["x"] * 30})), ValueError, "columns of numbers"),
        (lambda f, d: sl.report(f[:0]), ValueError, "got 0 rows"),
        (lambda f, d: sl.report(object(), f), TypeError, "expected a detector such as"),
        (lambda f, d: sl.report(d, f.replace(3.0, np.inf)), ValueError, "in column 'flow'"),
        (lambda f, d: sl.report(d, f, n=0), ValueError, "n"),
        (lambda f, d: sl.report(sl.IsolationForest(), f), Exception, "call fit first"),
    ],
)
def test_bad_input_is_named(make, error, message, frame, clean):
    forest = sl.IsolationForest(random_state=0).fit(clean)
    with pytest.raises(error, match=message):
        make(frame, forest)
