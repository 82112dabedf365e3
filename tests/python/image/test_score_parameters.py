"""How the scores of a decision rule were computed is kept with it, and used again."""

import json
import pickle

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")
import secondlook as sl
from secondlook.store import ModelFile

CLASSES = np.array(["cold", "hot", "sound"])
AS_FITTED = {"normal": "sound", "test_time_augmentation": ("flip",)}
pytestmark = pytest.mark.filterwarnings("ignore::secondlook.DriftWarning")


def modules(n, seed):
    random = np.random.default_rng(seed)
    labels = CLASSES[np.arange(n) % 3]
    images = random.integers(60, 160, size=(n, 16, 16), dtype=np.uint8)
    images[labels == "hot", 2:8, 1:7] += 90
    images[labels == "cold", 2:8, 1:7] -= 50
    return images, labels


@pytest.fixture(scope="module")
def model():
    network = sl.ImageClassifier(
        "small_cnn", image_size=16, max_epochs=2, batch_size=16, random_state=0, n_jobs=1
    )
    return network.fit(*modules(60, 0), groups=range(60))


def rule_of(model, parameters):
    images, labels = modules(60, 1)
    rule = sl.DecisionRule(sl.SuspiciousBand(max_referral_rate=0.2), score_parameters=parameters)
    return rule.fit(model.anomaly_score(images, **(parameters or AS_FITTED)), labels != "sound")


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    model.decision_rule_ = rule_of(model, AS_FITTED)
    path = tmp_path_factory.mktemp("rule") / "modules.safetensors"
    model.save(path)
    del model.decision_rule_
    return path


def test_a_model_decides_by_the_score_that_its_rule_was_fitted_on(file):
    model, images = sl.load(file), modules(30, 2)[0]
    score = model.anomaly_score(images, **AS_FITTED)
    expected = model.decision_rule_.decide(score)
    np.testing.assert_array_equal(model.decide(images), expected)
    np.testing.assert_array_equal(model.decide(images, **AS_FITTED), expected)
    np.testing.assert_array_equal(
        model.decide(images, normal="sound", test_time_augmentation="flip"), expected
    )
    assert (score != model.anomaly_score(images, normal="sound")).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"normal": "hot"},
            "expected normal='sound', as when decision_rule_ was fitted, got 'hot'",
        ),
        (
            {"test_time_augmentation": ["shift"]},
            r"expected test_time_augmentation=\['flip'\], as .*, got \['shift'\]; leave it out",
        ),
        ({"test_time_augmentation": ()}, r"expected test_time_augmentation=\['flip'\]"),
        ({"normal": "dirty"}, r"expected normal as one of \['cold', 'hot', 'sound'\], got 'dirty'"),
    ],
)
def test_other_arguments_are_refused(file, arguments, message):
    with pytest.raises(ValueError, match=f"^ImageClassifier.decide: {message}"):
        sl.load(file).decide(modules(3, 2)[0], **arguments)


def test_copies_files_and_further_training_keep_them(file, tmp_path):
    loaded = sl.load(file)
    stored = {"normal": "sound", "test_time_augmentation": ["flip"]}
    assert loaded.decision_rule_.score_parameters == stored
    assert pickle.loads(pickle.dumps(loaded)).decision_rule_.score_parameters == stored
    loaded.save(tmp_path / "again.safetensors")
    assert sl.load(tmp_path / "again.safetensors").decision_rule_.score_parameters == stored
    images, labels = modules(400, 3)
    learner = sl.IncrementalLearner(loaded, images, y=labels, random_state=0)
    assert learner.detector_.decision_rule_.score_parameters == stored


def test_a_rule_without_them_decides_as_the_arguments_say(model):
    model.decision_rule_ = rule_of(model, None)
    assert "score_parameters" not in model._to_model_file().sections
    images = modules(30, 2)[0]
    for variations in (None, "flip"):
        options = {"normal": "sound", "test_time_augmentation": variations}
        expected = model.decision_rule_.decide(model.anomaly_score(images, **options))
        np.testing.assert_array_equal(model.decide(images, **options), expected)
    with pytest.raises(ValueError, match="expected normal as one of"):
        model.decide(images)
    del model.decision_rule_


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"normal": "dirty"}, "expected normal as one of"),
        ({"test_time_augmentation": "flip"}, "expected normal as one of"),
        ({"normal": "sound", "test_time_augmentation": "spin"}, "test_time_augmentation: expected"),
        ({"abnormal": "hot"}, "expected score_parameters among .*, got 'abnormal'"),
    ],
)
def test_a_model_refuses_a_rule_for_another_score(model, parameters, message):
    rule = rule_of(model, AS_FITTED)
    rule.score_parameters = parameters
    with pytest.raises(ValueError, match=f"^ImageClassifier.decision_rule_: {message}"):
        model.decision_rule_ = rule


@pytest.mark.parametrize("section", ["[]", '{"normal": "dirty"}', '{"abnormal": "hot"}', "3"])
def test_a_file_with_a_wrong_section_is_an_error(file, tmp_path, section):
    damaged = ModelFile.read(file)
    damaged.set_section("score_parameters", section)
    damaged.write(tmp_path / "damaged.safetensors")
    with pytest.raises(sl.ModelFileError, match="score_parameters|normal as one of"):
        sl.load(tmp_path / "damaged.safetensors")


def test_a_detector_of_rows_has_one_score():
    forest = sl.IsolationForest(random_state=0).fit(np.eye(20, 2))
    rule = sl.DecisionRule(sl.SuspiciousBand.at(0.4, 0.5), score_parameters={"normal": 0})
    rule.fit(np.arange(4.0), [0, 1, 0, 1])
    with pytest.raises(
        ValueError, match=r"IsolationForest.decision_rule_: expected a rule without"
    ):
        forest.decision_rule_ = rule
    with pytest.raises(ValueError, match="DecisionRule.fit: expected score_parameters as a dict"):
        sl.DecisionRule(score_parameters="flip").fit(np.arange(4.0), [0, 1, 0, 1])


def test_inspect_shows_them(file):
    assert sl.jobs.inspect_model(file).rule["score_parameters"] == {
        "normal": "sound",
        "test_time_augmentation": ["flip"],
    }
    assert "score       normal=sound, test_time_augmentation=flip" in str(
        sl.jobs.inspect_model(file)
    )
    assert json.loads(ModelFile.read(file).section("score_parameters"))["normal"] == "sound"
