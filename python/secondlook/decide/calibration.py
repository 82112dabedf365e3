"""Calibration: probabilities from arbitrary scores."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from secondlook import _core
from secondlook._shared.arguments import as_text
from secondlook._shared.table import read_table
from secondlook.decide._scores import as_classes, as_finite_scores, as_labelled_of_both


class Calibration(BaseEstimator):
    """Probability of being abnormal, computed from a score of any kind.

    Fit it on labelled scores of samples that the detector was not trained on.

    Parameters
    ----------
    method : {"platt", "isotonic", "temperature"}, default="platt"
        ``"platt"``: a logistic function of the score, for small calibration sets. ``"isotonic"``:
        the non-decreasing least-squares fit, of any shape, for a thousand cases or more.
        ``"temperature"``: for scores that are logits, which are divided by one number; a logit of
        0 remains one half.

    Attributes
    ----------
    slope_, intercept_ : float
        ``p = 1 / (1 + exp(-(slope_ * score + intercept_)))``; 0 for ``"isotonic"``.

    References
    ----------
    J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999, in the formulation of
    H.-T. Lin, C.-J. Lin, R. C. Weng, Machine Learning 68, 2007.

    B. Zadrozny, C. Elkan, "Transforming Classifier Scores into Accurate Multiclass Probability
    Estimates", KDD 2002, for ``"isotonic"``.

    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML
    2017, for ``"temperature"``.

    Examples
    --------
    >>> from secondlook import Calibration
    >>> calibration = Calibration().fit([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1])
    >>> bool(calibration.probability([4.0])[0] > calibration.probability([1.0])[0])
    True
    """

    def __init__(self, method: str = "platt") -> None:
        self.method = method

    def fit(self, score: ArrayLike, y_true: ArrayLike) -> Self:
        """Fit the calibration to labelled scores.

        Parameters
        ----------
        score : array-like of shape (n_samples,)
            Higher is more abnormal; finite.
        y_true : array-like of shape (n_samples,)
            1 is abnormal, 0 normal; at least one of each.

        Returns
        -------
        self : Calibration

        Raises
        ------
        ValueError
            If labels and scores do not match or are invalid, or the method is unknown.
        """
        scores, labels = as_labelled_of_both("Calibration.fit", y_true, score)
        method = as_text("Calibration.fit", "method", self.method)
        self._take_over(_core.decide.Calibration(method, scores, labels))
        return self

    def probability(self, score: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of being abnormal.

        Parameters
        ----------
        score : array-like of shape (n_samples,)

        Returns
        -------
        probability : ndarray of shape (n_samples,)
            In [0, 1].
        """
        check_is_fitted(self)
        values: NDArray[np.float64] = self._calibration.probabilities(
            as_finite_scores("Calibration.probability", score)
        )
        return values

    @classmethod
    def _from_core(cls, calibration: Any) -> Self:
        found = cls(calibration.state["method"])
        found._take_over(calibration)
        return found

    def _take_over(self, calibration: Any) -> None:
        """Adopt the core's fitted calibration."""
        self._calibration = calibration
        self.slope_: float = calibration.state["slope"]
        self.intercept_: float = calibration.state["intercept"]


def fit_temperature(logits: ArrayLike, y_true: ArrayLike) -> float:
    """Return the temperature by which multiclass logits are divided before the softmax.

    Parameters
    ----------
    logits : array-like of shape (n_samples, n_classes)
        Finite, with at least two classes.
    y_true : array-like of shape (n_samples,)
        Class index of each sample, from 0.

    Returns
    -------
    temperature : float
        Between 0.01 (for logits that separate the classes without error) and 100.

    Raises
    ------
    ValueError
        If labels and logits do not match or are invalid.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML
    2017.

    Examples
    --------
    >>> from secondlook import fit_temperature
    >>> fit_temperature([[0, 9], [0, 9], [0, 9], [9, 0]], [1, 1, 0, 0]) > 5
    True
    """
    table = read_table("fit_temperature", logits, "logits")
    values = np.ascontiguousarray(table.values, dtype=np.float64)
    n_classes = values.shape[1]
    labels = as_classes(
        "fit_temperature", y_true, len(values), n_classes, f"labels from 0 to {n_classes - 1}"
    )
    return _core.decide.fit_temperature(values, labels)
