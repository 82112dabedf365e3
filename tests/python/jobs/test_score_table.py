"""Scoring a CSV file: columns by name, rows in their order, one series per device."""

import csv
import json

import numpy as np
import pytest

import secondlook as sl
from secondlook.jobs import score_table

pd = pytest.importorskip("pandas")

NAMES = ["inlet", "outlet", "flow"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with models of each kind, and rows of which row 7 is an anomaly."""
    path = tmp_path_factory.mktemp("score")
    rows = np.random.default_rng(0).normal(size=(400, 3))
    table = pd.DataFrame(rows, columns=NAMES)
    detectors = {
        "forest": sl.IsolationForest(contamination=0.01, random_state=0),
        "autoencoder": sl.Autoencoder(max_epochs=3, random_state=0),
        "lstm": sl.LSTMForecaster(window=8, hidden=4, max_epochs=2, random_state=0),
        "ensemble": sl.DetectorEnsemble(
            [("forest", sl.IsolationForest(random_state=0))], random_state=0
        ),
    }
    for name, detector in detectors.items():
        detector.fit(table).save(path / f"{name}.safetensors")
    sl.IsolationForest(random_state=0).fit(rows).save(path / "without_names.safetensors")
    some = table[:40].copy()
    some.iloc[7, 1] = 9
    some.insert(0, "time", [f"2026-01-01 00:{i:02d}" for i in range(40)])
    some["remark"] = "ignored"
    some.to_csv(path / "rows.csv", index=False)
    return path


@pytest.mark.parametrize("name", ["forest", "autoencoder", "lstm", "ensemble"])
def test_scores_equal_those_of_the_model(folder, name):
    scores = score_table(folder / f"{name}.safetensors", folder / "rows.csv")
    model = sl.load(folder / f"{name}.safetensors")
    table = pd.read_csv(folder / "rows.csv")
    if name == "ensemble":
        expected = model.verdicts(table.assign(device="a"))
        np.testing.assert_array_equal(scores.score, expected.score)
        assert scores.verdict.tolist() == expected.verdict.tolist()
        assert scores.reasons == expected.reasons.tolist()
        assert scores.severity == expected.severity.tolist()
    else:
        np.testing.assert_allclose(scores.score, model.score_samples(table[NAMES]), rtol=1e-12)
        words = {1: "normal", -1: "anomaly", 0: "unknown"}
        assert scores.verdict.tolist() == [words[c] for c in model.predict(table[NAMES])]


def test_an_anomaly_has_reasons_and_the_summary_lists_it(folder):
    scores = score_table(folder / "forest.safetensors", folder / "rows.csv")
    assert scores.verdict[7] == "anomaly"
    assert scores.reasons[7].startswith("outlet (")
    assert not any(
        reason
        for reason, verdict in zip(scores.reasons, scores.verdict, strict=True)
        if verdict != "anomaly"
    )
    assert "2026-01-01 00:07  score -0." in str(scores)


def test_the_output_has_a_line_per_row_with_its_time(folder, tmp_path):
    scores = score_table(folder / "forest.safetensors", folder / "rows.csv")
    scores.write_csv(tmp_path / "scores.csv")
    lines = list(csv.DictReader((tmp_path / "scores.csv").read_text("utf-8").splitlines()))
    assert list(lines[0]) == ["time", "score", "verdict", "reasons"]
    assert [line["time"] for line in lines] == [f"2026-01-01 00:{i:02d}" for i in range(40)]
    np.testing.assert_allclose([float(line["score"]) for line in lines], scores.score, rtol=1e-8)
    assert lines[7]["verdict"] == "anomaly"


def test_a_row_with_a_missing_value_is_unknown(folder, tmp_path):
    (tmp_path / "rows.csv").write_text("flow,outlet,inlet\n0,0,0\n0,,0\nnan,0,0\n", "utf-8")
    scores = score_table(folder / "forest.safetensors", tmp_path / "rows.csv")
    assert scores.verdict.tolist()[1:] == ["unknown", "unknown"]
    assert scores.n_unknown == 2
    assert scores.to_dict()["n_unknown"] == 2
    assert scores.to_csv().splitlines()[2] == ",unknown,"


def test_each_device_is_a_series_of_its_own(folder, tmp_path):
    one = pd.read_csv(folder / "rows.csv")
    both = pd.concat([one.assign(device="a"), one.assign(device="b")]).sort_index()
    both.to_csv(tmp_path / "both.csv", index=False)
    model = folder / "lstm.safetensors"
    alone = score_table(model, folder / "rows.csv").score
    scores = score_table(model, tmp_path / "both.csv", device_column="device")
    for device in ("a", "b"):
        own = np.array(scores.rows.devices) == device
        np.testing.assert_array_equal(scores.score[own], alone)
    assert scores.to_csv().startswith("device,time,score,")


def test_a_model_without_names_takes_the_columns_in_their_order(folder, tmp_path):
    rows = pd.read_csv(folder / "rows.csv").drop(columns="remark")
    rows.to_csv(tmp_path / "rows.csv", index=False)
    model = folder / "without_names.safetensors"
    scores = score_table(model, tmp_path / "rows.csv")
    np.testing.assert_allclose(scores.score, sl.load(model).score_samples(rows[NAMES].to_numpy()))


def test_a_semicolon_separates_numbers_with_decimal_commas(folder, tmp_path):
    (tmp_path / "comma.csv").write_text("inlet;outlet;flow\n0,5;-1,25;2\n", "utf-8-sig")
    (tmp_path / "point.csv").write_text("inlet,outlet,flow\n0.5,-1.25,2\n", "utf-8")
    model = folder / "forest.safetensors"
    comma, point = (score_table(model, tmp_path / f"{name}.csv") for name in ("comma", "point"))
    np.testing.assert_array_equal(comma.score, point.score)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a CSV file"),
        ("inlet,outlet,flow\n", "expected lines below the header"),
        ("inlet,outlet\n1,2\n", "missing: flow"),
        ("inlet,outlet,flow\n1,2,3\n1,2,warm\n", "line 3, column 'flow': expected a number, got"),
        ("inlet,outlet,flow\n1,2,3\n1,2\n", "line 3: expected 3 fields, got 2"),
        ("inlet,outlet,flow,flow\n1,2,3,4\n", "expected one column 'flow', got several"),
        ("inlet,outlet,flow\n1,2,inf\n", "infinite|finite"),
    ],
)
def test_errors_name_what_is_wrong_with_a_table(folder, tmp_path, text, message):
    (tmp_path / "rows.csv").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=message):
        score_table(folder / "forest.safetensors", tmp_path / "rows.csv")


def test_errors_name_a_missing_time_column_and_too_many_columns(folder):
    with pytest.raises(ValueError, match="missing: when"):
        score_table(folder / "forest.safetensors", folder / "rows.csv", time_column="when")
    with pytest.raises(ValueError, match="'remark': expected a number"):
        score_table(folder / "without_names.safetensors", folder / "rows.csv")


def test_the_command_prints_csv_or_json_or_a_summary(folder, tmp_path, command):
    line = ("score", folder / "forest.safetensors", folder / "rows.csv")
    plain = command(*line)
    assert plain.returncode == 0
    assert plain.stdout.startswith("time,score,verdict,reasons\n2026-01-01 00:00,")
    assert plain.stderr.startswith("1 of 40 rows are anomalous")

    output = tmp_path / "scores.csv"
    summary = command(*line, "-o", output, "--fail-on-anomaly")
    assert (summary.returncode, summary.stderr) == (1, "")
    assert summary.stdout.startswith("1 of 40 rows are anomalous")
    assert output.read_text("utf-8") == plain.stdout

    document = json.loads(command(*line, "--json").stdout)
    assert document["anomalies"][0]["row"] == 7
    assert (document["n_rows"], document["n_anomalies"], document["n_unknown"]) == (40, 1, 0)


def test_bad_input_leaves_an_existing_output_as_it_is(folder, tmp_path, command):
    output = tmp_path / "scores.csv"
    output.write_text("yesterday's")
    (tmp_path / "rows.csv").write_text("inlet,outlet,flow\n1,2,3\n1,2,warm\n", "utf-8")
    result = command("score", folder / "forest.safetensors", tmp_path / "rows.csv", "-o", output)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("secondlook score: '")
    assert result.stderr.count("\n") == 1
    assert output.read_text() == "yesterday's"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rows.csv", "scores.csv"]
