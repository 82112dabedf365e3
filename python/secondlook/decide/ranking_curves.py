"""What every threshold would do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook.decide._scores import as_labelled


@dataclass(frozen=True)
class RocCurve:
    """Receiver operating characteristic: recall against false-alarm rate.

    Attributes
    ----------
    thresholds : ndarray of shape (n_points,)
        Falling: infinity, above which nothing is, then every distinct score.
    false_alarm_rate, recall : ndarray of shape (n_points,)
        Of the normal and of the abnormal cases; rising.
    area : float
        Chance that an abnormal case scores above a normal one, ties counting half.
    """

    thresholds: NDArray[np.float64]
    false_alarm_rate: NDArray[np.float64]
    recall: NDArray[np.float64]
    area: float


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Precision against recall.

    Attributes
    ----------
    thresholds : ndarray of shape (n_points,)
        Every distinct score, falling.
    precision, recall : ndarray of shape (n_points,)
    area : float
        Average precision: precision times the increase of recall, summed, without interpolation.
    """

    thresholds: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    area: float


def roc_curve(y_true: ArrayLike, score: ArrayLike) -> RocCurve:
    """Return recall and false-alarm rate at every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 is abnormal, 0 normal; some of both.
    score : array-like of shape (n_samples,)
        Higher is more abnormal; finite.

    Returns
    -------
    curve : RocCurve

    Raises
    ------
    ValueError
        If labels and scores do not match, or are none of the above.

    Examples
    --------
    >>> from secondlook import roc_curve
    >>> roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).area
    0.75
    """
    scores, labels = as_labelled("roc_curve", y_true, score)
    return RocCurve(*_core.decide.roc_curve(scores, labels))


def precision_recall_curve(y_true: ArrayLike, score: ArrayLike) -> PrecisionRecallCurve:
    """Return precision and recall at every threshold.

    Parameters and errors are those of `roc_curve`.

    Returns
    -------
    curve : PrecisionRecallCurve

    References
    ----------
    J. Davis, M. Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML 2006,
    on why there is no interpolation.

    Examples
    --------
    >>> from secondlook import precision_recall_curve
    >>> round(precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).area, 3)
    0.833
    """
    scores, labels = as_labelled("precision_recall_curve", y_true, score)
    return PrecisionRecallCurve(*_core.decide.precision_recall_curve(scores, labels))
