"""Runs the job on infrared modules like a user, on its synthetic set with fewer modules."""

import os
import re
from importlib.util import find_spec

import numpy as np
import pytest

import secondlook as sl
from secondlook import _core

pytestmark = pytest.mark.skipif(
    not (_core.torch_version and find_spec("torch")), reason="needs image support and torch"
)


@pytest.mark.slow
def test_prints_its_tables_and_writes_the_model(command, tmp_path):
    options = ("--out", tmp_path, "--images", 1200, "--epochs", 6)
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    result = command("modules", "--simulate", *options, env=environment)
    assert result.returncode == 0, result.stderr
    assert "A synthetic set of 1200 modules" in result.stdout
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


def test_the_error_for_a_folder_without_metadata_states_what_was_expected(command, tmp_path):
    result = command("modules", tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("secondlook modules: expected ")
    assert "module_metadata.json', which lists images and their classes" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_error_for_other_metadata_names_the_file(command, tmp_path):
    (tmp_path / "module_metadata.json").write_text('{"1": {"image": "a.jpg"}}')
    result = command("modules", tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "expected an object of modules with image_filepath and anomaly_class" in result.stderr
