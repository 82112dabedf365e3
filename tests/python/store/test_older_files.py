"""Model files of older format versions remain readable: see tests/fixtures/README.md."""

import json
import shutil
import struct

import numpy as np
import pytest

import secondlook as sl
from secondlook.store import ModelFile
from secondlook.store.load import _HOMES

KINDS = {
    "autoencoder": sl.Autoencoder,
    "detector_ensemble": sl.DetectorEnsemble,
    "isolation_forest": sl.IsolationForest,
    "lstm_forecaster": sl.LSTMForecaster,
}


@pytest.fixture
def folder(checkout):
    return checkout / "tests" / "fixtures"


@pytest.fixture
def version_1(folder):
    return folder / "isolation_forest_v1.safetensors"


@pytest.mark.parametrize("kind", KINDS)
def test_the_fixture_is_of_the_version_that_its_name_says(folder, kind):
    raw = (folder / f"{kind}_v1.safetensors").read_bytes()
    header = json.loads(raw[8 : 8 + struct.unpack("<Q", raw[:8])[0]])
    document = json.loads(header["__metadata__"]["secondlook"])
    assert (document["kind"], document["format_version"]) == (kind, 1)


def test_every_kind_has_a_fixture(folder):
    own = {kind for kind, home in _HOMES.items() if home.startswith("secondlook:")}
    in_the_image_room = {"image_classifier"}  # its fixture is loaded in tests/python/image
    assert {*KINDS, *in_the_image_room} == own
    assert {path.name for path in folder.glob("*_v1.safetensors")} == {
        f"{kind}_v1.safetensors" for kind in {*own, "decision_rule", "incremental_learner"}
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_version_1_scores_as_it_did_when_it_was_written(folder, kind):
    path = folder / f"{kind}_v1.safetensors"
    tensors = ModelFile.read(path).tensors
    model = sl.load(path)
    assert isinstance(model, KINDS[kind])
    scores = model.score_samples(tensors["rows"])
    if kind == "isolation_forest":
        np.testing.assert_array_equal(scores, tensors["expected_scores"], strict=True)
    else:  # networks may differ in the last bits between instruction sets
        np.testing.assert_allclose(scores, tensors["expected_scores"], rtol=1e-5, atol=1e-5)


def test_the_same_seed_gives_the_scores_that_it_gives_in_cpp(version_1):
    # tests/cpp/detect/model_file_fixture_test.cpp fits on the same rows and expects the same bits.
    tensors = ModelFile.read(version_1).tensors
    forest = sl.IsolationForest(5, 16, contamination=0.125, random_state=7)
    forest.fit(tensors["training_rows"])
    np.testing.assert_array_equal(
        forest.score_samples(tensors["rows"]), tensors["expected_scores"], strict=True
    )
    assert forest.offset_ == sl.load(version_1).offset_


def test_a_learner_of_version_1_goes_on_from_where_it_was(folder, tmp_path):
    fixture = folder / "incremental_learner_v1.safetensors"
    tensors = ModelFile.read(fixture).tensors
    shutil.copy(fixture, tmp_path / "version-000002.safetensors")
    learner = sl.IncrementalLearner.open(tmp_path)
    assert learner.version_ == 2
    assert learner.history_["outcome"].tolist() == ["accepted"]
    np.testing.assert_array_equal(
        learner.score_samples(tensors["rows"]), tensors["expected_scores"], strict=True
    )
    learner.update(np.random.default_rng(2).normal(size=(48, 3)))
    assert len(learner.reports_) == 2


def test_a_rule_of_version_1_decides_as_it_did_when_it_was_written(folder):
    path = folder / "decision_rule_v1.safetensors"
    tensors = ModelFile.read(path).tensors
    forest = sl.load(path)
    rule, score = forest.decision_rule_, forest.anomaly_score(tensors["rows"])
    np.testing.assert_allclose(rule.probability(score), tensors["expected_probabilities"])
    with pytest.warns(sl.StaleDecisionWarning):
        decisions = rule.decide(score, features=tensors["rows"])
    words = np.array(["negative", "refer", "positive"])
    np.testing.assert_array_equal(decisions, words[tensors["expected_decisions"]])
