"""Regions of images: the user's masks, checked, and in the size of a network's input."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.image.decode import Pixels

# One mask for all images, one per image, or a function of the pixels that returns one or None.
Region = NDArray[np.bool_] | Sequence[Any] | Callable[[Pixels], Any]


class RegionMasks:
    """The mask of each image, checked when it is asked for.

    Raises
    ------
    ValueError
        If the masks are not boolean, or there is not one per image.
    """

    def __init__(self, who: str, region: Any, n_images: int) -> None:
        self._who = who
        self._of: Callable[[int, Pixels], Any]
        if callable(region):
            self._of = lambda _, pixels: region(pixels)
            return
        if isinstance(region, np.ndarray) and region.ndim == 2:
            self._of = lambda index, pixels: region
            return
        if isinstance(region, str | bytes) or not hasattr(region, "__len__"):
            raise ValueError(
                f"{who}: expected region as a boolean mask, one per image, or a function that "
                f"returns one, got {type(region).__name__}"
            )
        if len(region) != n_images:
            raise ValueError(
                f"{who}: expected one mask per image ({n_images}), or one array of shape (rows, "
                f"columns) for all, got {len(region)}"
            )
        self._of = lambda index, pixels: region[index]

    def of(self, index: int, pixels: Pixels) -> NDArray[np.bool_] | None:
        """Return the mask of an image; None if there is none.

        Raises
        ------
        ValueError
            If it is not boolean, is of another size than the image, is empty, or is full.
        """
        found = self._of(index, pixels)
        if found is None:
            return None
        mask, size = np.asarray(found), pixels.shape[:2]
        where = f"{self._who}: image {index}"
        if mask.dtype != np.bool_:
            raise ValueError(
                f"{where}: expected a boolean mask, got {mask.dtype}; compare it, such as mask > 0"
            )
        if mask.shape != size:
            raise ValueError(
                f"{where}: expected a mask of the image's shape {size}, got {mask.shape}"
            )
        if mask.all() or not mask.any():
            what = "a full" if mask.all() else "an empty"
            raise ValueError(
                f"{where}: expected a mask that covers a part of the image, got {what} one; "
                "for an image without a region give None"
            )
        return mask


def resized_mask(mask: NDArray[np.bool_], rows: int, columns: int) -> NDArray[np.bool_]:
    """Return the mask at another size, by the pixel at each centre."""
    down = ((np.arange(rows) + 0.5) * mask.shape[0] / rows).astype(np.intp)
    right = ((np.arange(columns) + 0.5) * mask.shape[1] / columns).astype(np.intp)
    resized: NDArray[np.bool_] = mask[np.ix_(down, right)]
    return resized
