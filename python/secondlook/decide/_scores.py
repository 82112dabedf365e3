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


def as_labels(who: str, y_true: ArrayLike, n: int) -> NDArray[np.uint8]:
    """Return labels, one for each of `n` scores, as 0 (normal) and 1 (abnormal)."""
    array = np.asarray(y_true)
    if array.shape != (n,):
        raise ValueError(f"{who}: expected y_true of shape ({n},), got shape {array.shape}")
    wrong = np.flatnonzero((array != 0) & (array != 1))
    if wrong.size:
        place = int(wrong[0])
        raise ValueError(
            f"{who}: expected labels 0 (normal) and 1 (abnormal), got {array[place]!r} "
            f"at place {place}"
        )
    return np.ascontiguousarray(array, dtype=np.uint8)


def as_labelled(
    who: str, y_true: ArrayLike, score: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return scores and their labels, as the core takes them."""
    scores = as_scores(who, score)
    return scores, as_labels(who, y_true, len(scores))


def as_groups(who: str, groups: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """Return the number of each one's group, of whatever names; empty where there are none."""
    if groups is None:
        return np.empty(0, np.int64)
    array = np.asarray(groups)
    if array.shape != (n,):
        raise ValueError(f"{who}: expected groups of shape ({n},), got shape {array.shape}")
    return np.ascontiguousarray(np.unique(array, return_inverse=True)[1], dtype=np.int64)
