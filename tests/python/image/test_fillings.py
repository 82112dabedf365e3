from typing import get_args

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

from secondlook.image.fillings import Filling, as_fillings, covered, middle_grey

FILLINGS = get_args(Filling)


def picture(seed=0, channels=None, dtype=np.uint8):
    shape = (30, 20) if channels is None else (30, 20, channels)
    values = np.random.default_rng(seed).integers(40, 200, size=shape)
    return (values / 255).astype(dtype) if np.dtype(dtype).kind == "f" else values.astype(dtype)


def corner():
    where = np.zeros((30, 20), bool)
    where[:10, :8] = True
    return where


def cover(pixels, filling, seed=0):
    return covered(pixels, corner(), filling, 99.0, np.random.default_rng(seed))


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize(("channels", "dtype"), [(None, np.uint8), (3, np.uint16), (3, np.float32)])
def test_visible_pixels_stay_and_hidden_ones_are_replaced(filling, channels, dtype):
    pixels = picture(channels=channels, dtype=dtype)
    found = cover(pixels, filling)
    assert (found.dtype, found.shape) == (pixels.dtype, pixels.shape)
    assert (found[~corner()] == pixels[~corner()]).all()
    assert (found[corner()] != pixels[corner()]).mean() > 0.9


@pytest.mark.parametrize("filling", ["surroundings", "noise", "grey"])
def test_these_fillings_tell_nothing_about_what_is_hidden(filling):
    pixels, other = picture(0), picture(0)
    other[corner()] = 255
    assert (cover(pixels, filling) == cover(other, filling)).all()


@pytest.mark.parametrize("filling", ["mean", "blur"])
def test_these_fillings_tell_how_bright_the_hidden_part_was(filling):
    pixels, other = picture(0), picture(0)
    other[corner()] = 255
    hidden = corner()
    assert cover(other, filling)[hidden].mean() > cover(pixels, filling)[hidden].mean() + 5


def test_surroundings_continue_a_constant_image_and_a_slope():
    flat = np.full((30, 20), 77, np.uint8)
    assert (cover(flat, "surroundings") == 77).all()
    slope = np.tile(np.arange(30.0)[:, None] * 8, (1, 20)).astype(np.uint8)
    hidden = np.zeros((30, 20), bool)
    hidden[12:18, 8:12] = True
    found = covered(slope, hidden, "surroundings", 0, np.random.default_rng(0))
    assert np.abs(found.astype(int) - slope)[hidden].max() <= 24  # three of 30 rows


def test_noise_has_the_moments_of_the_visible_pixels():
    pixels = picture()
    found = cover(pixels, "noise")[corner()].astype(float)
    visible = pixels[~corner()].astype(float)
    assert abs(found.mean() - visible.mean()) < 4 * visible.std() / np.sqrt(80)
    assert 0.7 < found.std() / visible.std() < 1.3


def test_grey_is_halfway_between_black_and_white():
    assert middle_grey(np.dtype(np.uint8), (0, 65535)) == 127.5
    assert middle_grey(np.dtype(np.uint16), (0, 4000)) == 2000
    assert middle_grey(np.dtype(np.float32), (0, 65535)) == 0.5
    assert middle_grey(np.dtype(np.float32), (-20, 80)) == 30


@pytest.mark.parametrize("bad", ["black", [], ["mean", "mean"], ["mean", "black"]])
def test_unknown_fillings_are_refused(bad):
    with pytest.raises(ValueError, match="who: expected fillings among"):
        as_fillings("who", bad)
