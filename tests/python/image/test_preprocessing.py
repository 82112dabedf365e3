import numpy as np
import pytest

pytest.importorskip("torch", reason="the image room needs torch")

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
    with pytest.raises(ValueError, match="expected a size of 1 to 8192 pixels a side, got 0 × 0"):
        preprocess(pixels, size=0)


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
