import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import secondlook as sl
from secondlook.image import list_images
from secondlook.store import ModelFile


def squares(n, seed=0, size=16):
    """Noise, of which every second image has a bright square."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 100, size=(n, size, size), dtype=np.uint8)
    for image in images[1::2]:
        top, left = random.integers(0, size - 6, size=2)
        image[top : top + 6, left : left + 6] += 120
    return images, np.where(np.arange(n) % 2, "square", "noise")


def small(**options):
    defaults = {"image_size": 16, "max_epochs": 3, "batch_size": 16, "random_state": 0, "n_jobs": 2}
    return sl.ImageClassifier("small_cnn", **{**defaults, **options})


@pytest.fixture(scope="module")
def fitted():
    images, y = squares(96)
    return small(max_epochs=4).fit(images, y, groups=range(96))


def test_fits_and_reports_its_history(fitted):
    images, y = squares(40, seed=9)
    assert fitted.classes_.tolist() == ["noise", "square"]
    assert fitted.n_classes_ == 2
    assert fitted.score(images, y) > 0.9
    history = fitted.history_
    assert set(history) >= {"loss", "validation_loss", "validation_recall", "wait_fraction"}
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    assert (history["wait_fraction"] < 1).all()
    assert fitted.features(images).shape == (40, 160)
    assert fitted.skipped_ == []


def test_clones_pickles_and_loads(fitted, tmp_path):
    images, _ = squares(20, seed=5)
    expected = fitted.predict_proba(images)
    assert not hasattr(clone(fitted), "classes_")
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(images), expected)
    assert again.classes_.tolist() == fitted.classes_.tolist()
    options = {
        "image_size": (16, 18),
        "augmentation": sl.Augmentation(rotation=5),
        "class_weight": {3: 2.0, 7: 1.0},
        "trainable": 2,
        "mean": 0.25,
        "weight_averaging": 0.5,
    }
    model = small(**options, max_epochs=1).fit(images, np.arange(20) % 2 * 4 + 3, range(20))
    model.save(tmp_path / "model.safetensors")
    loaded = sl.load(tmp_path / "model.safetensors")
    assert {**loaded.get_params(), **options} == model.get_params()
    assert loaded.get_params()["class_weight"] == options["class_weight"]
    np.testing.assert_array_equal(loaded.predict_proba(images), model.predict_proba(images))
    assert loaded.predict(images).dtype.kind == "i"


def test_a_file_of_version_1_predicts_as_it_did_when_it_was_written(checkout):
    path = checkout / "tests" / "fixtures" / "image_classifier_v1.safetensors"
    tensors = ModelFile.read(path).tensors
    model = sl.load(path)
    assert model.classes_.tolist() == ["even", "odd"]
    np.testing.assert_allclose(
        model.predict_proba(tensors["images"]), tensors["expected_probabilities"], atol=1e-5
    )


def test_paths_bytes_arrays_and_folders_are_alike(fitted, tmp_path):
    image_module = pytest.importorskip("PIL.Image", reason="Pillow writes the files")
    images, _ = squares(6, seed=2)
    files = []
    for i, image in enumerate(images):
        files.append(tmp_path / "deep" / f"{i}.png")
        files[-1].parent.mkdir(exist_ok=True)
        image_module.fromarray(image).save(files[-1])
    (tmp_path / "notes.txt").write_text("no image")
    expected = fitted.predict_proba(images)
    for other in (
        files,
        [str(file) for file in files],
        tmp_path,
        str(tmp_path),
        [file.read_bytes() for file in files],
        list(images),
        images[..., None],
        [image_module.fromarray(image) for image in images],
        images.astype(np.uint16) * 257,
        images / 255,
    ):
        np.testing.assert_allclose(fitted.predict_proba(other), expected, atol=1e-5)
    assert list_images(tmp_path) == files
    with pytest.raises(ValueError, match="list_images: expected a folder, got .*nowhere"):
        list_images(tmp_path / "nowhere")


def test_images_of_any_size_and_one_pixel(fitted):
    mixed = [np.zeros((1, 1), np.uint8), np.ones((300, 7, 3), np.uint8), np.zeros((16, 16), bool)]
    assert fitted.predict_proba(mixed).shape == (3, 2)


def test_time_augmentation_averages_variations(fitted):
    images, _ = squares(6, seed=3)
    once = fitted.predict_proba(images)
    flipped = fitted.predict_proba(images[:, :, ::-1])
    np.testing.assert_allclose(
        fitted.predict_proba(images, test_time_augmentation="flip"), (once + flipped) / 2, atol=1e-5
    )
    shifted = fitted.predict_proba(images, test_time_augmentation=["flip", "shift"])
    assert np.abs(shifted - once).max() > 0
    upright = (once + flipped) / 2
    upside_down = fitted.predict_proba(images[:, ::-1], test_time_augmentation="flip")
    np.testing.assert_allclose(
        fitted.predict_proba(images, test_time_augmentation={"flip", "vertical_flip"}),
        (upright + upside_down) / 2,
        atol=1e-5,
    )
    with pytest.raises(ValueError, match="test_time_augmentation: expected some of .*, got"):
        fitted.predict_proba(images, test_time_augmentation="turn")


def test_the_heat_map_has_the_images_size(fitted):
    images = np.kron(squares(2)[0], np.ones((1, 3, 3), np.uint8))
    heat = fitted.heatmap(images[1], "square")
    assert heat.shape == (48, 48)
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert heat.max() == pytest.approx(1)
    assert fitted.overlay(images[1]).shape == (48, 48, 3)
    assert fitted.overlay(images[1]).dtype == np.uint8
    with pytest.raises(ValueError, match="expected label as one of"):
        fitted.heatmap(images[1], "circle")
    images, y = squares(8)
    flat = sl.ImageClassifier("mlp", image_size=16, max_epochs=1, validation_fraction=0)
    flat.fit(images, y, range(8))
    with pytest.raises(ValueError, match="expected a network with feature maps, got mlp"):
        flat.heatmap(images[0])


def test_continued_training_keeps_old_and_new_knowledge(fitted):
    model = pickle.loads(pickle.dumps(fitted))
    images, y = squares(32, seed=11)
    before = model.predict_proba(images)
    model.partial_fit(images[1::2], y[1::2])
    assert np.abs(model.predict_proba(images) - before).max() > 1e-6
    assert model.score(images, y) > 0.9
    with pytest.raises(ValueError, match=r"expected labels among \['noise', 'square'\], got"):
        model.partial_fit(images[:2], ["noise", "circle"])
    with pytest.raises(ValueError, match=r"expected one label per image \(2\), got 3"):
        model.partial_fit(images[:2], ["noise"] * 3)


# ---- bad input ----


def test_labels_and_groups_must_fit():
    images, y = squares(12)
    for call, message in [
        (lambda: small().fit(images, y[:11]), "expected one label per image (12), got 11"),
        (lambda: small().fit(images, ["a"] * 12), "expected at least 2 classes, got 1"),
        (lambda: small().fit(images, y, groups=[1, 2]), "expected one group per image (12), got 2"),
        (lambda: small().fit(images, [np.nan] + [1.0] * 11), "expected finite labels"),
        (lambda: small().fit([], []), "expected at least 1 image, got none"),
        (lambda: small().fit(images[0], y), "expected an array of shape (n, rows, columns)"),
        (lambda: small().fit("no folder", y), "got no folder, which does not exist"),
        (lambda: small().fit(images[:1], y[:1]), "expected at least 2 classes, got 1"),
    ]:
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value).startswith("ImageClassifier.fit: ")
        assert message in str(error.value)


@pytest.mark.parametrize("missing", [None, float("nan"), np.datetime64("NaT")])
@pytest.mark.parametrize("what", ["labels", "groups"])
def test_missing_labels_and_groups_are_refused(fitted, what, missing):
    images, y = squares(12)
    values = [missing, *y[1:]]
    message = f"expected {what} of all images, got .* for image 0"
    for given in (values, np.array(values, dtype=object)):
        with pytest.raises(ValueError, match=f"ImageClassifier.fit: {message}"):
            small().fit(images, **{"y": y, "groups": None, what.replace("labels", "y"): given})
        if what == "labels":
            with pytest.raises(ValueError, match=f"ImageClassifier.partial_fit: {message}"):
                fitted.partial_fit(images, given)


def test_labels_and_groups_are_of_one_kind(fitted):
    images, y = squares(12)
    mixed = np.array(["a", *range(11)], dtype=object)
    for what, arguments in (("labels", (mixed,)), ("groups", (y, mixed))):
        with pytest.raises(ValueError, match=f"fit: expected {what} of one kind, got int and str"):
            small().fit(images, *arguments)
    with pytest.raises(ValueError, match="partial_fit: expected labels of one kind, got int and s"):
        fitted.partial_fit(images, mixed)
    with pytest.raises(ValueError, match=r"expected labels among \[0, 1\], got 'noise'"):
        small(max_epochs=1).fit(images, np.arange(12) % 2, range(12)).partial_fit(images, y)
    with pytest.raises(ValueError, match="fit: expected labels of one kind, got int and str"):
        small().fit(images, mixed.tolist())
    with pytest.raises(ValueError, match="expected labels as numbers or strings, got"):
        small().fit(images, [b"a", b"b"] * 6)


@pytest.mark.parametrize("labels", [[3, 7], [True, False], [0.5, 1.5], ["no", "yes"]])
def test_labels_may_be_objects_of_one_kind(labels, tmp_path):
    images, _ = squares(12)
    y = np.array(labels * 6, dtype=object)
    model = small(max_epochs=1).fit(images, y, range(12))
    model.save(tmp_path / "model.safetensors")
    assert sl.load(tmp_path / "model.safetensors").classes_.tolist() == sorted(labels)
    assert set(model.predict(images)) <= set(labels)


def test_other_inputs_than_images_are_named(fitted):
    pil = pytest.importorskip("PIL.Image")
    pandas = pytest.importorskip("pandas")
    image = np.zeros((16, 16), np.uint8)
    for wrong, kind in (
        (pil.fromarray(image), "Image"), (None, "NoneType"), (7, "int"),
        (pandas.DataFrame({"file": ["a.png"]}), "DataFrame"),
    ):  # fmt: skip
        with pytest.raises(
            ValueError, match=f"predict.*: expected a sequence of images or a folder, got {kind}"
        ):
            fitted.predict(wrong)
    for wrong in (True, "up", ["flip", "up"]):
        with pytest.raises(
            ValueError, match="test_time_augmentation: expected some of .*'flip'.*, got "
        ):
            fitted.predict([image], test_time_augmentation=wrong)
    with pytest.raises(ValueError, match="trainable: expected 'all', 'head' or a number of blocks"):
        small(trainable="half").fit(*squares(12))
    with pytest.raises(ValueError, match="overlay: expected strength as a number, got 'x'"):
        fitted.overlay(image, strength="x")


def test_a_truncated_pillow_image_is_named(fitted, tmp_path):
    pil = pytest.importorskip("PIL.Image")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    pil.fromarray(noise).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:900])
    with pytest.raises(ValueError, match="predict.*: image 1: .*truncated"):
        fitted.predict([noise, pil.open(tmp_path / "cut.jpg")])


@pytest.mark.parametrize("shape", [(24, 40, 1), (24, 40, 3), (24, 40, 4)])
def test_one_image_with_channels_is_not_mistaken_for_many(fitted, shape):
    image = np.zeros(shape, np.uint8)
    for call in (
        fitted.predict,
        fitted.predict_proba,
        fitted.features,
        lambda x: small().fit(x, np.arange(24) % 2),
        lambda x: fitted.partial_fit(x, np.arange(24) % 2),
    ):
        with pytest.raises(ValueError) as error:
            call(image)
        assert f"got an array of shape {shape}, which looks like one image: wrap it in a list" in (
            str(error.value)
        )
    if shape[2] < 4:
        assert fitted.predict_proba([image]).shape == (1, 2)
    assert fitted.predict_proba(image[..., None]).shape == (24, 2)  # so narrow after all
    assert fitted.predict_proba(np.zeros((5, 4, 4), np.uint8)).shape == (5, 2)
    with pytest.raises(ValueError, match="got bytes, which looks like one image: wrap it in a"):
        fitted.predict(b"BM")


def test_broken_images_are_named_or_skipped(tmp_path):
    image_module = pytest.importorskip("PIL.Image", reason="Pillow writes the files")
    images, y = squares(24)
    inputs = list(images)
    stream = io.BytesIO()
    image_module.fromarray(images[4]).save(stream, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(stream.getvalue()[:-50])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no image")
    image_module.new("1", (20000, 20000)).save(tmp_path / "huge.png")
    broken = {
        4: (tmp_path / "cut.jpg", "cut.jpg: the file is truncated"),
        7: (tmp_path / "empty.png", "empty.png: expected an image, got an empty file"),
        8: (tmp_path / "text.png", "text.png: expected a JPEG, PNG, TIFF or BMP"),
        11: (tmp_path / "huge.png", "huge.png: expected at most 100000000 pixels"),
        12: (tmp_path / "none.png", "none.png"),
        15: (np.full((4, 4), np.nan), "image 15: expected floats in [0, 1], got NaN"),
        18: (np.zeros((4, 4, 2), np.uint8), "image 18: expected an image of shape"),
    }
    for index, (bad, message) in broken.items():
        with pytest.raises((ValueError, OSError)) as error:
            small().fit([*images[:index], bad, *images[index + 1 :]], y)
        assert message in str(error.value)
        inputs[index] = bad
    model = small(max_epochs=1).fit(inputs, y, groups=np.arange(24), skip_broken=True)
    assert [index for index, _ in model.skipped_] == list(broken)
    for (_, message), (_, expected) in zip(model.skipped_, broken.values(), strict=True):
        assert expected in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ({"learning_rate": "high"}, "learning_rate: expected a number, got 'high'"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"schedule": "linear"}, "schedule: expected one of 'one_cycle', 'cosine', 'constant'"),
        ({"image_size": 8}, "expected images of at least 16 pixels per side, got 8 × 8"),
        ({"image_size": -3}, "height"),
        ({"channels": 2}, "expected 1 or 3 channels, got 2"),
        ({"trainable": -2}, "trained_blocks must be at least -1"),
        (
            {"trainable": "some"},
            "trainable: expected 'all', 'head' or a number of blocks, got 'some'",
        ),
        ({"class_weight": "even"}, "class_weight: expected 'balanced', a dict or None"),
        ({"class_weight": {"hto": 5.0}}, "expected classes of ['noise', 'square'], got 'hto'"),
        ({"class_weight": {"noise": "2"}}, "expected a number above 0 for 'noise', got '2'"),
        ({"class_weight": {"noise": np.nan}}, "expected a number above 0 for 'noise', got nan"),
        ({"learning_rate": np.nan}, "ImageClassifier: learning_rate must be above 0, got nan"),
        (
            {"value_range": (0, np.inf)},
            "value_range must be two finite numbers, the lower one first, got 0 and inf",
        ),
        ({"value_range": 5}, "expected value_range as 2 numbers, got 5"),
        (
            {"image_size": (16,)},
            "expected image_size as a whole number or (rows, columns), got (16,",
        ),
        (
            {"image_size": 16.5},
            "expected image_size as a whole number or (rows, columns), got 16.5",
        ),
        (
            {"image_size": "16"},
            "expected image_size as a whole number or (rows, columns), got '16'",
        ),
        ({"mean": "0.5"}, "expected mean as a number or three, got '0.5'"),
        ({"augmentation": {"noise": 1}}, "augmentation: expected an Augmentation or None, got {"),
        ({"patience": object()}, "ImageClassifier: patience: expected a non-negative whole number"),
        ({"max_epochs": np.array([3])}, "max_epochs: expected a non-negative whole number"),
        ({"n_jobs": 0}, "expected n_jobs as None or a non-zero integer, got 0"),
        ({"device": "tpu"}, "device: expected one of 'auto', 'cpu', 'cuda'"),
    ],
)
def test_parameters_are_checked_in_fit(options, message):
    images, y = squares(12)
    with pytest.raises(ValueError) as error:
        small(**options).fit(images, y, groups=range(12))
    assert message in str(error.value)


def test_an_unfitted_model_says_so():
    images, _ = squares(2)
    for use in ("predict", "predict_proba", "features", "heatmap", "overlay"):
        with pytest.raises(NotFittedError, match="not fitted yet, call fit first"):
            getattr(small(), use)(images)
    assert not hasattr(small(), "history_")


# ---- what validation says ----


def three_classes(n_of_third):
    """Images of three classes, in one group each, so that the third can lack a held-out one."""
    images, y = squares(60 + n_of_third)
    y = y.astype(object)
    y[60:] = "rare"
    return images, y.tolist()


def test_a_class_without_held_out_images_has_no_recall_and_is_named():
    images, y = squares(43)
    y = np.array(["common"] * 40 + ["rare"] * 3)
    told = "no image of class 'rare' could be held out for validation_fraction=0.1, so its recall"
    with pytest.warns(UserWarning, match=told):
        model = small(max_epochs=2).fit(images, y, groups=range(43))
    assert np.isnan(model.history_["validation_recall"]).all()
    assert np.isfinite(model.history_["validation_accuracy"]).all()
    images, y = three_classes(2)
    with pytest.warns(UserWarning, match="no image of class 'rare' could be held out"):
        model = small(max_epochs=1).fit(images, y, groups=range(62))
    assert np.isfinite(model.history_["validation_recall"]).all()  # of the two others
    with pytest.warns(UserWarning, match="no image of class 'rare' could be held out"):
        model = small(max_epochs=1, pos_label="rare").fit(images, y, groups=range(62))
    assert np.isnan(model.history_["validation_recall"]).all()


def test_the_progress_bar_omits_an_unknown_recall(capsys, monkeypatch):
    from secondlook.image.training_progress import TrainingProgress

    notes = []
    report = TrainingProgress(lambda done, total, note: notes.append(note), None)
    report(1, 2, 1, 0.5, {"validation_loss": 0.4, "validation_recall": float("nan")})
    assert notes == ["epoch 2, loss 0.500, validation 0.400"]


def test_the_positive_class_of_the_validation_can_be_chosen(tmp_path):
    images, y = squares(120)
    recalls = {}
    for label in (None, "noise", "square"):
        model = small(max_epochs=1, pos_label=label, validation_fraction=0.3)
        model.fit(images, y, groups=range(120))
        recalls[label] = model.history_["validation_recall"][0]
        model.save(tmp_path / "model.safetensors")
        assert sl.load(tmp_path / "model.safetensors").pos_label == label
    assert recalls[None] == recalls["square"]
    # Of as many images each.
    accuracy = model.history_["validation_accuracy"][0]
    assert (recalls["noise"] + recalls["square"]) / 2 == pytest.approx(accuracy)
    with pytest.raises(
        ValueError, match=r"pos_label: expected one of \['noise', 'square'\] or None"
    ):
        small(pos_label="hot").fit(images, y)


# ---- thermograms ----


def test_thermograms_are_learned_within_a_value_range():
    images, y = squares(96)
    celsius = images.astype(np.float32) / 4 - 10  # -10 to 45 °C
    model = small(max_epochs=4, value_range=(-10, 50)).fit(celsius, y, groups=range(96))
    assert model.score(celsius, y) > 0.9
    counts = np.rint((celsius + 273.15) * 100).astype(np.uint16)
    kelvin = small(max_epochs=4, value_range=(26315, 32315)).fit(counts, y, groups=range(96))
    np.testing.assert_allclose(
        kelvin.predict_proba(counts), model.predict_proba(celsius), atol=0.02
    )
    assert model.overlay(celsius[1]).shape == (16, 16, 3)
    assert model.heatmap(celsius[1]).shape == (16, 16)
    with pytest.raises(
        ValueError, match=r"fit: image 0: expected floats in \[0, 1\], got .*value_range"
    ):
        small().fit(celsius, y, groups=range(96))


# ---- groups ----


def test_images_that_look_alike_cause_a_warning_without_groups():
    images, y = squares(20)
    images[7] = images[5]
    with pytest.warns(UserWarning, match="1 pair of images looks alike, such as 5 and 7"):
        model = small(max_epochs=1).fit(images, y)
    assert model.near_duplicates_.tolist() == [[5, 7]]
    model = small(max_epochs=1).fit(images, y, groups=np.arange(20) // 2)
    assert model.near_duplicates_.shape == (0, 2)


def test_validation_on_the_training_images_causes_a_warning():
    images, y = squares(20)
    told = (
        "no group could be held out for .*=0.1, because each .* is validated on its training images"
    )
    for groups in (y, [1] * 20):
        with pytest.warns(UserWarning, match=told):
            small(max_epochs=1).fit(images, y, groups)
    with pytest.warns(UserWarning, match=told):
        small(max_epochs=1).fit(images[:2], y[:2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(max_epochs=1, validation_fraction=0).fit(images, y, groups=y)  # as was asked for
        small(max_epochs=1).fit(images, y, groups=range(20))


def test_class_weights_match_labels_of_any_number_type():
    images, y = squares(20)
    model = small(max_epochs=1, class_weight={1: 5.0}).fit(images, (y == "square") * 1.0, range(20))
    parameters = json.loads(model._to_model_file().sections["parameters"])
    assert parameters["class_weights"] == [1, 5]


# ---- being stopped ----


@pytest.mark.usefixtures("ctrl_c_interrupts")
def test_ctrl_c_keeps_the_best_network_so_far():
    images, y = squares(64)
    model = small(max_epochs=500, patience=500)
    seen = []

    def stop_after_two(figures):
        seen.append(figures["epoch"])
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)

    assert threading.current_thread() is threading.main_thread()
    with pytest.raises(KeyboardInterrupt):
        model.fit(images, y, groups=range(64), callback=stop_after_two)
    assert seen == [1, 2]
    assert len(model.history_["loss"]) == 2
    assert model.predict(images).shape == (64,)
    assert not hasattr(model, "near_duplicates_")  # of this training nothing is known


def test_a_callbacks_error_ends_training():
    def fail(figures):
        raise RuntimeError("enough")

    images, y = squares(16)
    with pytest.raises(RuntimeError, match="enough"):
        small().fit(images, y, groups=range(16), callback=fail)


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from test_image_classifier import small, squares
images, y = squares(64)
augmented = small(max_epochs=4, augmentation=__import__("secondlook").Augmentation(rotation=9))
def slowly(figures):
    print(figures["epoch"], flush=True)
    time.sleep(0.3)
augmented.fit(images, y, groups=range(64), checkpoint=sys.argv[2], callback=slowly)
"""


def test_after_a_kill_training_continues_to_the_same_network(tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    arguments = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(checkpoint)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        assert child.stdout.readline() == "2\n"
        os.kill(child.pid, signal.SIGKILL)
    assert checkpoint.exists()
    images, y = squares(64)
    options = {"max_epochs": 4, "augmentation": sl.Augmentation(rotation=9)}
    epochs = []
    resumed = small(**options).fit(
        images, y, range(64), checkpoint=checkpoint, callback=lambda f: epochs.append(f["epoch"])
    )
    assert epochs == [3, 4]  # two were done, whatever the third had come to
    assert not checkpoint.exists()
    whole = small(**options).fit(images, y, range(64))
    np.testing.assert_array_equal(resumed.predict_proba(images), whole.predict_proba(images))
    for name in ("loss", "validation_loss", "learning_rate"):
        np.testing.assert_array_equal(resumed.history_[name], whole.history_[name])


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    images, y = squares(16)

    def stop(figures):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small().fit(images, y, range(16), checkpoint=checkpoint, callback=stop)
    with pytest.raises(
        ValueError, match="of another training; remove it to start from the beginning"
    ):
        small(learning_rate=1e-4).fit(images, y, range(16), checkpoint=checkpoint)
    assert checkpoint.exists()


def test_predictions_from_several_threads_are_the_same(fitted):
    images, _ = squares(40, seed=8)
    expected = fitted.predict_proba(images)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(fitted.predict_proba(images)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)
    assert len(results) == 4


def test_keeps_its_decision_rule_which_training_makes_stale(tmp_path):
    images, labels = squares(60)
    model = small(max_epochs=2, replay_size=8).fit(images, labels, groups=range(60))
    score = model.predict_proba(images)[:, 1]
    model.decision_rule_ = sl.DecisionRule(threshold={}).fit(score, labels == "square")
    model.save(tmp_path / "model.safetensors")
    loaded = sl.load(tmp_path / "model.safetensors")
    assert loaded.decision_rule_.threshold_ == model.decision_rule_.threshold_
    assert not loaded.decision_rule_.stale_
    loaded.partial_fit(images[:8], labels[:8])
    with pytest.warns(sl.StaleDecisionWarning):
        loaded.decision_rule_.decide(score)


def test_predicts_while_another_thread_continues_training():
    images, labels = squares(40)
    model = small(max_epochs=1, replay_size=8).fit(images, labels, groups=range(40))
    stop = threading.Event()

    def predict():
        while not stop.is_set():
            assert np.isfinite(model.predict_proba(images[:4])).all()

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(predict) for _ in range(2)]
        for _ in range(3):
            model.partial_fit(images[:8], labels[:8])
        stop.set()
        for reader in readers:
            reader.result()


def test_incremental_learner_guards_it(fitted, tmp_path):
    known, labels = squares(120, seed=6)
    learner = sl.IncrementalLearner(
        fitted, known, tmp_path, y=labels, suspicion_rate=0.1, random_state=0
    )
    images, y = squares(60, seed=7)
    assert learner.update(images, y).accepted
    wrong = np.where(y == "noise", "square", "noise")
    with pytest.warns(sl.DriftWarning):
        assert learner.update(images, wrong).outcome == "refused"
    with pytest.warns(sl.DriftWarning):
        assert learner.update(images, wrong, trusted=True).outcome == "rolled_back"
    now = learner.detector_
    assert now.classes_.tolist() == ["noise", "square"]
    p = now.predict_proba(images)
    np.testing.assert_allclose(
        learner.score_samples(images, y), np.log(p[np.arange(60), (y == "square").astype(int)])
    )
    np.testing.assert_array_equal(sl.load(tmp_path / "version-000002.safetensors").classes_,
                                  now.classes_)  # fmt: skip
    opened = sl.IncrementalLearner.open(tmp_path)
    np.testing.assert_array_equal(opened.score_samples(images, y), learner.score_samples(images, y))
    for arguments, message in (
        ((images,), "expected labels of the images, got None"),
        ((images, y[:3]), r"expected one label per image \(60\), got 3"),
        ((images, np.full(60, "cold")), "expected labels among .*, got 'cold'"),
    ):
        with pytest.raises(ValueError, match=message):
            learner.update(*arguments)


def test_a_rule_is_stale_after_an_update_of_the_learner(fitted):
    images, y = squares(200, seed=8)
    ruled = pickle.loads(pickle.dumps(fitted))
    scores = ruled.predict_proba(images)[:, 1]
    ruled.decision_rule_ = sl.DecisionRule(threshold={}).fit(scores, y == "square")
    learner = sl.IncrementalLearner(ruled, images, y=y, suspicion_rate=0.1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", sl.StaleDecisionWarning)
        learner.detector_.decision_rule_.decide(scores)
    assert learner.update(*squares(60, seed=9)).accepted
    with pytest.warns(sl.StaleDecisionWarning):
        learner.detector_.decision_rule_.decide(scores)


def test_decide_refers_uncertain_images(fitted, tmp_path):
    images, y = squares(96)
    held_out, truth = squares(120, seed=4)
    model = pickle.loads(pickle.dumps(fitted))
    score = model.anomaly_score(held_out, test_time_augmentation="flip")
    np.testing.assert_array_equal(
        score, model.predict_proba(held_out, test_time_augmentation="flip")[:, 1]
    )
    np.testing.assert_array_equal(
        model.anomaly_score(held_out, normal="square"), model.predict_proba(held_out)[:, 0]
    )
    with pytest.raises(AttributeError, match="has no decision_rule_"):
        model.decide(held_out)

    guard = sl.FeatureDistance(false_alarm_rate=0.1, random_state=0).fit(model.features(images), y)
    band = sl.SuspiciousBand(max_miss_rate=0.2, max_false_alarm_rate=0.2)
    model.decision_rule_ = sl.DecisionRule(band).fit(score, truth == "square")
    fresh, _ = squares(60, seed=7)
    scores = model.anomaly_score(fresh, test_time_augmentation="flip")
    expected = model.decision_rule_.decide(scores)
    assert {"negative", "positive"} <= set(expected)
    np.testing.assert_array_equal(model.decide(fresh, test_time_augmentation="flip"), expected)
    with pytest.warns(sl.DriftWarning) as warned:
        model.decide(np.full_like(held_out, 100), test_time_augmentation="flip")
    assert warned[0].filename == __file__

    model.decision_rule_ = sl.DecisionRule(band, feature_distance=guard).fit(
        score, truth == "square"
    )
    model.save(tmp_path / "guarded.safetensors")
    loaded = sl.load(tmp_path / "guarded.safetensors")
    bright = np.full_like(fresh[:9], 255)
    assert (loaded.decide(bright, test_time_augmentation="flip") == "refer").all()
    expected = loaded.decision_rule_.decide(scores, features=loaded.features(fresh))
    np.testing.assert_array_equal(loaded.decide(fresh, test_time_augmentation="flip"), expected)


def test_with_three_classes_normal_must_be_given():
    images, _ = squares(12)
    model = small(max_epochs=1, validation_fraction=0).fit(images, np.arange(12) % 3, range(12))
    p = model.predict_proba(images)
    np.testing.assert_allclose(model.anomaly_score(images, normal=1), p[:, 0] + p[:, 2])
    with pytest.raises(ValueError, match=r"expected normal as one of \[0, 1, 2\], got None"):
        model.anomaly_score(images)
    with pytest.raises(ValueError, match=r"expected normal as one of \[0, 1, 2\], got 'sound'"):
        model.anomaly_score(images, normal="sound")
