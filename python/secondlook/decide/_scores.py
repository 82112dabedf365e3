"""Checks of the scores, labels and groups that every decision takes, one per sample."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook._shared.missing import where_missing
from secondlook._shared.table import read_column


def as_scores(who: str, scores: ArrayLike, what: str = "scores") -> NDArray[np.float64]:
    """Return the scores as a contiguous 1-D float64 array; the core checks the values."""
    return read_column(who, scores, what)


def at_or_above(
    who: str, scores: ArrayLike, threshold: float | NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which scores are at or above the threshold; NaN and infinity are errors."""
    return as_finite_scores(who, scores, fewest=0) >= threshold


def as_finite_scores(who: str, scores: ArrayLike, fewest: int = 1) -> NDArray[np.float64]:
    """Return checked scores, for callers whose name the core's own error would not give."""
    array = as_scores(who, scores)
    if len(array) < fewest:
        raise ValueError(f"{who}: expected at least {fewest} score, got {len(array)}")
    if not np.isfinite(array).all():
        index = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"{who}: expected finite scores, got {array[index]} at index {index}")
    return array


def as_labels(who: str, y_true: ArrayLike, n: int) -> NDArray[np.uint8]:
    """Return the labels of `n` scores as 0 (normal) and 1 (abnormal)."""
    return as_classes(who, y_true, n, 2, "labels 0 (normal) and 1 (abnormal)").astype(np.uint8)


def as_classes(
    who: str, y_true: ArrayLike, n: int, n_classes: int, expected: str
) -> NDArray[np.int64]:
    """Return the class index of each sample, from 0; values that are not whole are refused."""
    array = np.asarray(y_true)
    if array.shape != (n,):
        raise ValueError(f"{who}: expected y_true of shape ({n},), got shape {array.shape}")
    wrong = where_missing(y_true)
    if not wrong.any():
        wrong = np.ones(n, dtype=bool)
        for number in range(n_classes):
            wrong &= np.asarray(array != number, dtype=bool)
    if wrong.any():
        raise ValueError(f"{who}: expected {expected}, got {_first(y_true, wrong)}")
    return np.ascontiguousarray(array, dtype=np.int64)


def as_labelled(
    who: str, y_true: ArrayLike, score: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return finite scores and their labels in the core's types."""
    scores = as_finite_scores(who, score)
    return scores, as_labels(who, y_true, len(scores))


def as_labelled_of_both(
    who: str, y_true: ArrayLike, score: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return finite scores and their labels, at least one of each class."""
    scores, labels = as_labelled(who, y_true, score)
    n_positives = int(labels.sum())
    if n_positives in (0, len(labels)):
        raise ValueError(
            f"{who}: expected labels of both classes, got {n_positives} positive and "
            f"{len(labels) - n_positives} negative"
        )
    return scores, labels


def as_groups(
    who: str, groups: ArrayLike | None, n: int, what: str = "groups"
) -> NDArray[np.int64]:
    """Return the group index of each sample, for group names of any kind; empty without groups."""
    if groups is None:
        return np.empty(0, np.int64)
    array = np.asarray(groups)
    if array.shape != (n,):
        raise ValueError(f"{who}: expected {what} of shape ({n},), got shape {array.shape}")
    missing = where_missing(groups)
    if missing.any():  # they are not one group: the group of each is unknown
        raise ValueError(
            f"{who}: expected {what} without missing values, got {_first(groups, missing)}"
        )
    try:
        return np.ascontiguousarray(np.unique(array, return_inverse=True)[1], dtype=np.int64)
    except TypeError as error:
        raise ValueError(f"{who}: expected {what} of one kind: {error}") from None


def as_mask(who: str, out_of_distribution: ArrayLike | None, n: int) -> NDArray[np.uint8]:
    """Return which of `n` cases are out of distribution; empty if the argument is None."""
    if out_of_distribution is None:
        return np.empty(0, np.uint8)
    mask = np.asarray(out_of_distribution)
    if mask.shape != (n,):
        raise ValueError(
            f"{who}: expected out_of_distribution of shape ({n},), got shape {mask.shape}"
        )
    if mask.dtype != np.bool_:
        raise ValueError(
            f"{who}: expected out_of_distribution of bool, as returned by "
            f"FeatureDistance.is_out_of_distribution, got {mask.dtype}"
        )
    return np.ascontiguousarray(mask).view(np.uint8)


def _first(values: ArrayLike, chosen: NDArray[np.bool_]) -> str:
    index = int(np.flatnonzero(chosen)[0])
    return f"{np.asarray(values, dtype=object)[index]!r} at index {index}"
