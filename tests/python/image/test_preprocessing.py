import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

import secondlook as sl
from secondlook.image import preprocess

RANDOM = np.random.default_rng(0)


def test_scaled_channels_first():
    pixels = RANDOM.integers(0, 256, size=(5, 7, 3), dtype=np.uint8)
    x = preprocess(pixels, size=(5, 7), mean=(0.1, 0.2, 0.3), standard_deviation=0.25)
    assert x.dtype == np.float32
    expected = (pixels / 255 - [0.1, 0.2, 0.3]) / 0.25
    np.testing.assert_allclose(x, expected.transpose(2, 0, 1), atol=1e-5)


def test_options_are_checked():
    pixels = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="expected 1 or 3 channels, got 2"):
        preprocess(pixels, channels=2)
    with pytest.raises(ValueError, match="contrast: expected one of 'none', 'stretch', 'clahe'"):
        preprocess(pixels, contrast="more")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected a size of 1 to 8192 pixels per side, got 0 × 0"):
        preprocess(pixels, size=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"size": (16,)},
            "preprocess: expected size as a whole number or (rows, columns), got (16,)",
        ),
        ({"size": 16.5}, "preprocess: expected size as a whole number"),
        ({"size": "16"}, "preprocess: expected size as a whole number"),
        ({"value_range": 5}, "preprocess: expected value_range as 2 numbers, got 5"),
        ({"mean": "grey"}, "preprocess: expected mean as a number or three, got 'grey'"),
        ({"mean": (0.5, 0.5)}, "preprocess: expected mean as a number or three"),
        (
            {"clipped_fraction": np.nan},
            "preprocess: clipped_fraction must lie in [0, 0.4], got nan",
        ),
    ],
)
def test_options_of_another_kind_are_named(options, message):
    with pytest.raises(ValueError) as error:
        preprocess(np.zeros((4, 4), np.uint8), **options)
    assert message in str(error.value)


def test_numpys_numbers_are_taken():
    pixels = RANDOM.integers(0, 256, size=(4, 6), dtype=np.uint8)
    np.testing.assert_array_equal(
        preprocess(
            pixels, size=np.int64(4), mean=np.float32(0.5), clipped_fraction=np.float64(0.1)
        ),
        preprocess(pixels, size=(4, 4), mean=0.5, clipped_fraction=0.1),
    )
    assert sl.Augmentation(noise=np.float32(0.25)).apply(pixels).shape == pixels.shape


def test_augmentation_is_a_value_that_repeats():
    augmentation = sl.Augmentation(rotation=10, horizontal_flip=0.5, noise=0.02)
    assert augmentation == sl.Augmentation(rotation=10, horizontal_flip=0.5, noise=0.02)
    pixels = RANDOM.integers(0, 65536, size=(24, 40, 3), dtype=np.uint16)
    once = augmentation.apply(pixels, seed=1, epoch=2, index=3)
    assert once.dtype == np.uint16
    assert once.shape == pixels.shape
    np.testing.assert_array_equal(once, augmentation.apply(pixels, seed=1, epoch=2, index=3))
    assert (once != augmentation.apply(pixels, seed=1, epoch=2, index=4)).any()


def test_augmentation_refuses_what_is_out_of_range():
    with pytest.raises(ValueError, match=r"Augmentation: shear must lie in \[0, 59\], got 80"):
        sl.Augmentation(shear=80)
    with pytest.raises(ValueError, match="rotation: expected a number"):
        sl.Augmentation(rotation="10")  # type: ignore[arg-type]
    for value in (np.nan, np.inf):
        with pytest.raises(
            ValueError, match=rf"Augmentation: noise must lie in \[0, 1\], got {value}"
        ):
            sl.Augmentation(noise=value)


@pytest.mark.parametrize("name", ["seed", "epoch", "index"])
def test_seed_epoch_and_index_must_be_at_least_0(name):
    for value in (-1, 1.5, 2**64):
        with pytest.raises(ValueError) as error:
            sl.Augmentation().apply(np.zeros((4, 4), np.uint8), **{name: value})
        assert str(error.value) == (
            f"Augmentation.apply: expected {name} as a whole number from 0 to 2⁶⁴ - 1, got {value}"
        )
