import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")
import secondlook as sl
from secondlook.image.tables import reasons

pd = pytest.importorskip("pandas", reason="pandas makes the tables")
Image = pytest.importorskip("PIL.Image", reason="Pillow writes the files to read")


def squares(n, seed=0):
    random = np.random.default_rng(seed)
    images = random.integers(0, 100, size=(n, 16, 16), dtype=np.uint8)
    for image in images[1::2]:
        top, left = random.integers(0, 10, size=2)
        image[top : top + 6, left : left + 6] += 120
    return images, np.where(np.arange(n) % 2, "square", "noise")


@pytest.fixture(scope="module")
def fitted():
    images, y = squares(96)
    model = sl.ImageClassifier(
        "small_cnn", image_size=16, max_epochs=4, batch_size=16, random_state=0, n_jobs=1
    )
    return model.fit(images, y, groups=range(96))


@pytest.fixture
def files(tmp_path):
    for i, image in enumerate(squares(6, seed=7)[0]):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    return tmp_path


def test_one_path_is_one_image(fitted, files):
    file = files / "1.png"
    expected = fitted.predict_proba([file])
    for path in (file, str(file)):
        np.testing.assert_array_equal(fitted.predict_proba(path), expected)
        assert fitted.predict(path).shape == (1,)
        assert fitted.features(path).shape == (1, 160)
    with pytest.raises(ValueError) as error:
        fitted.predict(files / "no.png")
    assert str(error.value) == (
        "ImageClassifier.predict_proba: expected images, an image file or a folder, got "
        f"{files / 'no.png'}, which does not exist"
    )


def test_predictions_are_a_table(fitted, files):
    table = fitted.predict_table(files)
    assert table.columns.tolist() == ["file", "prediction", "p(noise)", "p(square)"]
    assert table["file"].tolist() == [str(files / f"{i}.png") for i in range(6)]
    np.testing.assert_array_equal(table["prediction"], fitted.predict(files))
    np.testing.assert_array_equal(table.iloc[:, 2:], fitted.predict_proba(files))
    images = squares(3, seed=7)[0]
    assert fitted.predict_table(images)["file"].tolist() == [0, 1, 2]
    mixed = fitted.predict_table([images[0], files / "1.png"])
    assert mixed["file"].tolist() == [0, str(files / "1.png")]
    assert len(fitted.predict_table(files / "1.png", test_time_augmentation="flip")) == 1


@pytest.mark.filterwarnings("ignore::secondlook.DriftWarning")
def test_decisions_are_a_table_with_reasons(fitted):
    held_out, truth = squares(120, seed=4)
    images, _ = squares(60, seed=7)
    score = fitted.anomaly_score(images)
    low, high = np.quantile(score, [0.3, 0.7])
    rule = sl.DecisionRule(sl.SuspiciousBand.at(low, high))
    fitted.decision_rule_ = rule.fit(fitted.anomaly_score(held_out), truth == "square")
    table = fitted.decide_table(images)
    assert table.columns.tolist() == [
        *("file", "score", "probability", "decision", "out_of_distribution", "reasons")
    ]
    np.testing.assert_array_equal(table["score"], score)
    assert table["probability"].isna().all()  # the rule has no calibration
    np.testing.assert_array_equal(table["decision"], fitted.decide(images))
    assert table["out_of_distribution"].isna().all()
    assert set(table["decision"]) == {"negative", "refer", "positive"}
    words = {"negative": "is below", "refer": "lies in", "positive": "is above"}
    for decision, why in zip(table["decision"], table["reasons"], strict=True):
        assert why.startswith("score ")
        assert f" {words[decision]} the suspicious band 0." in why


@pytest.mark.filterwarnings("ignore::secondlook.DriftWarning")
def test_images_out_of_distribution_are_marked(fitted):
    images, y = squares(96)
    held_out, truth = squares(120, seed=4)
    guard = sl.FeatureDistance(false_alarm_rate=0.1, random_state=0).fit(fitted.features(images), y)
    rule = sl.DecisionRule(threshold={"maximize": "f_beta"}, feature_distance=guard)
    fitted.decision_rule_ = rule.fit(fitted.anomaly_score(held_out), truth == "square")
    shown = [*squares(4, seed=7)[0], np.full((16, 16), 255, np.uint8)]
    table = fitted.decide_table(shown)
    np.testing.assert_array_equal(table["decision"], fitted.decide(shown))
    assert str(table["out_of_distribution"].dtype) == "boolean"
    assert table["out_of_distribution"].iloc[-1]
    assert table["decision"].iloc[-1] == "refer"
    assert table["reasons"].iloc[-1].startswith("out of distribution: features far from those of")
    known = table[~table["out_of_distribution"]]
    assert known["reasons"].str.contains("the threshold 0").all()


def spoil(folder):
    """Write files that cannot be read among those that can, and return their reasons."""
    (folder / "2.png").write_text("not an image")
    whole = (folder / "4.png").read_bytes()
    (folder / "4.png").write_bytes(whole[: len(whole) // 2])
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    return {"2.png": "expected a JPEG, PNG", "4.png": "truncated", "gone.png": "cannot open"}


def test_a_broken_image_is_an_error_or_a_row_without_a_prediction(fitted, files):
    expected = fitted.predict_proba([files / f"{i}.png" for i in (0, 1, 3, 5)])
    reasons_of = spoil(files)
    with pytest.raises(ValueError, match="2.png: expected a JPEG"):
        fitted.predict_table(files)
    table = fitted.predict_table(files, skip_broken=True)
    assert table.columns.tolist() == ["file", "prediction", "p(noise)", "p(square)", "error"]
    broken = table["error"] != ""
    assert [Path(file).name for file in table["file"][broken]] == list(reasons_of)
    for error, why in zip(table["error"][broken], reasons_of.values(), strict=True):
        assert why in error
    assert table[broken].iloc[:, 1:4].isna().all(axis=None)
    np.testing.assert_allclose(table[~broken].iloc[:, 2:4].astype(float), expected, rtol=1e-6)
    whole = fitted.predict_table(squares(40)[0], skip_broken=True)
    np.testing.assert_array_equal(whole["p(noise)"], fitted.predict_proba(squares(40)[0])[:, 0])
    assert set(whole["prediction"]) == {"noise", "square"}


@pytest.mark.filterwarnings("ignore::secondlook.DriftWarning")
@pytest.mark.parametrize("with_guard", [False, True])
def test_the_decision_on_a_broken_image_is_unknown(fitted, files, with_guard):
    images, y = squares(96)
    guard = sl.FeatureDistance(false_alarm_rate=0.1, random_state=0).fit(fitted.features(images), y)
    rule = sl.DecisionRule(
        calibration="platt",
        threshold={},
        feature_distance=guard if with_guard else None,
    )
    fitted.decision_rule_ = rule.fit(fitted.anomaly_score(images), y == "square")
    readable = [files / f"{i}.png" for i in (0, 1, 3, 5)]
    expected = fitted.decide_table(readable)
    reasons_of = spoil(files)
    with pytest.raises(ValueError, match="2.png: expected a JPEG"):
        fitted.decide_table(files)
    table = fitted.decide_table(files, skip_broken=True)
    broken = table["decision"] == "unknown"
    assert [Path(file).name for file in table["file"][broken]] == list(reasons_of)
    for found, why in zip(table["reasons"][broken], reasons_of.values(), strict=True):
        assert found.startswith("cannot be read: ")
        assert why in found
    assert table[broken][["score", "probability", "out_of_distribution"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(table[~broken].reset_index(drop=True), expected)
    nothing = fitted.decide_table([files / "2.png"], skip_broken=True)
    assert nothing["decision"].tolist() == ["unknown"]
    pixels = [squares(2)[0][1], np.full((16, 16), np.nan)]
    why = fitted.decide_table(pixels, skip_broken=True)["reasons"].iloc[1]
    assert why.startswith("cannot be read: expected floats in [0, 1], got NaN")


def test_one_broken_image_costs_no_other_its_prediction(fitted):
    images = list(squares(700)[0])
    expected = fitted.predict_proba(images)
    broken = [0, 255, 256, 300, 301, 699]
    for index in broken:
        images[index] = b"not an image"
    table = fitted.predict_table(images, skip_broken=True)
    assert np.flatnonzero(table["error"]).tolist() == broken
    kept = np.setdiff1d(np.arange(700), broken)
    np.testing.assert_allclose(table["p(noise)"][kept], expected[kept, 0], rtol=1e-5)


def test_a_table_needs_a_rule(fitted):
    del fitted.decision_rule_
    with pytest.raises(AttributeError, match="has no decision_rule_"):
        fitted.decide_table(squares(2)[0])


def test_reasons_show_enough_digits_to_tell_numbers_apart():
    class Rule:
        band_ = sl.SuspiciousBand.at(0.3, 0.615)
        threshold_ = None

    p = np.array([0.6149, 0.615, 0.1, 0.45])
    assert reasons(p, None, Rule) == [
        "score 0.6149 lies in the suspicious band 0.3000 to 0.6150",
        "score 0.61 is above the suspicious band 0.30 to 0.61",
        "score 0.10 is below the suspicious band 0.30 to 0.61",
        "score 0.45 lies in the suspicious band 0.30 to 0.61",
    ]


def test_without_pandas_a_table_says_how_to_get_it(fitted, tmp_path):
    fitted.save(tmp_path / "model.safetensors")
    script = (
        "import sys; sys.modules['pandas'] = None\n"
        "import numpy, secondlook\n"
        "model = secondlook.load(sys.argv[1])\n"
        "image = numpy.zeros((1, 16, 16), numpy.uint8)\n"
        "for table in (model.predict_table, model.decide_table):\n"
        "    try:\n        table(image)\n"
        "    except ImportError as error:\n        print(error)\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "model.safetensors")],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert printed == "".join(
        f"ImageClassifier.{name} needs pandas, which is not installed: pip install pandas\n"
        for name in ("predict_table", "decide_table")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict_table(squares(2)[0])
