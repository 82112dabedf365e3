"""Runs the X-ray job like a user, on its synthetic set with fewer patients."""

import json
import os
import re
from importlib.util import find_spec

import numpy as np
import pytest

import secondlook as sl
from secondlook import _core
from secondlook.jobs.chest_xray import XrayOptions, train_chest_xray

pytestmark = pytest.mark.skipif(
    not (_core.torch_version and find_spec("torch")), reason="needs image support and torch"
)


@pytest.fixture(scope="module")
def run(command, tmp_path_factory):
    out = tmp_path_factory.mktemp("xray")
    options = ("--patients", 450, "--epochs", 5, "--networks", 2, "--json")
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    result = command("chest-xray", "--simulate", "--out", out, *options, env=environment)
    assert result.returncode == 0, result.stderr
    return out, result.stderr, json.loads(result.stdout)


def rows(text):
    return {
        cells[0]: cells[1:]
        for line in text.splitlines()
        if line.startswith("| ")
        for cells in [[cell.strip() for cell in line.strip("|").split(" | ")]]
    }


@pytest.mark.slow
def test_states_that_the_data_is_synthetic_and_prints_every_step(run):
    text = run[1].lower()
    assert "a synthetic set of 450 patients" in text
    table = rows(run[1])
    assert list(table)[2:] == [row["name"] for row in run[2]["rows"]]
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


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "expected X-rays in .*NORMAL"),
        (["NORMAL/a.png"], "expected X-rays in .*PNEUMONIA"),
        (["NORMAL/a.png", "PNEUMONIA/b.png"], "at least 6 patients in NORMAL, got 1"),
    ],
)
def test_an_invalid_folder_ends_with_one_clear_line(command, tmp_path, files, message):
    for file in files:
        path = tmp_path / "images" / file
        path.parent.mkdir(parents=True)
        path.touch()
    (tmp_path / "images").mkdir(exist_ok=True)
    out = tmp_path / "out"
    result = command("chest-xray", tmp_path / "images", "--out", out)
    assert (result.returncode, result.stdout) == (2, "")
    assert re.match(f"secondlook chest-xray: .*{message}", result.stderr)
    assert result.stderr.count("\n") == 1
    assert not out.exists()


def test_too_few_patients_for_the_guard_are_refused_before_training(tmp_path):
    announced = []
    with pytest.raises(ValueError, match="at least 99 samples held out"):
        train_chest_xray(None, tmp_path, XrayOptions(n_patients=200), announce=announced.append)
    assert len(announced) == 1  # what the data are, and no figure
