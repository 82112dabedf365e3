"""Runs the fleet monitor like a user: program and notebook."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")


def run(checkout, *arguments):
    command = [sys.executable, checkout / "examples" / "fleet_monitor.py", *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def test_monitors_a_simulated_fleet_updates_its_model_and_reports(checkout, tmp_path):
    report = tmp_path / "fleet.html"
    result = run(checkout, "--days", 5, "--report", report)
    assert (result.returncode, result.stderr) == (0, "")
    out = result.stdout
    assert "a simulated fleet of ten packs" in out
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


def test_monitors_a_recorded_fleet(checkout, tmp_path, recorded):
    path, report = tmp_path / "fleet.csv", tmp_path / "fleet.html"
    recorded.to_csv(path, index=False)
    result = run(checkout, path, "--report", report)
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
def test_errors_describe_an_invalid_file(checkout, tmp_path, recorded, spoil, message):
    path = tmp_path / "fleet.csv"
    spoil(recorded).to_csv(path, index=False)
    result = run(checkout, path, "--report", tmp_path / "fleet.html")
    assert result.returncode == 2
    assert re.search(message, result.stderr), result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "fleet.html").exists()


def test_a_missing_file_is_reported(checkout, tmp_path):
    result = run(checkout, tmp_path / "none.csv")
    assert result.returncode == 2
    assert "none.csv" in result.stderr


@pytest.mark.slow
def test_the_notebook_runs(run_notebook):
    folder, outputs = run_notebook("fleet_monitor.ipynb")
    assert (folder / "fleet.safetensors").exists()
    assert any("image/png" in data for data in outputs)
