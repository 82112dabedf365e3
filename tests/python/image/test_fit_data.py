"""Sample weights, validation data and callbacks of `ImageClassifier.fit`."""

import warnings

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

import secondlook as sl
from secondlook.image import load_folder


def squares(n, seed=0):
    """Noise, of which every second image has a bright square."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 100, size=(n, 16, 16), dtype=np.uint8)
    for image in images[1::2]:
        top, left = random.integers(0, 10, size=2)
        image[top : top + 6, left : left + 6] += 120
    return images, np.where(np.arange(n) % 2, "square", "noise")


IMAGES, Y = squares(64)
OTHERS, TRUTH = squares(20, seed=5)


def tiny(**options):
    defaults = {"image_size": 16, "max_epochs": 3, "batch_size": 16, "random_state": 0, "n_jobs": 1}
    return sl.ImageClassifier("mlp", **{**defaults, **options})


def refused(message, *arguments, **options):
    with pytest.raises(ValueError) as error:
        tiny().fit(*(arguments or (IMAGES, Y)), **options)
    assert str(error.value).startswith("ImageClassifier.fit: ")
    assert message in str(error.value)


# ---- sample weights ----


@pytest.mark.parametrize("options", [{}, {"mixup": 0.3, "label_smoothing": 0.1}])
@pytest.mark.parametrize("class_weight", [None, "balanced", {"square": 3.0}])
def test_equal_weights_change_nothing(class_weight, options):
    expected = tiny(class_weight=class_weight, **options).fit(IMAGES, Y, range(64))
    got = tiny(class_weight=class_weight, **options).fit(
        IMAGES, Y, range(64), sample_weight=np.full(64, 7)
    )
    # The sum of the weighted losses rounds differently.
    np.testing.assert_allclose(got.predict_proba(OTHERS), expected.predict_proba(OTHERS), atol=1e-3)
    np.testing.assert_allclose(
        got.history_["validation_loss"], expected.history_["validation_loss"], rtol=1e-3
    )


def test_a_weight_counts_like_that_of_a_class():
    weight = np.where(Y == "square", 4.0, 1.0)
    heavy = tiny(validation_fraction=0).fit(IMAGES, Y, sample_weight=weight)
    by_class = tiny(validation_fraction=0, class_weight={"square": 4.0}).fit(IMAGES, Y)
    plain = tiny(validation_fraction=0).fit(IMAGES, Y)
    means = [model.predict_proba(OTHERS)[:, 1].mean() for model in (plain, by_class, heavy)]
    assert means[1] > means[0]
    assert means[2] > means[0]


def test_images_without_weight_are_ignored():
    y, weight = Y.copy(), np.ones(64)
    y[:20] = np.where(y[:20] == "square", "noise", "square")  # wrong labels
    weight[:20] = 0
    options = {"validation_fraction": 0, "mean": 0.5, "standard_deviation": 0.5}
    wrong = tiny(**options).fit(IMAGES, y, sample_weight=weight)
    right = tiny(**options).fit(IMAGES, Y, sample_weight=weight)
    np.testing.assert_array_equal(wrong.predict_proba(OTHERS), right.predict_proba(OTHERS))


def test_weights_follow_the_images_that_could_be_read():
    images = [*IMAGES[:3], b"no image", *IMAGES[3:]]
    y, weight = np.insert(Y, 3, "noise"), np.insert(np.linspace(0.5, 2, 64), 3, 99.0)
    model = tiny(validation_fraction=0).fit(images, y, sample_weight=weight, skip_broken=True)
    expected = tiny(validation_fraction=0).fit(IMAGES, Y, sample_weight=np.delete(weight, 3))
    np.testing.assert_array_equal(model.predict_proba(OTHERS), expected.predict_proba(OTHERS))
    assert [index for index, _ in model.skipped_] == [3]


def test_other_weights_are_refused():
    refused("expected one sample weight per image (64), got 63", sample_weight=np.ones(63))
    refused("expected finite sample weights of at least 0, got -1", sample_weight=-np.ones(64))
    refused("expected finite sample weights, got NaN", sample_weight=np.full(64, np.nan))
    refused("expected sample weights as numbers, got", sample_weight=["a"] * 64)
    refused("expected sample weights above 0 among", sample_weight=np.zeros(64))


# ---- validation data ----


def test_validation_data_replace_the_images_held_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = tiny().fit(IMAGES, Y, validation_data=(OTHERS, TRUTH))
    p = model.predict_proba(OTHERS)
    right = p[np.arange(20), (TRUTH == "square").astype(int)]
    best = model.best_epoch_ - 1
    # In training the network is that of the epoch; float32 sums differ in the last digits.
    assert model.history_["validation_loss"][best] == pytest.approx(-np.log(right).mean(), rel=1e-4)
    assert model.history_["validation_accuracy"][best] == (model.predict(OTHERS) == TRUTH).mean()
    assert model.history_["validation_loss"].argmin() == best
    assert model.n_epochs_ == len(model.history_["loss"]) == 3
    assert set(model.history_) == set(tiny().fit(IMAGES, Y, range(64)).history_)


def test_all_images_are_trained_on_beside_validation_data():
    whole = tiny(validation_fraction=0, patience=99).fit(IMAGES, Y)
    given = tiny(validation_fraction=0.5, patience=99).fit(
        IMAGES, Y, groups=np.arange(64) // 8, validation_data=(OTHERS, TRUTH)
    )
    np.testing.assert_array_equal(whole.history_["loss"], given.history_["loss"])


def test_validation_on_images_trained_on_causes_a_warning():
    seen = [OTHERS[0], IMAGES[7], OTHERS[2], IMAGES[9]]
    message = "2 images of validation_data look like images trained on, such as 1 like 7 "
    with pytest.warns(UserWarning, match=message):
        model = tiny().fit(
            IMAGES, Y, range(64), validation_data=(seen, ["noise", "square", "noise", "square"])
        )
    assert model.near_duplicates_.tolist() == [[7, 1], [9, 3]]


def test_validation_data_without_a_class_cause_a_warning():
    message = "validation_data has no image of class 'square', so its recall is unknown"
    with pytest.warns(UserWarning, match=message):
        model = tiny(pos_label="square").fit(IMAGES, Y, validation_data=(OTHERS[::2], TRUTH[::2]))
    assert np.isnan(model.history_["validation_recall"]).all()


def test_other_validation_data_are_refused(tmp_path):
    with_class = (OTHERS, np.where(TRUTH == "square", "circle", "noise"))
    refused("validation_data: expected labels among ['noise', 'square'], got 'circle'",
            validation_data=with_class)  # fmt: skip
    refused("validation_data: expected one label per image (20), got 19",
            validation_data=(OTHERS, TRUTH[:19]))  # fmt: skip
    refused("validation_data: expected at least 1 image, got none", validation_data=([], []))
    refused("expected validation_data as (images, labels), an ImageFolder or a folder of class "
            "folders, got 3 items", validation_data=(OTHERS, TRUTH, None))  # fmt: skip
    refused("got ndarray", validation_data=OTHERS)
    refused(f"validation_data: expected a folder, got {tmp_path / 'no'}",
            validation_data=tmp_path / "no")  # fmt: skip
    refused("validation_data: expected image files in", validation_data=tmp_path)


def test_broken_validation_images_are_named_or_skipped():
    images = [*OTHERS, b"no image"]
    y = [*TRUTH, "noise"]
    refused("validation_data: image 20: ", validation_data=(images, y))
    model = tiny().fit(IMAGES, Y, validation_data=(images, y), skip_broken=True)
    assert [index for index, _ in model.skipped_validation_] == [20]
    assert model.skipped_ == []


def test_folders_split_by_group_validate_each_other(tmp_path):
    pil = pytest.importorskip("PIL.Image", reason="Pillow writes the files")
    for i, (image, label) in enumerate(zip(IMAGES, Y, strict=True)):
        file = tmp_path / label / f"p{i // 4}_{i}.png"
        file.parent.mkdir(exist_ok=True)
        pil.fromarray(image).save(file)
    folder = load_folder(tmp_path, groups=r"p(\d+)_")
    train, test = folder.split(0.25)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = tiny().fit(train, validation_data=test)
    expected = tiny().fit(train.paths, train.labels, validation_data=(test.paths, test.labels))
    np.testing.assert_array_equal(model.predict_proba(test), expected.predict_proba(test))
    with pytest.warns(UserWarning) as caught:
        tiny(max_epochs=1).fit(train, validation_data=folder)
    messages = [str(warning.message) for warning in caught]
    assert any("groups are both trained on and in validation_data, such as" in m for m in messages)
    with pytest.warns(UserWarning, match="look like images trained on"):
        tiny(max_epochs=1).fit(tmp_path, validation_data=str(tmp_path))


def test_a_checkpoint_of_other_weights_or_validation_data_is_refused(tmp_path):
    file = tmp_path / "checkpoint.safetensors"

    def stop(figures):
        raise RuntimeError("stop")

    weight = np.linspace(1, 2, 64)
    options = {"sample_weight": weight, "validation_data": (OTHERS, TRUTH)}
    with pytest.raises(RuntimeError, match="stop"):
        tiny().fit(IMAGES, Y, **options, checkpoint=file, callback=stop)
    for other in (
        {**options, "sample_weight": weight[::-1]},
        {**options, "validation_data": (OTHERS[:19], TRUTH[:19])},
        {},
    ):
        refused("got one of another training", **other, checkpoint=file)
    assert tiny().fit(IMAGES, Y, **options, checkpoint=file).n_epochs_ == 3


# ---- callbacks ----


@pytest.mark.parametrize("true", [True, np.True_])
def test_a_callback_that_returns_true_ends_training(true, tmp_path):
    epochs = []

    def stop(figures):
        epochs.append(figures["epoch"])
        return true if figures["epoch"] == 2 else None

    checkpoint = tmp_path / "checkpoint.safetensors"
    model = tiny(max_epochs=9).fit(IMAGES, Y, range(64), callback=stop, checkpoint=checkpoint)
    assert epochs == [1, 2]
    assert model.n_epochs_ == 2
    assert model.best_epoch_ in (1, 2)
    assert model.skipped_ == []
    assert not checkpoint.exists()
    whole = tiny(max_epochs=9).fit(IMAGES, Y, range(64))
    np.testing.assert_array_equal(model.history_["loss"], whole.history_["loss"][:2])


@pytest.mark.parametrize("other", [None, False, 1, "yes", [1]])
def test_a_callback_that_returns_something_else_does_not(other):
    assert tiny().fit(IMAGES, Y, range(64), callback=lambda figures: other).n_epochs_ == 3


def test_the_best_weights_are_kept_when_a_callback_ends_training():
    losses = []

    def stop(figures):
        losses.append(figures["validation_loss"])
        return len(losses) > 1 and losses[-1] > min(losses)

    model = tiny(max_epochs=60, learning_rate=0.05, patience=60).fit(
        IMAGES, Y, validation_data=(OTHERS, TRUTH), callback=stop
    )
    assert model.n_epochs_ == len(losses) < 60
    assert model.best_epoch_ == int(np.argmin(losses)) + 1 < len(losses)
    p = model.predict_proba(OTHERS)[np.arange(20), (TRUTH == "square").astype(int)]
    assert -np.log(p).mean() == pytest.approx(min(losses), rel=1e-3)


def test_fitted_attributes_need_a_fit():
    for name in ("architecture_", "weights_", "n_epochs_", "best_epoch_", "history_"):
        assert not hasattr(tiny(), name)
