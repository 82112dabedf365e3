"""ROC and precision-recall curves."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook._shared.shown import Result
from secondlook.decide._scores import as_labelled

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class RocCurve(Result):
    """Receiver operating characteristic: recall against false-alarm rate.

    Attributes
    ----------
    thresholds : ndarray of shape (n_points,)
        In decreasing order: infinity, then every distinct score.
    false_alarm_rate, recall : ndarray of shape (n_points,)
        Fraction of the normal and of the abnormal cases at or above each threshold; never falling.
    area : float
        Probability that an abnormal case scores above a normal one, ties counting one half.
    """

    thresholds: NDArray[np.float64]
    false_alarm_rate: NDArray[np.float64]
    recall: NDArray[np.float64]
    area: float

    def _shown(self) -> dict[str, float]:
        return {"area": self.area, "n_points": len(self.thresholds)}

    def to_pandas(self) -> "pd.DataFrame":
        """Return a DataFrame with one row per threshold (requires pandas)."""
        import pandas as pd

        columns = {name: value for name, value in vars(self).items() if name != "area"}
        return pd.DataFrame(columns).set_index("thresholds").rename_axis("threshold")


@dataclass(frozen=True, repr=False)
class PrecisionRecallCurve(Result):
    """Precision against recall.

    Attributes
    ----------
    thresholds : ndarray of shape (n_points,)
        Every distinct score, in decreasing order.
    precision, recall : ndarray of shape (n_points,)
    area : float
        Average precision: the sum of precision times the increase in recall, not interpolated.
    """

    thresholds: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    area: float

    def _shown(self) -> dict[str, float]:
        return {"area": self.area, "n_points": len(self.thresholds)}

    def to_pandas(self) -> "pd.DataFrame":
        """Return a DataFrame with one row per threshold (requires pandas)."""
        import pandas as pd

        columns = {name: value for name, value in vars(self).items() if name != "area"}
        return pd.DataFrame(columns).set_index("thresholds").rename_axis("threshold")


def roc_curve(y_true: ArrayLike, score: ArrayLike) -> RocCurve:
    """Return recall and false-alarm rate at every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 is abnormal, 0 normal; at least one of each.
    score : array-like of shape (n_samples,)
        Higher is more abnormal; finite.

    Returns
    -------
    curve : RocCurve

    Raises
    ------
    ValueError
        If labels and scores do not match or are invalid.

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

    The parameters and errors are those of `roc_curve`.

    Returns
    -------
    curve : PrecisionRecallCurve

    References
    ----------
    J. Davis, M. Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML 2006,
    for why there is no interpolation.

    Examples
    --------
    >>> from secondlook import precision_recall_curve
    >>> round(precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).area, 3)
    0.833
    """
    scores, labels = as_labelled("precision_recall_curve", y_true, score)
    return PrecisionRecallCurve(*_core.decide.precision_recall_curve(scores, labels))
