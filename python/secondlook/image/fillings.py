"""Values with which a part of an image is covered."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Filling = Literal["surroundings", "noise", "mean", "grey", "blur"]

# Standard deviations of the neighbourhood, relative to the longer side.
_NEAR = 0.08
_BLUR = 0.06


def as_fillings(who: str, fillings: Any) -> tuple[Filling, ...]:
    """Return the names of fillings, one or several."""
    names = [fillings] if isinstance(fillings, str) else list(fillings)
    known: tuple[Filling, ...] = get_args(Filling)
    chosen = tuple(name for name in known if name in names)
    if not names or len(chosen) < len(names):
        raise ValueError(f"{who}: expected fillings among {known}, each once, got {fillings!r}")
    return chosen


def covered(
    pixels: NDArray[Any],
    where: NDArray[np.bool_],
    filling: Filling,
    grey: float,
    random: np.random.Generator,
) -> NDArray[Any]:
    """Return the image with the pixels in `where` replaced.

    Parameters
    ----------
    pixels : ndarray of shape (rows, columns) or (rows, columns, 3)
    where : bool ndarray of shape (rows, columns)
        Neither empty nor full.
    filling : str
        ``"surroundings"``: a mean of the visible pixels, of which near ones count more, smooth and
        without an edge; ``"noise"``: normal, of the mean and the standard deviation of the visible
        pixels; ``"mean"``: the mean of the whole image; ``"grey"``: one value for all images;
        ``"blur"``: the image itself, without detail.
    grey : float
        Value of ``"grey"``.
    """
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    values = planes.astype(np.float64)
    filled = np.empty_like(values)
    for channel in range(values.shape[2]):
        plane = values[..., channel]
        filled[..., channel] = np.where(where, _fill(plane, where, filling, grey, random), plane)
    if pixels.dtype.kind == "u":
        filled = np.clip(np.rint(filled), 0, np.iinfo(pixels.dtype).max)
    elif filling == "noise":  # floats have a range of their own
        filled = np.clip(filled, values.min(), values.max())
    result: NDArray[Any] = filled.astype(pixels.dtype).reshape(pixels.shape)
    return result


def _fill(
    plane: NDArray[np.float64],
    where: NDArray[np.bool_],
    filling: Filling,
    grey: float,
    random: np.random.Generator,
) -> Any:
    visible = plane[~where]
    side = max(plane.shape)
    if filling == "mean":
        return plane.mean()
    if filling == "grey":
        return grey
    if filling == "noise":
        return random.normal(visible.mean(), visible.std(), plane.shape)
    if filling == "blur":
        return gaussian_filter(plane, _BLUR * side)
    weight = gaussian_filter((~where).astype(np.float64), _NEAR * side)
    near = gaussian_filter(np.where(where, 0, plane), _NEAR * side)
    # Where no visible pixel is near, the mean of all of them takes over.
    return (near + 1e-3 * visible.mean()) / (weight + 1e-3)


def middle_grey(dtype: np.dtype[Any], value_range: Sequence[float]) -> float:
    """Return the value halfway between black and white."""
    if dtype == np.uint8:
        return 127.5
    low, high = value_range
    if dtype.kind == "f" and (low, high) == (0, 65535):  # floats then lie in [0, 1]
        return 0.5
    return (low + high) / 2
