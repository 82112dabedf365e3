"""What `inspect` says of the model files of each kind, without torch."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import secondlook as sl
from secondlook import _core
from secondlook.jobs import inspect_model


@pytest.fixture
def fixtures(checkout) -> Path:
    return checkout / "tests" / "fixtures"


def with_rule(band: sl.SuspiciousBand) -> sl.IsolationForest:
    random = np.random.default_rng(0)
    forest = sl.IsolationForest(random_state=0).fit(random.normal(size=(200, 2)))
    y = np.arange(400) % 2
    forest.decision_rule_ = sl.DecisionRule(band, threshold={}, calibration="platt").fit(
        0.5 + 0.1 * random.normal(3.0 * y), y
    )
    return forest


@pytest.mark.parametrize(
    ("band", "guarantee"),
    [
        (
            sl.SuspiciousBand(0.1, 0.2, confidence=0.9),
            "at most 0.1 of the abnormal are decided negative and at most 0.2 of the normal are "
            "decided positive, with confidence 0.9",
        ),
        (sl.SuspiciousBand(), "at most 0.05 of the abnormal are decided negative and .* 0.05"),
        (sl.SuspiciousBand(max_referral_rate=0.1), "none: a budget, 0.1 of"),
        (
            sl.SuspiciousBand(costs=(10, 2, 1)),
            "none: lowest cost .miss 10, false alarm 2, referral 1",
        ),
        (sl.SuspiciousBand(thresholds=(0.4, 0.6)), "none: the thresholds were given"),
        (
            sl.SuspiciousBand(0.1, 0.1, guarantee="selective", threshold_grid=[0.5, 0.6]),
            "at most 0.1 of those decided negative are abnormal",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::secondlook.TooFewCasesWarning")
def test_the_guarantee_of_a_rule_is_stated_in_words(tmp_path, band, guarantee):
    forest = with_rule(band)
    forest.save(tmp_path / "model.safetensors")
    summary = inspect_model(tmp_path / "model.safetensors")
    assert summary.rule is not None
    assert re.match(guarantee, summary.rule["guarantee"])
    assert summary.rule["calibration"] == "platt"
    assert summary.rule["n_positives"] == 200
    assert not summary.rule["stale"]
    assert summary.rule["threshold"] == forest.decision_rule_.threshold_
    assert "guarantee " in str(summary)


def test_a_rule_is_stale_once_training_has_continued(tmp_path):
    forest = with_rule(sl.SuspiciousBand())
    forest.partial_fit(np.random.default_rng(1).normal(size=(5000, 2)))
    forest.save(tmp_path / "model.safetensors")
    summary = inspect_model(tmp_path / "model.safetensors")
    assert summary.rule is not None
    assert summary.rule["stale"]
    assert "STALE" in str(summary)


def test_features_offset_and_size(tmp_path):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["inlet", "flow"])
    forest = sl.IsolationForest(contamination=0.05, random_state=0).fit(table)
    file = tmp_path / "forest.safetensors"
    forest.save(file)
    summary = inspect_model(file)
    assert (summary.kind, summary.n_features) == ("isolation_forest", 2)
    assert summary.feature_names == ["inlet", "flow"]
    assert summary.offset == forest.offset_
    assert summary.size_bytes == file.stat().st_size
    assert (summary.format_version, summary.library_version) == (1, sl.__version__)
    assert "features    2: inlet, flow" in str(summary)
    document = summary.to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document


@pytest.mark.parametrize(
    "kind",
    ["autoencoder", "detector_ensemble", "isolation_forest", "lstm_forecaster", "image_classifier"],
)
def test_every_kind_of_file(fixtures, kind):
    summary = inspect_model(fixtures / f"{kind}_v1.safetensors")
    assert summary.kind == kind
    if kind == "image_classifier":
        assert summary.classes == ["even", "odd"]
        assert summary.network is not None
        assert summary.network["image_size"] == [4, 4]
    else:
        assert summary.n_features == 3
        assert summary.offset is not None


def test_the_version_of_an_incremental_learner(fixtures):
    summary = inspect_model(fixtures / "incremental_learner_v1.safetensors")
    assert summary.learner is not None
    assert (summary.learner["version"], summary.learner["n_updates"]) == (2, 2)
    assert summary.learner["time"].endswith(" UTC")


@pytest.mark.parametrize("kind", ["isolation_forest", "image_classifier"])
def test_torch_is_not_loaded(fixtures, kind):
    file = str(fixtures / f"{kind}_v1.safetensors")
    code = (
        "import sys\nfrom secondlook.cli import app\n"
        f"app(['inspect', {file!r}, '--json'], standalone_mode=False)\n"
        "assert 'torch' not in sys.modules, 'torch was loaded'\n"
        "assert 'secondlook._image' not in sys.modules\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["kind"] == kind


def test_a_damaged_file_ends_with_one_clear_line(tmp_path, command):
    sl.IsolationForest(random_state=0).fit(np.eye(20, 2)).save(tmp_path / "model.safetensors")
    content = bytearray((tmp_path / "model.safetensors").read_bytes())
    content[-5] ^= 1
    (tmp_path / "model.safetensors").write_bytes(content)
    result = command("inspect", tmp_path / "model.safetensors")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("secondlook inspect: ")
    assert "checksum" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_core_alone_knows_images(fixtures):
    """An image model can be inspected where secondlook was built without image support."""
    if _core.torch_version:
        pytest.skip("this build has image support")
    assert inspect_model(fixtures / "image_classifier_v1.safetensors").kind == "image_classifier"
