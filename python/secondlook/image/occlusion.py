"""Occlusion maps: how much a prediction depends on each part of an image."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from secondlook import _image
from secondlook._shared.arguments import as_number, as_whole_number
from secondlook.image.decode import Pixels
from secondlook.image.fillings import Filling, covered, middle_grey

__all__ = ["map_agreement", "occlusion_map_of"]

_BATCH = 64


def occlusion_map_of(
    who: str,
    predict: Callable[[list[Any]], NDArray[np.float64]],
    pixels: Pixels,
    column: int,
    *,
    input_size: tuple[int, int],
    value_range: Sequence[float],
    patch_size: float,
    stride: float,
    filling: Filling,
) -> NDArray[np.float32]:
    """Return the mean loss of probability of the patches that cover each pixel."""
    fraction, step = as_number(who, "patch_size", patch_size), as_number(who, "stride", stride)
    if not 0 < fraction < 1:
        raise ValueError(f"{who}: expected patch_size in (0, 1), got {fraction:g}")
    if not 0 < step <= fraction:
        raise ValueError(
            f"{who}: expected stride in (0, patch_size], got {step:g}; a larger one leaves gaps"
        )
    # As the network resizes the image first, this gives the same and costs less.
    small = _image.resize(pixels, *input_size)
    grey = middle_grey(small.dtype, value_range)
    patches = [
        (slice(row, row + height), slice(column_, column_ + width))
        for row, height in _starts(input_size[0], fraction, step)
        for column_, width in _starts(input_size[1], fraction, step)
    ]
    whole = predict([small])[0, column]
    total, count = np.zeros(input_size), np.zeros(input_size)
    for begin in range(0, len(patches), _BATCH):
        batch = patches[begin : begin + _BATCH]
        images = []
        for patch in batch:
            where = np.zeros(input_size, dtype=bool)
            where[patch] = True
            images.append(covered(small, where, filling, grey, np.random.default_rng(0)))
        for patch, p in zip(batch, predict(images)[:, column], strict=True):
            total[patch] += whole - p
            count[patch] += 1
    return _resampled((total / count).astype(np.float32), pixels.shape[:2])


def map_agreement(first: ArrayLike, second: ArrayLike, *, grid: int = 7) -> float:
    """Return the rank correlation of two maps of one image, by the means over a common grid.

    Grad-CAM of a network with an input of 224 × 224 has 7 × 7 values itself; a finer grid compares
    its interpolation.

    Parameters
    ----------
    first, second : array-like of shape (rows, columns)
        Such as `ImageClassifier.heatmap` and `ImageClassifier.occlusion_map`; sizes may differ.
    grid : int, default=7
        Rows and columns of the grid; at least 2.

    Returns
    -------
    correlation : float
        Spearman's, from -1 to 1; NaN if a map is constant.

    Raises
    ------
    ValueError
        If a map has fewer rows or columns than the grid, or values that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook.image import map_agreement
    >>> map_agreement(np.eye(14), -np.eye(28))
    -1.0
    """
    who = "map_agreement"
    cells = as_whole_number(who, "grid", grid, 2)
    ranks = [rankdata(_cell_means(who, one, cells)) for one in (first, second)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return float("nan")
    return round(float(np.corrcoef(*ranks)[0, 1]), 12)


def _starts(side: int, patch_size: float, stride: float) -> list[tuple[int, int]]:
    """Return where patches begin, from edge to edge, and their length in pixels."""
    length = min(max(1, round(patch_size * side)), side)
    n = 1 + int(np.ceil((side - length) / max(1.0, stride * side) - 1e-9))
    return [(int(start), length) for start in np.rint(np.linspace(0, side - length, n))]


def _resampled(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    resized: NDArray[np.float32] = _image.resize(values, *size)
    return resized


def _cell_means(who: str, values: ArrayLike, cells: int) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or min(array.shape) < cells or not np.isfinite(array).all():
        raise ValueError(
            f"{who}: expected finite maps of at least {cells} rows and columns, got shape "
            f"{array.shape}"
        )
    for axis, side in enumerate(array.shape):
        edges = np.linspace(0, side, cells + 1).astype(np.intp)
        widths = np.diff(edges).reshape((-1, 1) if axis == 0 else (1, -1))
        array = np.add.reduceat(array, edges[:-1], axis=axis) / widths
    return array.ravel()
