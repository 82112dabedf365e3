"""Runs the fleet monitor like a user, by the command."""

import json
import re

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")


def test_monitors_a_simulated_fleet_updates_its_model_and_reports(command, tmp_path):
    report = tmp_path / "fleet.html"
    result = command("fleet", "--simulate", "--days", 5, "--report", report)
    assert (result.returncode, result.stderr) == (0, "")
    out = result.stdout
    assert "a SIMULATED fleet of ten packs" in out
    assert len(re.findall(r"^\d\d-\d\d 00:00  night    (accepted|rolled_back)", out, re.M)) == 4
    assert re.search(r"^\d\d-\d\d \d\d:\d\d  (medium|high|critical) +pack \d\d: \w+", out, re.M)
    found, shown = map(int, re.search(r"(\d+) of (\d+) faults found", out).groups())
    assert shown >= 3
    assert found >= 0.5 * shown
    page = report.read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "src=" not in re.sub(r'src="data:image/png;base64,[^"]+"', "", page)
    for heading in ("Severity by device", "Score timelines", "Alerts", "Nightly updates"):
        assert heading in page
    assert page.count("<img") >= 2


@pytest.fixture(scope="module")
def recorded():
    random = np.random.default_rng(0)
    tables = []
    for device in ("a", "b<script>"):
        n = 16 * 72
        current = 50 * np.sin(np.arange(n) / 72 * 2 * np.pi) + random.normal(0, 1, n)
        tables.append(
            pd.DataFrame(
                {
                    "device": device,
                    "time": pd.date_range("2026-03-01", periods=n, freq="20min"),
                    "voltage": 3.3 + 4e-4 * current + random.normal(0, 1e-3, n),
                    "current": current,
                    "temperature": 25 + 0.04 * np.abs(current) + random.normal(0, 0.1, n),
                }
            )
        )
    table = pd.concat(tables)
    table.iloc[1050:1060, 4] += 40
    table.iloc[1080, 2] = np.nan
    return table


def test_monitors_a_recorded_fleet(command, tmp_path, recorded):
    path, report = tmp_path / "fleet.csv", tmp_path / "fleet.html"
    recorded.to_csv(path, index=False)
    result = command("fleet", path, "--report", report)
    assert (result.returncode, result.stderr) == (0, "")
    assert "simulat" not in result.stdout
    assert re.search(
        r"critical a: .*temperature [\d.]+ above 55 \(derating begins\)", result.stdout
    )
    assert "<script>" not in report.read_text("utf-8")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda table: table.drop(columns="current"), r"none named \['current'\]"),
        (lambda table: table[:0], "expected samples, got none"),
        (lambda table: table[:100], "expected more than 14 days"),
        (lambda table: table.assign(time="yesterday-ish"), "yesterday-ish"),
        (lambda table: pd.concat([table, table[-1:]]), "expected a time after"),
        (lambda table: table.assign(voltage="high"), "voltage"),
    ],
)
def test_errors_describe_an_invalid_file(command, tmp_path, recorded, spoil, message):
    path = tmp_path / "fleet.csv"
    spoil(recorded).to_csv(path, index=False)
    result = command("fleet", path, "--report", tmp_path / "fleet.html")
    assert result.returncode == 2
    assert re.search(message, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("secondlook fleet: ")
    assert not (tmp_path / "fleet.html").exists()


def test_a_missing_file_is_reported(command, tmp_path):
    result = command("fleet", tmp_path / "none.csv")
    assert result.returncode == 2
    assert "none.csv" in result.stderr


def test_json_is_all_of_stdout(command, tmp_path, recorded):
    path = tmp_path / "fleet.csv"
    recorded.to_csv(path, index=False)
    result = command(
        "fleet", path, "--report", tmp_path / "fleet.html", "--json", "--fail-on-anomaly"
    )
    assert (result.returncode, result.stderr) == (1, "")
    document = json.loads(result.stdout)
    assert document["n_samples"] < len(recorded)
    assert document["alerts"][0]["device"] in ("a", "b")
    assert document["nights"]
