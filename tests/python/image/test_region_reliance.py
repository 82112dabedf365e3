import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

from PIL import Image

import secondlook as sl
from secondlook.image import region_reliance

CLASSES = ("plain", "marked")


def marked(n, seed=0, rows=24):
    """Noise, of which every second image has a marker in the upper left corner."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 100, size=(n, rows, 24), dtype=np.uint8)
    images[1::2, 1:7, 1:7] += 120
    return images, np.array(CLASSES)[np.arange(n) % 2]


def corner(rows=24):
    mask = np.zeros((rows, 24), bool)
    mask[:8, :8] = True
    return mask


def fit(images, y, architecture="small_cnn", **options):
    defaults = {"image_size": 24, "max_epochs": 5, "batch_size": 16, "random_state": 0, "n_jobs": 1}
    model = sl.ImageClassifier(architecture, **{**defaults, **options})
    return model.fit(images, y, groups=range(len(images)))


@pytest.fixture(scope="module")
def fitted():
    return fit(*marked(128))


@pytest.fixture(scope="module")
def report(fitted):
    images, y = marked(80, seed=1)
    return region_reliance(fitted, images, y, region=corner(), fillings=("surroundings", "noise"))


def by_name(report):
    return {one.name: one for one in report.coverings}


def test_a_decision_that_rests_on_the_corner_is_shown_to(report):
    found = by_name(report)
    assert list(found) == [
        "as it is",
        "region covered, surroundings",
        "region covered, noise",
        "all else covered, surroundings",
        "all else covered, noise",
    ]
    assert found["as it is"].roc_auc.value == 1
    for filling in ("surroundings", "noise"):
        blind = found[f"region covered, {filling}"]
        # Guessing has 0.5 ± 0.065 on 40 images per class; within 4 standard errors.
        assert 0.24 < blind.roc_auc.value < 0.76, filling
        assert blind.accuracy.value < 0.65, filling
        assert found[f"all else covered, {filling}"].roc_auc.value > 0.95, filling


def test_a_decision_that_rests_elsewhere_does_not_need_the_corner(fitted):
    images, y = marked(80, seed=2)
    elsewhere = np.zeros((24, 24), bool)
    elsewhere[12:20, 12:20] = True
    found = by_name(region_reliance(fitted, images, y, region=elsewhere, heatmap=None))
    for filling in ("surroundings", "noise", "mean"):
        assert found[f"region covered, {filling}"].roc_auc.value > 0.98
    for filling in ("surroundings", "noise"):
        assert 0.24 < found[f"all else covered, {filling}"].roc_auc.value < 0.76


# Grad-CAM has few values for images this small, so that some of its heat lies beside the marker.
@pytest.mark.parametrize(("heatmap", "times"), [("grad_cam", 1.3), ("occlusion", 3)])
def test_heat_maps_are_more_inside_than_the_regions_area(fitted, heatmap, times):
    images, y = marked(24, seed=1)
    report = region_reliance(
        fitted, images, y, region=corner(), fillings="noise", heatmap=heatmap, n_heatmaps=8
    )
    assert [one.label for one in report.classes] == ["marked", "plain"]
    marked_ones = report.classes[0]
    assert marked_ones.n_heatmaps == 8
    assert marked_ones.region_fraction == pytest.approx(64 / 576)
    assert marked_ones.heatmap_fraction.low > times * marked_ones.region_fraction
    assert marked_ones.heatmap_fraction.high <= 1


@pytest.mark.parametrize(
    ("options", "convert"),
    [
        ({}, lambda images: images),
        ({"contrast": "stretch"}, lambda images: images.repeat(2, axis=1).repeat(3, axis=2)),
        ({"value_range": (0, 50)}, lambda images: (images / 5).astype(np.float32)),
        ({"contrast": "clahe"}, lambda images: [np.stack([one] * 3, -1) for one in images]),
    ],
)
def test_as_it_is_an_image_is_predicted_as_ever(options, convert):
    images, y = marked(64)
    converted = convert(images)
    model = fit(converted, y, max_epochs=1, **options)
    rows, columns = np.asarray(converted[0]).shape[:2]
    mask = np.zeros((rows, columns), bool)
    mask[: rows // 3, : columns // 3] = True
    report = region_reliance(
        model, converted, y, region=mask, fillings=["grey", "blur"], heatmap=None
    )
    first = report.coverings[0]
    assert first.accuracy.value == model.score(converted, y)
    expected = sl.roc_curve(y == model.classes_[1], model.predict_proba(converted)[:, 1]).area
    assert first.roc_auc.value == pytest.approx(expected, abs=1e-9)


def test_all_forms_of_masks_mean_the_same(fitted, tmp_path):
    images, y = marked(12, seed=1)
    files = []
    for number, image in enumerate(images):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(image).save(files[-1])
    options = {"fillings": "noise", "n_heatmaps": 2}
    first = region_reliance(fitted, images, y, region=corner(), **options)
    for region in ([corner()] * 12, np.array([corner()] * 12), lambda pixels: corner(len(pixels))):
        assert region_reliance(fitted, files, y, region=region, **options) == first


def test_images_without_a_region_are_left_out_and_listed(fitted):
    images, y = marked(12, seed=1)
    masks = [None if number in (0, 7) else corner() for number in range(12)]
    report = region_reliance(fitted, images, y, region=masks, fillings="noise")
    assert report.without_region == (0, 7)
    assert report.n_images == 10
    assert "2 images without a region are left out" in str(report)
    with pytest.raises(ValueError, match="expected a region in some image, got none in any"):
        region_reliance(fitted, images, y, region=lambda pixels: None)
    masks = [corner() if label == "plain" else None for label in y]
    with pytest.raises(ValueError, match="2 classes with a region, got only 'plain'"):
        region_reliance(fitted, images, y, region=masks)


def test_images_of_one_group_widen_the_interval_of_the_area():
    images, y = marked(64)
    model = fit(images, y, max_epochs=1, learning_rate=1e-5)  # it guesses
    options = {"region": corner(), "fillings": "noise", "n_heatmaps": 64}
    once = region_reliance(model, images, y, **options)
    grouped = region_reliance(model, np.repeat(images, 3, 0), np.repeat(y, 3), **options)
    told = region_reliance(
        model,
        np.repeat(images, 3, 0),
        np.repeat(y, 3),
        groups=np.repeat(range(64), 3),
        **{**options, "n_heatmaps": 192},
    )
    areas = [one.coverings[0].roc_auc for one in (once, grouped, told)]
    lengths = [area.high - area.low for area in areas]
    assert lengths[1] < 0.7 * lengths[0]
    assert lengths[2] == pytest.approx(lengths[0], rel=0.05)


def test_many_classes_have_a_mean_area_and_a_recall_each():
    images, _ = marked(120)
    y = np.arange(120) % 3
    images[y == 2, 16:22, 16:22] += 120
    images[:, 1:7, 1:7] %= 100
    images[y == 1, 1:7, 1:7] += 120
    model = fit(images, y)
    report = region_reliance(model, images, y, region=corner(), fillings="surroundings")
    as_is, without, only = report.coverings
    assert as_is.roc_auc.value > 0.97
    assert list(as_is.recall) == [0, 1, 2]
    assert without.recall[1].value < 0.2  # only this class needs the corner
    assert without.recall[2].value > 0.8
    assert 0.6 < without.roc_auc.value < as_is.roc_auc.value
    assert only.recall[2].value < 0.5
    present = y != 0
    some = region_reliance(model, images[present], y[present], region=corner(), heatmap=None)
    assert math.isnan(some.coverings[0].recall[0].value)
    assert some.coverings[0].roc_auc.value > 0.97


def test_it_is_shown_as_text_table_picture_and_plain_values(report):
    text = str(report)
    assert text.startswith("80 images; the region is 11.1% of their area")
    assert "as it is                        1.000 (0.955 to 1.000)" in text
    html = report._repr_html_()
    assert "region covered, surroundings" in html
    assert "recall(marked)" in html
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["coverings"][0]["accuracy"]["value"] == 1
    assert plain["classes"][0]["label"] == "marked"
    table = report.to_pandas()
    assert len(table) == 5
    assert table["filling"].tolist() == ["", "surroundings", "noise", "surroundings", "noise"]
    assert (table["roc_auc_low"] <= table["roc_auc"]).all()
    assert {"recall(plain)", "recall(marked)_high"} <= set(table.columns)


def test_the_picture_has_a_row_per_covering(report):
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="pictures need matplotlib")
    display = report.plot()
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == [one.name for one in report.coverings]
    assert display.ax_.get_xlabel() == "area under the ROC curve"
    _, ax = pyplot.subplots()
    assert sl.plot.reliance(report, measure="accuracy", ax=ax).ax_ is ax
    with pytest.raises(ValueError, match=r"plot.reliance: expected measure among"):
        report.plot(measure="f1")
    pyplot.close("all")


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (corner(20), r"image 0: expected a mask of the image's shape \(24, 24\), got \(20, 24\)"),
        (np.zeros((24, 24), bool), "image 0: expected a mask that covers a part .* an empty one"),
        (np.ones((24, 24), bool), "image 0: expected a mask that covers a part .* a full one"),
        ([corner()] * 5 + [~corner() & corner()] * 3, "image 5: .* an empty one"),
        (corner().astype(np.uint8), "image 0: expected a boolean mask, got uint8"),
        ([corner()] * 7, r"expected one mask per image \(8\).* got 7"),
        ("lungs", "expected region as a boolean mask, .* got str"),
        (3, "expected region as a boolean mask, .* got int"),
    ],
)
def test_names_bad_masks(fitted, region, message):
    images, y = marked(8)
    with pytest.raises(ValueError, match=f"region_reliance: {message}"):
        region_reliance(fitted, images, y, region=region, heatmap=None)


def test_a_mask_that_vanishes_in_the_networks_input_is_named(fitted):
    images = np.random.default_rng(0).integers(0, 255, size=(4, 240, 240), dtype=np.uint8)
    dot = np.zeros((240, 240), bool)
    dot[0, 0] = True
    with pytest.raises(ValueError, match="one that is empty in the size of the network's input"):
        region_reliance(fitted, images, ["plain", "marked"] * 2, region=dot)


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (["plain"] * 8, {}, "expected images of at least 2 classes, got only 'plain'"),
        (["plain", "other"] * 4, {}, "expected labels among .* got 'other'"),
        (["plain", "marked"] * 3, {}, r"expected one label per image \(8\), got 6"),
        (None, {}, "expected labels y, got None"),
        (CLASSES * 4, {"fillings": "black"}, "expected fillings among"),
        (CLASSES * 4, {"heatmap": "saliency"}, "expected heatmap as 'grad_cam'"),
        (CLASSES * 4, {"n_heatmaps": 0}, "expected n_heatmaps as a whole number from 1"),
        (CLASSES * 4, {"confidence": 1}, r"expected confidence in \(0, 1\)"),
        (CLASSES * 4, {"groups": [1, 2]}, r"expected one group per image \(8\), got 2"),
    ],
)
def test_names_bad_arguments(fitted, y, options, message):
    images, _ = marked(8)
    with pytest.raises(ValueError, match=f"region_reliance: {message}"):
        region_reliance(fitted, images, y, region=corner(), **options)


def test_an_architecture_without_feature_maps_needs_occlusion():
    images, y = marked(48)
    model = fit(images, y, "mlp", max_epochs=2)
    with pytest.raises(ValueError, match="use heatmap='occlusion' or None"):
        region_reliance(model, images, y, region=corner())
    report = region_reliance(
        model, images, y, region=corner(), fillings="grey", heatmap="occlusion", n_heatmaps=3
    )
    assert report.classes[0].heatmap_fraction.value > 2 * report.classes[0].region_fraction


def test_a_single_heat_map_has_no_interval(fitted):
    images, y = marked(8)
    report = region_reliance(
        fitted, images, y, region=corner(), fillings="grey", n_heatmaps=1, groups=[0] * 8
    )
    found = SimpleNamespace(**report.classes[0].to_dict())
    assert found.n_heatmaps <= 1
    assert found.heatmap_fraction["low"] is None
