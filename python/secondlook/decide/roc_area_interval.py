"""Confidence interval of the area under the ROC curve."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri
from scipy.stats import rankdata

from secondlook._shared.arguments import as_number
from secondlook.decide.binomial_interval import Estimate

__all__ = ["roc_area_interval"]


def roc_area_interval(
    y_true: ArrayLike,
    score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the area under the ROC curve with its confidence interval, by DeLong's method.

    With more than two classes it is the macro average: the mean of the areas of each class that
    occurs against all others. The interval is symmetric on the scale of the log-odds, which keeps
    it in [0, 1]. At an area of exactly 0 or 1 the estimated variance is 0; the interval is then the
    exact binomial one of as many cases as the rarest class has.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Index of the class of each sample: a column of `score`; 0 or 1 for a score of one column.
    score : array-like of shape (n_samples,) or (n_samples, n_classes)
        Of class 1, or of each class.
    groups : array-like of shape (n_samples,), optional
        Cases of one group, such as the images of a patient, need not be independent.
    confidence : float, default=0.95
        In (0, 1).

    Returns
    -------
    area : Estimate
        NaN if fewer than two classes occur.

    Raises
    ------
    ValueError
        If labels, groups and scores do not match, or are invalid.

    References
    ----------
    E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the Areas under Two or More
    Correlated Receiver Operating Characteristic Curves: A Nonparametric Approach", Biometrics 44,
    1988. N. A. Obuchowski, "Nonparametric Analysis of Clustered ROC Curve Data", Biometrics 53,
    1997, for groups.

    Examples
    --------
    >>> from secondlook.decide.roc_area_interval import roc_area_interval
    >>> roc_area_interval([0, 0, 0, 1, 1, 1], [0.1, 0.4, 0.5, 0.35, 0.8, 0.9])
    0.778 (0.173 to 0.983)
    """
    who = "roc_area_interval"
    scores = np.asarray(score, dtype=np.float64)
    if scores.ndim == 1:
        scores = np.column_stack([-scores, scores])
    labels = np.asarray(y_true)
    n = len(scores)
    if labels.shape != (n,) or labels.dtype.kind not in "biu":
        raise ValueError(
            f"{who}: expected the index of a class per score ({n}), got {labels.dtype} of shape "
            f"{labels.shape}"
        )
    if scores.ndim != 2 or not np.isfinite(scores).all():
        raise ValueError(f"{who}: expected finite scores, a column per class")
    if n and not (labels.min() >= 0 and labels.max() < scores.shape[1]):
        raise ValueError(
            f"{who}: expected classes from 0 to {scores.shape[1] - 1}, got {labels.min()} to "
            f"{labels.max()}"
        )
    of_group = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    if of_group.shape != (n,):
        raise ValueError(f"{who}: expected one group per score ({n}), got {of_group.shape}")
    level = as_number(who, "confidence", confidence)
    if not 0 < level < 1:
        raise ValueError(f"{who}: expected confidence in (0, 1), got {level}")

    present = np.unique(labels.astype(np.int64))
    if len(present) < 2:
        return Estimate(np.nan, np.nan, np.nan)
    parts = [_area_and_influence(labels == k, scores[:, k]) for k in present]
    if scores.shape[1] == 2:
        parts = parts[1:]  # the area of the other class is the same
    area = float(np.mean([part[0] for part in parts]))
    influence = np.mean([part[1] for part in parts], axis=0)
    if area in (0.0, 1.0):
        fewest = int(min(np.bincount(labels)[present]))
        reach = ((1 - level) / 2) ** (1 / fewest)
        return Estimate(area, reach if area else 0.0, 1.0 if area else 1 - reach)
    sums = np.bincount(of_group, influence)
    deviation = float(np.sqrt((sums**2).sum()))
    margin = float(ndtri((1 + level) / 2)) * deviation / (area * (1 - area))
    low, high = expit(logit(area) - margin), expit(logit(area) + margin)
    return Estimate(area, float(low), float(high))


def _area_and_influence(
    positive: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the area and each case's part in its error: its placement, centred and scaled.

    The sum of the squares is DeLong's variance, whose denominators are n (n - 1) per class.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    ranks = rankdata(score)
    placements = np.empty(len(score))
    placements[positive] = (ranks[positive] - rankdata(score[positive])) / n_negative
    placements[~positive] = 1 - (ranks[~positive] - rankdata(score[~positive])) / n_positive
    area = float(placements[positive].mean())
    counts = np.where(positive, n_positive, n_negative).astype(np.float64)
    return area, (placements - area) / np.sqrt(counts * np.maximum(counts - 1, 1))
