"""Runs the commissioning check of a site like a user, by the command."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from secondlook.jobs import check_simulated_site, check_site

pytest.importorskip("matplotlib")

PUBLISHED = {
    ("cluster 1", "voltage 052"),
    ("cluster 2", "voltage 104"),
    ("cluster 2", "voltage 148"),
    ("cluster 2", "voltage 237"),
    ("cluster 2", "temperature 009"),
    ("cluster 2", "temperature 059"),
    ("cluster 3", "voltage 024"),
    ("cluster 3", "voltage 228"),
}
ROW = re.compile(r"^ *(\d+)  (cluster \d+) +((?:voltage|temperature) \d{3}) +(.+)$", re.MULTILINE)


class Run:
    """One run of the command: its output, exit status and report."""

    def __init__(self, command, report: Path, *arguments: object) -> None:
        result = command("site", *arguments, "--report", report)
        self.code, self.out, self.errors = result.returncode, result.stdout, result.stderr
        self.report = report
        self.rows = [(cluster, sensor) for _, cluster, sensor, _ in ROW.findall(self.out)]
        self.reasons = {(cluster, sensor): why for _, cluster, sensor, why in ROW.findall(self.out)}
        self.notes = [line for line in self.out.splitlines() if line.startswith("note: ")]

    def assert_passed(self) -> None:
        assert (self.code, self.errors) == (0, "")
        assert_self_contained(self.report.read_text("utf-8"))


def assert_self_contained(page: str) -> None:
    assert page.startswith("<!DOCTYPE html>")
    assert "base64" in page
    without_pictures = re.sub(r'src="data:image/png;base64,[^"]+"', "", page)
    assert "src=" not in without_pictures
    assert "http" not in without_pictures
    assert "<script" not in without_pictures
    assert "<link" not in without_pictures
    assert not re.search(r"url\(|@import", without_pictures)
    targets = set(re.findall(r'href="#(\w+)"', page))
    assert targets <= set(re.findall(r'id="(\w+)"', page))


# --- the simulation


def test_without_a_folder_it_finds_the_faults_of_its_simulation(command, tmp_path):
    run = Run(command, tmp_path / "report.html", "--simulate")
    run.assert_passed()
    assert "SIMULATED" in run.out
    assert "Of 12 injected faults 12 were found, 0 missed; 0 sensors without a fault" in run.out
    assert len(run.rows) == 12
    assert "simulation" in run.report.read_text("utf-8")


@pytest.mark.slow
def test_several_simulated_sites_without_missed_faults_or_false_alarms():
    for seed in (101, 102, 103):
        check = check_simulated_site(seed)
        assert len(check.findings) == len(check.faults), f"seed {seed}"
        assert not check.missed, f"seed {seed}"
        assert not check.false_alarms, f"seed {seed}"


def test_the_margin_of_the_limit_is_as_documented(checkout):
    command = [sys.executable, str(checkout / "benchmarks" / "site_check.py")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout in (checkout / "docs" / "energy_storage.md").read_text("utf-8")


# --- the published site


def test_names_the_published_sensors_and_at_most_one_other(command, real_data, tmp_path):
    run = Run(command, tmp_path / "report.html", real_data / "ess" / "Test_data")
    run.assert_passed()
    named = set(run.rows)
    assert named >= PUBLISHED
    assert len(named - PUBLISHED) <= 1
    assert len(run.rows) == len(named)
    for kind_of_reason in ("below its peers", "above its peers"):
        assert any(kind_of_reason in why for why in run.reasons.values())
    assert "note: cluster 2, temperature: no readings from 06-11 03:00 to 06-11 04:00" in run.notes


def test_names_only_the_one_anomaly_of_another_day(command, real_data, tmp_path):
    shutil.copytree(real_data / "ess" / "explore" / "cluster 1", tmp_path / "site" / "cluster 1")
    run = Run(command, tmp_path / "report.html", tmp_path / "site")
    run.assert_passed()
    assert run.rows == [("cluster 1", "voltage 052")]


# --- imperfect exports


N_CELLS, N_THERMOMETERS, N_ROWS = 30, 24, 120
KINDS = {"voltage": "vol1", "temperature": "temp1", "total state": "state1"}


def write_hour(folder: Path, kind: str, hour: int, columns: list[str], values) -> None:
    """Write one hour of an export, with a row every 30 s."""
    lines = [",".join(f'"{name}"' for name in ("MCGS_TIME", "MCGS_TIMEMS", *columns))]
    for i, row in enumerate(values):
        time = f"2021/06/10 {hour:02d}:{i // 2:02d}:{i % 2 * 30 + 3:02d},125"
        lines.append(",".join([time, *("" if np.isnan(v) else f"{v:.6f}" for v in row)]))
    (folder / kind).mkdir(parents=True, exist_ok=True)
    name = f"{KINDS[kind]} 20210610 {hour}.csv"
    (folder / kind / name).write_text("\r\n".join(lines) + "\r\n", "utf-8")


def write_cluster(folder: Path, hours=(20, 21), dead_cell=None, weak_cell=None) -> None:
    """Write a small cluster's exports: it discharges in the second half of each hour."""
    random = np.random.default_rng(0)
    for hour in hours:
        current = np.where(np.arange(N_ROWS) < N_ROWS // 2, 0, 1100)[:, None]
        voltage = np.round(3300 - current / 20 + random.normal(0, 1, (N_ROWS, N_CELLS)))
        if dead_cell is not None:
            voltage[:, dead_cell - 1] = np.nan
        if weak_cell is not None:
            voltage[:, weak_cell - 1] -= current[:, 0] / 20
        temperature = np.round(240 + random.normal(0, 3, (N_ROWS, N_THERMOMETERS)))
        cells = [f"Cluster_1_CellVoltage_{i + 1:03d}" for i in range(N_CELLS)]
        thermometers = [f"Cluster_1_Temperature_{i + 1:03d}" for i in range(N_THERMOMETERS)]
        write_hour(folder, "voltage", hour, cells, voltage)
        write_hour(folder, "temperature", hour, thermometers, temperature)
        state = np.hstack([np.full_like(current, 7815), current])
        write_hour(folder, "total state", hour, ["Cluster1_Voltage", "Cluster1_Current"], state)


def test_the_function_returns_what_the_command_prints(tmp_path):
    write_cluster(tmp_path / "cluster 1", hours=(20,), weak_cell=9)
    check = check_site(tmp_path)
    assert [(f.cluster, f.name) for f in check.findings] == [("cluster 1", "voltage 009")]
    assert check.n_sensors == N_CELLS + N_THERMOMETERS
    document = check.to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["findings"][0]["sensor"] == "voltage 009"
    assert document["clusters"][0]["begin"] == "2021-06-10T20:00:00.000000000"


def test_an_anomaly_fails_only_on_request_and_json_is_all_of_stdout(command, tmp_path):
    write_cluster(tmp_path / "site" / "cluster 1", hours=(20,), weak_cell=9)
    options = ("site", tmp_path / "site", "-o", tmp_path / "report.html", "--json")
    found = command(*options)
    assert (found.returncode, found.stderr) == (0, "")
    assert command(*options, "--fail-on-anomaly").returncode == 1
    document = json.loads(found.stdout)
    assert document["command"] == "site"
    assert document["report"] == str(tmp_path / "report.html")
    assert [finding["number"] for finding in document["findings"]] == [9]

    write_cluster(tmp_path / "sound" / "cluster 1", hours=(20,))
    sound = command("site", tmp_path / "sound", "-o", tmp_path / "r.html", "--fail-on-anomaly")
    assert (sound.returncode, sound.stderr) == (0, "")


def test_without_matplotlib_the_report_has_no_pictures(command, tmp_path):
    write_cluster(tmp_path / "site" / "cluster 1", hours=(20,), weak_cell=9)
    absent = tmp_path / "absent"
    absent.mkdir()
    # A finder before all others that finds no matplotlib.
    (absent / "sitecustomize.py").write_text(
        "import importlib.util, sys\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: "
        "None if name == 'matplotlib' else found(name, *more)\n"
        "sys.modules['matplotlib'] = None\n"
    )
    environment = dict(os.environ)
    paths = [str(absent), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    report = tmp_path / "report.html"
    run = command("site", tmp_path / "site", "-o", report, env=environment)
    assert run.returncode == 0
    assert "voltage 009" in run.stdout
    assert "secondlook[plot]" in run.stderr
    assert run.stderr.count("\n") == 1
    assert "<img" not in report.read_text("utf-8")
    assert "voltage 009" in report.read_text("utf-8")


def test_notes_a_missing_hour_and_examines_the_others(command, tmp_path):
    write_cluster(tmp_path / "cluster 1", hours=(20, 22), weak_cell=9)
    write_cluster(tmp_path / "cluster 2", hours=(20, 21, 22))
    (tmp_path / "cluster 2" / "temperature" / "temp1 20210610 21.csv").unlink()
    run = Run(command, tmp_path / "report.html", tmp_path)
    run.assert_passed()
    assert run.rows == [("cluster 1", "voltage 009")]
    gap = "no readings from 06-10 21:00 to 06-10 22:00"
    assert run.notes == [
        f"note: cluster 1, voltage: {gap}",
        f"note: cluster 1, temperature: {gap}",
        f"note: cluster 1, total state: {gap}",
        f"note: cluster 2, temperature: {gap}",
    ]
    assert run.report.read_text("utf-8").count(gap) == 4


def test_names_a_dead_sensor_and_notes_a_silent_one_and_a_malformed_field(command, tmp_path):
    write_cluster(tmp_path / "cluster 1", dead_cell=7)
    file = tmp_path / "cluster 1" / "voltage" / "vol1 20210610 21.csv"
    lines = file.read_text("utf-8").splitlines()
    fields = lines[5].split(",")
    fields[4] = "32#7"
    lines[5] = ",".join(fields)
    lines[11:31] = [
        ",".join([*line.split(",")[:3], "", *line.split(",")[4:]]) for line in lines[11:31]
    ]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    run = Run(command, tmp_path / "report.html", tmp_path)
    run.assert_passed()
    assert run.rows == [("cluster 1", "voltage 007")]
    assert "dead sensor" in run.reasons["cluster 1", "voltage 007"]
    (silent, malformed) = run.notes
    assert silent.endswith("Cluster_1_CellVoltage_002 has no readings for 10 min while others do")
    assert f"1 malformed fields are taken as missing, first '{file}', line 6, field 5" in malformed
    assert "32#7" in malformed


def test_all_sensors_of_a_kind_are_dead(command, tmp_path):
    write_cluster(tmp_path / "cluster 1", hours=(20,))
    columns = [f"Temperature_{i}" for i in range(1, 5)]
    write_hour(tmp_path / "cluster 1", "temperature", 20, columns, np.full((N_ROWS, 4), np.nan))
    run = Run(command, tmp_path / "report.html", tmp_path)
    run.assert_passed()
    assert run.rows == [("cluster 1", f"temperature {i:03d}") for i in range(1, 5)]


# --- invalid sites


def remove(kind):
    return lambda site: shutil.rmtree(site / "cluster 1" / kind)


def replace(kind, columns, n_rows=N_ROWS):
    values = np.ones((n_rows, len(columns)))
    return lambda site: write_hour(site / "cluster 1", kind, 20, columns, values)


def empty(site):
    shutil.rmtree(site)
    site.mkdir()


def no_folder(site):
    shutil.rmtree(site)
    site.write_text("not a folder")


def a_clock_that_lost_its_battery(site):
    for file in (site / "cluster 1" / "voltage").iterdir():
        file.write_text(file.read_text("utf-8").replace("2021/06/10 20:00", "1970/01/01 00:00"))


def header_alone(site):
    for file in (site / "cluster 1" / "voltage").iterdir():
        file.write_text(file.read_text("utf-8").splitlines()[0] + "\n")


def no_milliseconds(site):
    for file in (site / "cluster 1" / "voltage").iterdir():
        file.write_text(file.read_text("utf-8").replace("MCGS_TIMEMS", "Other"))


def bytes_of_something_else(site):
    for file in (site / "cluster 1" / "voltage").iterdir():
        file.write_bytes(bytes(range(256)) * 10)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (empty, "expected folders of clusters in"),
        (no_folder, "expected a folder, got"),
        (remove("total state"), r"expected CSV files in '.+total state', found none"),
        (remove("voltage"), r"expected CSV files in '.+voltage', found none"),
        (replace("total state", ["Voltage", "SOC"]), "cluster 1, total state: .+Current, got"),
        (replace("total state", ["A_Current", "B_Current"]), "expected one column .+Current, got"),
        (replace("voltage", ["V1", "V2"]), "cluster 1, voltage: expected three numbered columns"),
        (replace("temperature", ["T1", "T2", "Room"]), "temperature: expected three numbered"),
        (a_clock_that_lost_its_battery, "expected at most 31 days, got 1970-01-01 00:00 to 2021"),
        (header_alone, "expected readings in .+voltage', got none"),
        (no_milliseconds, "MCGS_TIMEMS"),
        (bytes_of_something_else, "vol1 20210610 20.csv"),
    ],
)
def test_an_invalid_site_ends_with_one_clear_line(command, tmp_path, spoil, message):
    site = tmp_path / "site"
    write_cluster(site / "cluster 1", hours=(20,))
    spoil(site)
    run = Run(command, tmp_path / "report.html", site)
    assert (run.code, run.out) == (2, "")
    assert re.match(f"secondlook site: .*{message}", run.errors)
    assert run.errors.count("\n") == 1
    assert "Traceback" not in run.errors
    assert not run.report.exists()


def test_a_report_that_cannot_be_written(command, tmp_path):
    write_cluster(tmp_path / "cluster 1", hours=(20,))
    run = Run(command, tmp_path / "absent" / "report.html", tmp_path)
    assert (run.code, run.out) == (2, "")
    assert run.errors.startswith("secondlook site: --report: expected an existing folder for ")
    assert run.errors.count("\n") == 1
