"""Every result and every stream looks right: as text, in a notebook, and as plain values."""

import json

import numpy as np
import pandas as pd
import pytest

import secondlook as sl
from secondlook._shared.plain_values import plain
from secondlook._shared.shown import html_of, html_table, text_of


def normal(n=400, m=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, m))


def labelled(n=2000):
    y = np.arange(n) % 2
    return np.random.default_rng(0).normal(2.0 * y), y


def results():
    score, y = labelled()
    probability = 1 / (1 + np.exp(-score + 1))
    forest = sl.IsolationForest(20, random_state=0).fit(normal())
    ensemble = sl.DetectorEnsemble(random_state=0).fit(normal())
    learner = sl.IncrementalLearner(forest, normal(seed=1), random_state=0, suspicion_rate=0.05)
    stream = sl.SurpriseStream()
    cells = 3.3 + 0.001 * normal(50, 8)
    peers = sl.PeerDeviation()
    return [
        sl.binary_metrics(y, probability, n_bootstrap=10),
        sl.binary_metrics(y, probability, n_bootstrap=10).recall,
        sl.confusion_matrix(y, probability),
        sl.roc_curve(y, score),
        sl.precision_recall_curve(y, score),
        sl.tune_threshold(y, score),
        sl.SuspiciousBand().fit(score, y).report(score, y),
        sl.SuspiciousBand().price_list(score, y, rates=[0.05]),
        sl.event_metrics(np.datetime64("2024-01-01", "h") + np.arange(9), np.arange(9) == 4, []),
        learner.update(normal(seed=2)),
        learner,
        forest.stream(),
        forest.stream().push([0.0, 0.0, 9.0], time="2024-01-01"),
        ensemble.stream(),
        ensemble.stream().push([0.0, 0.0, 9.0]),
        stream,
        stream.push(1.0),
        stream.push_many(pd.Series([1.0, np.nan])),
        peers.judge(cells),
        peers.stream(8),
        peers.stream(8).push(cells[0]),
        sl.Adwin(),
        sl.PageHinkley(),
        sl.RunningQuantile(0.5),
        sl.TailSurprise(),
        sl.AnomalyLikelihood(),
        sl.BatteryFeatures(),
    ]


@pytest.mark.parametrize("result", results(), ids=lambda result: type(result).__name__)
def test_texts_are_short_and_notebooks_get_a_table(result):
    text = repr(result)
    assert " object at 0x" not in text
    assert "np." not in text
    assert "array(" not in text
    assert max(map(len, text.splitlines())) < 400
    if not isinstance(result, tuple) or hasattr(result, "_repr_html_"):
        html = result._repr_html_()
        assert "<table>" in html
        assert "array(" not in html


@pytest.mark.parametrize(
    "result",
    [result for result in results() if hasattr(result, "to_dict")],
    ids=lambda result: type(result).__name__,
)
def test_dicts_are_plain(result):
    again = json.loads(json.dumps(result.to_dict()))
    assert set(again) == set(result.to_dict())


def test_values_survive_in_dicts():
    score, y = labelled()
    metrics = sl.binary_metrics(y, 1 / (1 + np.exp(-score)), n_bootstrap=0)
    found = metrics.to_dict()
    assert found["recall"]["value"] == metrics.recall.value
    assert found["confusion"]["true_positives"] == metrics.confusion.true_positives
    record = sl.IsolationForest(random_state=0).fit(normal()).stream().push([0.0, 0.0, 9.0])
    assert record.to_dict()["reasons"] == list(record.reasons)


def test_times_and_missing_values_in_dicts():
    times = np.array(["2024-01-01T00:00:00.000000001", "NaT"], dtype="datetime64[ns]")
    assert plain({"t": times, "x": np.nan, "zone": pd.Timestamp("2024-01-01", tz="UTC")}) == {
        "t": ["2024-01-01T00:00:00.000000001", None],
        "x": None,
        "zone": "2024-01-01T00:00:00+00:00",
    }
    assert plain(pd.NaT) is None


def test_text_in_html_is_escaped():
    cells = pd.DataFrame(normal(50, 3), columns=["<b>", "&", "ok"])
    cells.iloc[3, 0] = 50
    html = sl.PeerDeviation().judge(cells)._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_tables_have_text_on_the_left_and_short_cells_on_one_line():
    html = html_table(("score", "reasons"), [("12:00", -0.5, "word " * 20)], corner="time")
    assert "<th style='text-align:left;white-space:nowrap'>time</th>" in html
    assert "<td style='text-align:right;white-space:nowrap'>-0.5</td>" in html
    assert "<td style='text-align:left'>word word" in html


def test_what_is_absent_is_shown_as_none():
    html = html_of("Record", {"time": None, "reasons": (), "votes": ["a", "b"]})
    assert html.count(">none</td>") == 2
    assert ">a; b</td>" in html


def test_numbers_and_times_have_no_needless_characters():
    assert text_of(-0.0) == "0"
    assert text_of(np.datetime64("2024-05-01T10:00:00", "ns")) == "2024-05-01T10:00:00"
    assert text_of(np.datetime64("2024-05-01T10:00:00.250", "ns")) == "2024-05-01T10:00:00.25"
    assert text_of(np.datetime64("2024-05-10")) == "2024-05-10"


def test_peer_verdicts_keep_names_times_and_zone():
    times = pd.date_range("2024-03-30 20:00", periods=50, freq="h", tz="Europe/Berlin")
    cells = pd.DataFrame(3.3 + 0.001 * normal(50, 4), columns=["a", "b", "c", "d"], index=times)
    cells.iloc[20:23, 2] += 1
    found = sl.PeerDeviation(floor=0.1).judge(cells)
    table = found.to_pandas()
    assert list(table.index) == ["a", "b", "c", "d"]
    assert table.loc["c", "first"] == times[20]
    assert table.loc["c", "last"] == times[22]
    assert str(table["first"].dt.tz) == "Europe/Berlin"
    assert pd.isna(table.loc["a", "first"])
    assert "deviating=['c']" in repr(found)
    plain = sl.PeerDeviation(floor=0.1).judge(cells.to_numpy()).to_pandas()
    assert plain.loc[2, "first"] == 20
    assert pd.isna(plain.loc[0, "first"])
    stream = sl.PeerDeviation(floor=0.1).stream(list(cells))
    for row in cells.to_numpy():
        stream.push(row)
    assert list(stream.verdicts.to_pandas().index) == list(cells)


def test_surprise_records_keep_the_index():
    times = pd.date_range("2024-01-01", periods=30, freq="h", tz="Europe/Berlin")
    series = pd.Series(np.arange(30.0), index=times)
    pd.testing.assert_index_equal(sl.SurpriseStream().push_many(series).to_pandas().index, times)
    bare = sl.SurpriseStream().push_many(series.to_numpy())
    assert list(bare.to_pandas().index) == list(range(30))
    pd.testing.assert_index_equal(bare.to_pandas(series.index).index, times)


def test_stream_records_make_a_table():
    stream = sl.IsolationForest(random_state=0).fit(normal()).stream()
    records = [stream.push(row, time=i) for i, row in enumerate(normal(5))]
    table = pd.DataFrame([record.to_dict() for record in records])
    assert list(table["time"]) == list(range(5))
