"""Finding the two lungs in a chest X-ray, by fitting two ellipses."""

from __future__ import annotations  # secondlook.image, which needs torch, is imported when used

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter, label, zoom
from scipy.optimize import minimize
from scipy.special import expit

__all__ = ["LungField", "find_lungs"]

_INNER = 48  # Rows and columns of the image as it is searched,
_MARGIN = 8  # with a margin on each side, into which no lung should reach.
_SIDE = _INNER + 2 * _MARGIN
_LOCAL = 10.0  # Standard deviation of the neighbourhood with which a pixel is compared.
_BRIGHT = 0.7  # Of surroundings, in standard deviations of the neighbourhood.
_RIM = 1.35  # Outer radius of the rim around an ellipse, relative to the ellipse.
_MIN_CONTRAST = 0.6  # Of the worse of the two ellipses.
_MAX_AREA_RATIO = 2.0
_MAX_ROWS_APART = 0.15


@dataclass(frozen=True)
class LungField:
    """Where the lungs are in an X-ray, by `find_lungs`.

    Attributes
    ----------
    mask : bool ndarray of shape (rows, columns), or None
        True inside the two lungs; None if none were found.
    contrast : float
        How much darker the less clear one of the two is than the rim around it, in standard
        deviations of the neighbourhood.
    reason : str
        Why none were found; empty if some were. Such an image should be referred to a person.
    """

    mask: NDArray[np.bool_] | None
    contrast: float
    reason: str = ""


class _Ellipse(NamedTuple):
    """Egg, narrower above by its taper; lengths relative to the image, the tilt in radians."""

    row: float
    column: float
    height: float
    width: float
    tilt: float
    taper: float = 0.25


def find_lungs(image: Any) -> LungField:
    """Find the lungs in a frontal chest X-ray, shown upright.

    A pair of upright ellipses, alike on both sides of a midline, is moved over the image, at
    several sizes. Where the inside of both is darkest compared with the rim around them, each
    ellipse is fitted further by itself, with a tilt. Ribs, the heart and opacities do not divide
    a lung, as they would in a segmentation by a threshold alone; the outline is coarse.

    Parameters
    ----------
    image : path, bytes, array or PIL.Image.Image
        See `secondlook.image.read_image`. Bones are bright.

    Returns
    -------
    field : LungField

    Raises
    ------
    ValueError
        If the image is broken.

    References
    ----------
    A. L. Yuille, P. W. Hallinan, D. S. Cohen, "Feature Extraction from Faces Using Deformable
    Templates", International Journal of Computer Vision 8, 1992, for the method. B. van Ginneken,
    M. B. Stegmann, M. Loog, "Segmentation of Anatomical Structures in Chest Radiographs Using
    Supervised Methods", Medical Image Analysis 10, 2006, for what trained methods reach.
    """
    from secondlook.image import read_image

    pixels = np.asarray(read_image(image), dtype=np.float64)
    grey = pixels.mean(axis=2) if pixels.ndim == 3 else pixels
    low, high = np.percentile(grey, (2, 98))
    if not high > low:
        return LungField(None, 0.0, "the image has no contrast")
    picture = _prepared(np.clip((grey - low) / (high - low), 0, 1))
    pair = [_fitted(ellipse, picture) for ellipse in _best_pair(picture)]
    contrast = min(_contrast(ellipse, picture) for ellipse in pair)
    reason = _why_none(pair, contrast)
    if reason:
        return LungField(None, contrast, reason)
    mask = np.zeros(grey.shape, dtype=bool)
    for ellipse in pair:
        mask |= _distance(ellipse, *grey.shape) <= 1
    return LungField(mask, contrast)


def _why_none(pair: list[_Ellipse], contrast: float) -> str:
    """Return why a fitted pair is not taken for lungs; empty if it is."""
    if contrast < _MIN_CONTRAST:
        return (
            f"no two dark regions side by side: the contrast is {contrast:.2f}, expected at least "
            f"{_MIN_CONTRAST:.2f}"
        )
    areas = [ellipse.height * ellipse.width for ellipse in pair]
    if max(areas) > _MAX_AREA_RATIO * min(areas):
        return f"one dark region is {max(areas) / min(areas):.1f} times as large as the other"
    apart = abs(pair[0].row - pair[1].row)
    if apart > _MAX_ROWS_APART:
        return f"one dark region is {apart:.0%} of the image's height above the other"
    return ""


def _prepared(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a small smooth picture of local contrasts, with a bright margin on every side.

    The dark surroundings of the body become bright, too, so that only lungs are dark.
    """
    sigma = 0.5 * np.array(grey.shape) / _INNER
    smooth = gaussian_filter(grey, np.where(sigma > 0.5, sigma, 0))
    small = zoom(smooth, _INNER / np.array(grey.shape), order=1, grid_mode=True, mode="nearest")
    surroundings = _surroundings(small)
    small = gaussian_filter(small, 1.5)
    weight = gaussian_filter((~surroundings).astype(float), _LOCAL) + 1e-6
    mean = gaussian_filter(np.where(surroundings, 0, small), _LOCAL) / weight
    local = np.where(surroundings, 0, small - mean)
    spread = np.sqrt(gaussian_filter(local**2, _LOCAL) / weight) + 0.02
    bright = np.where(surroundings, _BRIGHT, np.clip(local / spread, -2, 2))
    return np.pad(bright, _MARGIN, constant_values=_BRIGHT)


def _surroundings(small: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the dark regions that touch the left, right or upper edge."""
    regions, _ = label(small < 0.2)
    edges = np.concatenate([regions[:, 0], regions[:, -1], regions[0]])
    found = np.isin(regions, np.unique(edges[edges > 0]))
    return np.asarray(binary_dilation(found, iterations=2) if found.any() else found)


def _distance(ellipse: _Ellipse, rows: int, columns: int, margin: int = 0) -> NDArray[np.float64]:
    """Return the distance of each pixel from the centre; the ellipse itself is at 1."""
    down = (np.arange(rows)[:, None] + 0.5 - margin) / (rows - 2 * margin) - ellipse.row
    right = (np.arange(columns)[None, :] + 0.5 - margin) / (columns - 2 * margin) - ellipse.column
    cosine, sine = np.cos(ellipse.tilt), np.sin(ellipse.tilt)
    along, across = cosine * down + sine * right, cosine * right - sine * down
    along /= ellipse.height
    width = ellipse.width * np.clip(1 + ellipse.taper * along, 0.3, 1.7)  # narrower above
    distance: NDArray[np.float64] = np.hypot(along, across / width)
    return distance


def _weights(ellipse: _Ellipse) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the inside and the rim as soft masks, smooth in the parameters of the ellipse."""
    distance = _distance(ellipse, _SIDE, _SIDE, _MARGIN)
    inside = expit(14 * (1 - distance))
    return inside, expit(14 * (_RIM - distance)) - inside


def _contrast(ellipse: _Ellipse, picture: NDArray[np.float64]) -> float:
    inside, rim = _weights(ellipse)
    return float((rim * picture).sum() / rim.sum() - (inside * picture).sum() / inside.sum())


def _size_weight(height: float, width: float) -> float:
    """Return the weight of a contrast: of two regions that are equally dark, prefer the larger."""
    return float((height * width) ** 0.35)


@cache
def _pairs() -> tuple[list[tuple[_Ellipse, _Ellipse]], NDArray[np.float32]]:
    """Return pairs of ellipses, and for each the weights of the pixels in its score."""
    pairs, weights = [], []
    for row, middle, apart, height, width, tilt in product(
        (0.4, 0.45, 0.5, 0.55, 0.6),
        (0.42, 0.46, 0.5, 0.54, 0.58),
        (0.16, 0.2, 0.24),
        (0.24, 0.29, 0.34, 0.39),
        (0.1, 0.13, 0.16, 0.19),
        (0.0, 0.15),
    ):
        if width > 0.9 * apart:
            continue
        pair = tuple(
            _Ellipse(row, middle + side * apart, height, width, side * tilt) for side in (-1, 1)
        )
        score = np.zeros((_SIDE, _SIDE))
        for ellipse in pair:
            inside, rim = _weights(ellipse)
            score += _size_weight(height, width) * (rim / rim.sum() - inside / inside.sum())
        pairs.append((pair[0], pair[1]))
        weights.append(score.astype(np.float32).ravel())
    return pairs, np.array(weights)


def _best_pair(picture: NDArray[np.float64]) -> tuple[_Ellipse, _Ellipse]:
    pairs, weights = _pairs()
    return pairs[int(np.argmax(weights @ picture.astype(np.float32).ravel()))]


def _fitted(start: _Ellipse, picture: NDArray[np.float64]) -> _Ellipse:
    """Return the ellipse near `start` that is the darkest compared with its rim."""
    scale = np.array([0.05, 0.03, 0.05, 0.03, 0.12, 0.15])

    def loss(steps: NDArray[np.float64]) -> float:
        ellipse = _Ellipse(*(np.array(start) + scale * steps))
        if ellipse.height < 0.1 or ellipse.width < 0.04:
            return 1.0
        size = (ellipse.height * ellipse.width) ** 0.2
        return float(-size * _contrast(ellipse, picture) + 2e-3 * (steps**2).sum())

    found = minimize(loss, np.zeros(6), method="Nelder-Mead", options={"maxfev": 300})
    return _Ellipse(*(np.array(start) + scale * found.x).tolist())
