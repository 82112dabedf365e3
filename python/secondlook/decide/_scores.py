"""What every decision takes: scores, one a sample."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_scores(who: str, scores: ArrayLike, what: str = "scores") -> NDArray[np.float64]:
    """Return the scores as a contiguous float64 array of one dimension; the core checks values."""
    array = np.ascontiguousarray(scores, dtype=np.float64)
    if np.ndim(scores) != 1:
        raise ValueError(f"{who}: expected {what} of shape (n,), got shape {np.shape(scores)}")
    return array


def at_or_above(
    who: str, scores: ArrayLike, threshold: float | NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Say which scores are abnormal; NaN and infinity are refused, not judged."""
    array = as_scores(who, scores)
    if not np.isfinite(array).all():
        place = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"{who}: expected finite scores, got {array[place]} at place {place}")
    return array >= threshold
