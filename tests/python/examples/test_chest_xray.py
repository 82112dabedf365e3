"""Runs the X-ray example like a user, on its synthetic set with fewer patients."""

import os
import subprocess
import sys

import numpy as np
import pytest

import secondlook as sl
from secondlook import _core

pytestmark = pytest.mark.skipif(
    not _core.torch_version, reason="secondlook was built without image support"
)


@pytest.fixture(scope="module")
def run(checkout, tmp_path_factory):
    out = tmp_path_factory.mktemp("xray")
    command = [sys.executable, checkout / "examples" / "chest_xray.py", "--out", out]
    result = subprocess.run(
        [*command, "--patients", "450", "--epochs", "5", "--networks", "2"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert result.returncode == 0, result.stderr
    return out, result.stdout


def rows(text):
    return {
        cells[0]: cells[1:]
        for line in text.splitlines()
        if line.startswith("| ")
        for cells in [[cell.strip() for cell in line.strip("|").split(" | ")]]
    }


@pytest.mark.slow
def test_states_that_the_data_is_synthetic_and_prints_every_step(run):
    text = run[1]
    assert "a synthetic set of 450 patients" in text
    table = rows(text)
    for step in ("baseline, fully connected", "small CNN, contrast clahe", "averaged"):
        assert step in table
        assert f"{step}, another scanner" in table
    assert {"band that refers 6 %", "band fitted there, 5 % of either error"} <= table.keys()
    accuracy = float(table["small CNN, contrast stretch"][1].partition("%")[0])
    assert accuracy > 85  # half of the images are abnormal


@pytest.mark.slow
def test_writes_the_networks_with_their_rules_and_a_picture(run):
    out = run[0]
    for number, contrast in ((1, "stretch"), (2, "clahe")):
        model = sl.load(out / f"chest_xray_{number}.safetensors")
        assert (model.architecture, model.contrast) == ("small_cnn", contrast)
        rule = model.decision_rule_
        assert not rule.stale_
        assert rule.threshold_ is not None
        score = np.linspace(0, 1, 9)
        seen = np.zeros(9, dtype=bool)
        assert set(rule.decide(score, seen)) <= {"negative", "refer", "positive"}
        random = np.random.default_rng(0)
        noise = [random.integers(0, 256, (80, 80), dtype=np.uint8) for _ in score]
        assert set(rule.decide(score, features=model.features(noise))) == {"refer"}
    assert (out / "chest_xray.png").stat().st_size > 10_000


def test_the_error_for_a_folder_without_xrays_states_what_was_expected(checkout, tmp_path):
    result = subprocess.run(
        [sys.executable, checkout / "examples" / "chest_xray.py", tmp_path],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "expected X-rays in" in result.stderr


@pytest.mark.slow
def test_the_notebook_runs(run_notebook):
    folder, outputs = run_notebook("chest_xray.ipynb")
    rule = sl.load(folder / "chest_xray.safetensors").decision_rule_
    assert not rule.stale_
    assert sum("image/png" in data for data in outputs) == 4
