"""Runs the infrared example like a user, on its synthetic set with fewer modules."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import secondlook as sl
from secondlook import _core

pytestmark = pytest.mark.skipif(
    not _core.torch_version, reason="secondlook was built without image support"
)


@pytest.mark.slow
def test_prints_its_tables_and_writes_the_model(checkout, tmp_path):
    command = [sys.executable, checkout / "examples" / "infrared_modules.py", "--out", tmp_path]
    result = subprocess.run(
        [*command, "--images", "1200", "--epochs", "6"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert result.returncode == 0, result.stderr
    assert "a synthetic set of 1200 modules" in result.stdout
    accuracy = re.search(r"accuracy over 6 classes: ([\d.]+)%", result.stdout)
    assert float(accuracy[1]) > 70  # half of the modules are intact
    for step in ("| Diode | ", "| boundary tuned to", "| band, 3 % missed, 5 % false alarms | "):
        assert step in result.stdout
    model = sl.load(tmp_path / "infrared_modules_1.safetensors")
    assert "No-Anomaly" in model.classes_
    assert not model.decision_rule_.stale_
    noise = np.random.default_rng(0).integers(0, 256, size=(20, 40, 24), dtype=np.uint8)
    assert (
        model.decide(noise, normal="No-Anomaly", test_time_augmentation=("flip", "vertical_flip"))
        == "refer"
    ).all()


def test_the_error_for_a_folder_without_metadata_states_what_was_expected(checkout, tmp_path):
    result = subprocess.run(
        [sys.executable, checkout / "examples" / "infrared_modules.py", tmp_path],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "module_metadata.json, which lists images and their classes" in result.stderr


@pytest.mark.slow
def test_the_notebook_runs(run_notebook):
    folder, outputs = run_notebook("infrared_modules.ipynb")
    rule = sl.load(folder / "infrared_modules.safetensors").decision_rule_
    assert not rule.stale_
    assert rule.feature_distance_ is not None
    assert sum("image/png" in data for data in outputs) == 3
