"""Conformal p-values, and discoveries among many samples."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from secondlook import _core
from secondlook.decide._scores import as_scores
from secondlook.decide.false_discovery import benjamini_hochberg, storey_null_fraction


class ConformalPValues(BaseEstimator):
    """Conformal p-values of scores, relative to scores of normal samples: small is abnormal.

    ``p(s) = (1 + #{calibration scores >= s}) / (n + 1)``. If a new normal sample is exchangeable
    with the n calibration samples, ``P(p <= u) <= u`` for every u, on average over calibration
    sets, and Benjamini-Hochberg on several p-values controls the false-discovery rate.

    Parameters
    ----------
    confidence : float, optional
        In (0, 1), such as 0.9. Enlarges the p-values such that, with this probability over
        calibration sets, ``P(p <= u) <= u`` holds for every u with the calibration set at hand
        (the Simes adjustment).

    Attributes
    ----------
    n_calibration_ : int
        Number of calibration scores; no p-value is below ``1 / (n_calibration_ + 1)``.

    References
    ----------
    S. Bates, E. Candès, L. Lei, Y. Romano, M. Sesia, "Testing for outliers with conformal
    p-values", Annals of Statistics 51, 2023.

    Examples
    --------
    >>> from secondlook import ConformalPValues
    >>> ConformalPValues().fit([1.0, 2.0, 3.0]).p_values([0.0, 2.5, 9.0])
    array([1.  , 0.5 , 0.25])
    """

    def __init__(self, *, confidence: float | None = None) -> None:
        self.confidence = confidence

    def fit(self, scores: ArrayLike) -> Self:
        """Store the calibration scores: those of normal samples not used to train the detector.

        Parameters
        ----------
        scores : array-like of shape (n_calibration,)
            Higher is more abnormal; finite.

        Returns
        -------
        self : ConformalPValues

        Raises
        ------
        ValueError
            If there is no score, a score is not finite, or the confidence is out of range.
        """
        calibration = as_scores("ConformalPValues.fit", scores)
        self._conformal = _core.decide.ConformalPValues(calibration, self.confidence)
        self.n_calibration_ = self._conformal.n_calibration
        return self

    def p_values(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the p-value of each score.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)

        Returns
        -------
        p_values : ndarray of shape (n_samples,)
            In (0, 1].
        """
        check_is_fitted(self)
        return self._conformal.p_values(as_scores("ConformalPValues.p_values", scores))

    def discoveries(
        self, scores: ArrayLike, false_discovery_rate: float = 0.1, *, adaptive: bool = False
    ) -> NDArray[np.bool_]:
        """Return which samples are abnormal, at a given false-discovery rate.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Scores of all samples that are judged together.
        false_discovery_rate : float, default=0.1
            Largest expected fraction of false alarms among the discoveries, in (0, 1).
        adaptive : bool, default=False
            Whether to estimate the fraction of normal samples (`storey_null_fraction`), which finds
            more if many samples are abnormal.

        Returns
        -------
        discoveries : ndarray of bool of shape (n_samples,)
        """
        p = self.p_values(scores)
        null_fraction = storey_null_fraction(p) if adaptive else 1.0
        return benjamini_hochberg(p, false_discovery_rate, null_fraction=null_fraction)
