"""Training on a folder per class, and decisions on a folder, like a user."""

import csv
import json
import re
import shutil
from importlib.util import find_spec

import numpy as np
import pytest

import secondlook as sl
from secondlook import _core
from secondlook.jobs import TrainOptions, decide_folder, train_folder

pytestmark = pytest.mark.skipif(
    not (_core.torch_version and find_spec("torch")), reason="needs image support and torch"
)
Image = pytest.importorskip("PIL.Image")


def write_images(folder, n, hot, seed):
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for i in range(n):
        pixels = random.integers(0, 100, (20, 20), dtype=np.uint8)
        if hot:
            pixels[4:11, 4:11] += 120
        Image.fromarray(pixels).save(folder / f"module{i // 2:02d}_{i:02d}.png")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images") / "classes"
    write_images(folder / "good", 30, hot=False, seed=0)
    write_images(folder / "hot", 30, hot=True, seed=1)
    return folder


@pytest.fixture(scope="module")
def model(images, tmp_path_factory):
    """Return a small network with a rule that decides, refers and tests the features."""
    files, labels, _ = sl.image.load_folder(images)
    network = sl.ImageClassifier("small_cnn", image_size=16, max_epochs=4, random_state=0)
    network.fit(files, labels, groups=range(len(files)))
    guard = sl.FeatureDistance(false_alarm_rate=0.1, random_state=0)
    guard.fit(network.features(files), labels)
    score = network.anomaly_score(files)
    network.decision_rule_ = sl.DecisionRule(
        sl.SuspiciousBand(max_referral_rate=0.1), calibration="platt", feature_distance=guard
    ).fit(score, (labels == "hot").astype(int))
    file = tmp_path_factory.mktemp("model") / "model.safetensors"
    network.save(file)
    return file


# --- a folder per class


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({}, "expected image files in .*classes, got none"),
        ({"good": 3}, r"expected a folder per class in .*, at least two, got \['good'\]"),
        ({"good": 3, "hot": 1}, "at least 2 images per class.*; got 1 in 'hot': add images"),
        ({"good": 3, "hot": 0}, "expected images in every class folder, got none in .*hot"),
    ],
)
def test_training_refuses_a_folder_without_enough_images(tmp_path, command, classes, message):
    (tmp_path / "classes").mkdir()
    for name, n in classes.items():
        write_images(tmp_path / "classes" / name, n, hot=False, seed=0)
    output = tmp_path / "model.safetensors"
    result = command("train", tmp_path / "classes", "-o", output)
    assert (result.returncode, result.stdout) == (2, "")
    assert re.match(f"secondlook train: .*{message}", result.stderr)
    assert result.stderr.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["classes"]


def test_errors_name_a_wrong_pattern_class_or_output(images, tmp_path):
    patterns = {"(": "a regular expression", "(patient)": "expected a group in every path"}
    for pattern, message in patterns.items():
        with pytest.raises(ValueError, match=message):
            train_folder(images, tmp_path / "m.safetensors", TrainOptions(group_pattern=pattern))
    with pytest.raises(ValueError, match="expected an existing folder"):
        train_folder(images, tmp_path / "absent" / "model.safetensors")


@pytest.mark.slow
def test_a_trained_model_has_figures_and_a_rule(images, tmp_path, command):
    output = tmp_path / "model.safetensors"
    options = ("--epochs", 4, "--image-size", 16, "--group-pattern", r"(module\d+)", "--json")
    result = command("train", images, "-o", output, *options)
    assert result.returncode == 0, result.stderr
    # Twelve cases per class are too few for the guarantee and the test of the features.
    assert result.stderr.startswith("secondlook train: warning: ")
    document = json.loads(result.stdout)
    assert document["n_training"] + document["n_held_out"] == 60
    assert document["accuracy"]["value"] > 0.8
    assert document["normal"] == "good"
    assert set(document["confusion"]["hot"]) == {"good", "hot"}
    assert any("out of distribution" in note for note in document["notes"])
    # Three modules are held out, with images of both classes: too few to judge the rule.
    n_held_out = document["n_held_out"]
    assert document["accuracy"]["n_images"] == n_held_out
    assert document["referral_rate"] is None
    assert any("no figures of the decision rule" in note for note in document["notes"])
    rule = sl.load(output).decision_rule_
    assert rule.n_positives_ + rule.n_negatives_ == n_held_out
    assert rule.score_parameters == {"normal": "good"}
    assert not rule.stale_
    assert rule.calibration == "platt"


QUICK = {"architecture": "mlp", "image_size": 16, "epochs": 1}


@pytest.fixture(scope="module")
def with_broken(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("broken") / "classes"
    shutil.copytree(images, folder)
    (folder / "good" / "text.png").write_text("not an image")
    (folder / "hot" / "empty.jpg").write_bytes(b"")
    return folder


def test_training_names_broken_images_before_it_begins(with_broken, tmp_path, command):
    output = tmp_path / "model.safetensors"
    result = command("train", with_broken, "-o", output)
    assert (result.returncode, result.stdout) == (2, "")
    assert re.match(
        r"secondlook train: train_folder: expected images that can be read, got 2 that cannot: "
        r"good/text.png \(expected a JPEG.*\), hot/empty.jpg \(expected an image, got an empty "
        r"file\); mend or remove them, or leave them out with skip_broken \(--skip-broken\)$",
        result.stderr,
    )
    assert not output.exists()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_training_leaves_broken_images_out_on_request_and_tells_which(
    images, with_broken, tmp_path
):
    results = [
        train_folder(folder, tmp_path / "m.safetensors", TrainOptions(**QUICK, skip_broken=True))
        for folder in (with_broken, images)
    ]
    skipping, whole = results
    assert list(skipping.skipped) == ["good/text.png", "hot/empty.jpg"]
    assert whole.skipped == {}
    assert (skipping.n_training, skipping.n_held_out) == (whole.n_training, whole.n_held_out)
    assert "left out, as they cannot be read: good/text.png (expected a JPEG" in str(skipping)
    assert "left out" not in str(whole)


def test_training_needs_an_image_that_can_be_read_in_each_class(tmp_path):
    write_images(tmp_path / "classes" / "good", 4, hot=False, seed=0)
    (tmp_path / "classes" / "hot").mkdir()
    (tmp_path / "classes" / "hot" / "1.png").write_text("not an image")
    with pytest.raises(ValueError, match="that can be read in every class, got none in 'hot': hot"):
        train_folder(
            tmp_path / "classes", tmp_path / "m.safetensors", TrainOptions(skip_broken=True)
        )


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_figures_of_the_rule_are_of_images_that_it_was_not_fitted_on(images, tmp_path):
    trained = train_folder(images, tmp_path / "m.safetensors", TrainOptions(**QUICK))
    shown = str(trained)
    assert "12 held out; of these" in shown
    assert re.search(r"recall of hot +\d\.\d{3} \(.* to .*\), 6 images", shown)
    assert "each of them decided by a rule that was fitted on others of them:" in shown
    assert re.search(r"missed, of the abnormal +0.000 \(0.000 to 0.459\), 6 images", shown)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_too_few_images_to_judge_the_rule_are_told(tmp_path):
    for name in ("good", "hot"):
        write_images(tmp_path / "classes" / name, 3, hot=name == "hot", seed=0)
    trained = train_folder(tmp_path / "classes", tmp_path / "m.safetensors", TrainOptions(**QUICK))
    assert trained.normal == "good"
    assert trained.referral_rate is None
    assert "no figures of the decision rule: too few groups" in str(trained)
    assert "(1 abnormal and 1 normal images)" in str(trained)


# --- decisions


def test_decisions_equal_those_of_the_model(images, model):
    decisions = decide_folder(model, images)
    network = sl.load(model)
    files = [images / file for file in decisions.file]
    assert len(files) == 60
    np.testing.assert_array_equal(decisions.decision, network.decide(files))
    np.testing.assert_array_equal(decisions.score, network.anomaly_score(files))
    np.testing.assert_array_equal(
        decisions.probability, network.decision_rule_.probability(decisions.score)
    )
    assert sum(decisions.counts.values()) == 60
    assert decisions.normal == "good"


def test_the_command_writes_a_line_per_image(images, model, tmp_path, command):
    output = tmp_path / "decisions.csv"
    result = command("decide", model, images, "-o", output)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("60 images: ")
    lines = list(csv.DictReader(output.read_text("utf-8").splitlines()))
    assert list(lines[0]) == sl.load(model).decide_table(images).columns.tolist()
    assert [line["file"] for line in lines][:2] == ["good/module00_00.png", "good/module00_01.png"]
    assert {line["out_of_distribution"] for line in lines} <= {"yes", "no"}

    document = json.loads(command("decide", model, images, "--json").stdout)
    assert [image["decision"] for image in document["images"]] == [
        line["decision"] for line in lines
    ]


def test_a_broken_image_costs_only_its_own_row(images, model, tmp_path, command):
    folder = tmp_path / "images"
    shutil.copytree(images, folder)
    (folder / "good" / "text.png").write_text("not an image")
    whole = (folder / "hot" / "module00_00.png").read_bytes()
    (folder / "hot" / "module00_00.png").write_bytes(whole[:100])
    output = tmp_path / "decisions.csv"
    result = command("decide", model, folder, "-o", output)
    assert (result.returncode, result.stderr) == (3, "")
    assert "2 that cannot be read (normal: good)" in result.stdout
    lines = {line["file"]: line for line in csv.DictReader(output.read_text("utf-8").splitlines())}
    assert len(lines) == 61
    broken = lines["good/text.png"]
    assert (broken["score"], broken["decision"]) == ("", "unknown")
    assert broken["reasons"].startswith("cannot be read: expected a JPEG")
    assert lines["hot/module00_00.png"]["reasons"] == (
        "cannot be read: the file is truncated: its end is missing"
    )
    known = decide_folder(model, images)
    for file, decision in zip(known.file, known.decision.tolist(), strict=True):
        if file != "hot/module00_00.png":
            assert lines[file]["decision"] == decision
    document = json.loads(command("decide", model, folder, "--json").stdout)
    assert document["counts"]["unknown"] == 2
    with pytest.raises(ValueError, match="text.png: expected a JPEG"):
        decide_folder(model, folder, skip_broken=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MODEL", "EMPTY"], "expected image files in .*, got none"),
        (["MODEL", "ABSENT"], "expected a folder, got"),
        (["MODEL", "IMAGES", "--normal", "fine"], r"expected normal as one of \['good', 'hot'\]"),
        (["BROKEN", "IMAGES"], "model.safetensors'"),
        (["FOREST", "IMAGES"], "of the kind image_classifier, got isolation_forest; .* use score"),
        (["PLAIN", "IMAGES"], "expected a model with a decision rule, got none; fit a"),
    ],
)
def test_bad_input_of_decisions_ends_with_one_clear_line(
    images, model, tmp_path, command, arguments, message
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"not a model")
    sl.IsolationForest(random_state=0).fit(np.eye(20, 2)).save(tmp_path / "forest.safetensors")
    plain = sl.load(model)
    del plain.decision_rule_
    plain.save(tmp_path / "plain.safetensors")
    paths = {
        "MODEL": model,
        "IMAGES": images,
        "EMPTY": tmp_path / "empty",
        "ABSENT": tmp_path / "absent",
        "BROKEN": tmp_path / "model.safetensors",
        "FOREST": tmp_path / "forest.safetensors",
        "PLAIN": tmp_path / "plain.safetensors",
    }
    output = tmp_path / "decisions.csv"
    result = command("decide", *(paths.get(a, a) for a in arguments), "-o", output)
    assert (result.returncode, result.stdout) == (2, "")
    assert re.match(f"secondlook decide: .*{message}", result.stderr)
    assert result.stderr.count("\n") == 1
    assert not output.exists()


@pytest.mark.filterwarnings("ignore::secondlook.DriftWarning")
def test_a_folder_is_decided_by_the_score_stored_with_the_rule(images, model, tmp_path, command):
    network = sl.load(model)
    rule = network.decision_rule_
    rule.score_parameters = {"normal": "good", "test_time_augmentation": ["flip"]}
    network.decision_rule_ = rule
    network.save(tmp_path / "model.safetensors")
    decisions = decide_folder(tmp_path / "model.safetensors", images)
    files = [images / file for file in decisions.file]
    np.testing.assert_array_equal(
        decisions.score, network.anomaly_score(files, test_time_augmentation="flip")
    )
    result = command("decide", tmp_path / "model.safetensors", images, "--normal", "hot")
    assert (result.returncode, result.stdout) == (2, "")
    assert "expected normal='good', as when decision_rule_ was fitted, got 'hot'" in result.stderr
