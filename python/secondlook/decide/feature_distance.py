"""Out-of-distribution detection: samples unlike the training data, whatever their score."""

import copy
import math
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from secondlook import _core
from secondlook._shared.arguments import as_number
from secondlook._shared.rows import validated_rows
from secondlook._shared.table import name_bad_values
from secondlook.decide._scores import as_groups


class FeatureDistance(BaseEstimator):
    """Distance from the training data in a feature space, with a threshold.

    The Mahalanobis distance from the nearest class, with one covariance for all classes that is
    shrunk towards a sphere. A network may be almost certain about an image unlike anything it was
    trained on, but the features of such an image lie far from the training data. Refer these cases
    to a person: `SuspiciousBand.decide` takes `out_of_distribution`, and a `DecisionRule` stores
    the distance in its model's file.

    Parameters
    ----------
    false_alarm_rate : float, default=0.01
        Largest fraction of samples from the training distribution that may be called out of
        distribution, in (0, 1).
    held_out : float, default=0.25
        Fraction of the samples, or groups, that are held out to set the threshold, in (0, 1).
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of the held-out samples.

    Attributes
    ----------
    threshold_ : float
        A sample at or above this distance is out of distribution.
    n_features_in_ : int

    References
    ----------
    K. Lee, K. Lee, H. Lee, J. Shin, "A Simple Unified Framework for Detecting Out-of-Distribution
    Samples and Adversarial Attacks", NeurIPS 2018.

    O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
    Journal of Multivariate Analysis 88, 2004, for the shrinkage.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import FeatureDistance
    >>> features = np.random.default_rng(0).normal(size=(1000, 5))
    >>> guard = FeatureDistance(random_state=0).fit(features)
    >>> guard.is_out_of_distribution([[0, 0, 0, 0, 0], [9, 0, 0, 0, 0]])
    array([False,  True])
    """

    def __init__(
        self,
        *,
        false_alarm_rate: float = 0.01,
        held_out: float = 0.25,
        random_state: Any = None,
    ) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.held_out = held_out
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Fit the distance to training data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite.
        y : array-like of shape (n_samples,), optional
            Class of each sample, with names of any kind; by default all are of one class.
        groups : array-like of shape (n_samples,), optional
            Group of each sample, such as a patient. Samples of one group are not independent, so
            they are held out together.

        Returns
        -------
        self : FeatureDistance

        Raises
        ------
        ValueError
            If an argument is invalid, or too few samples are held out for the rate.
        """
        who = "FeatureDistance.fit"
        for name in ("held_out", "false_alarm_rate"):
            value = getattr(self, name)
            if not 0 < as_number(who, name, value) < 1:
                raise ValueError(f"{who}: {name} must lie in (0, 1), got {value}")
        fitted = copy.copy(self)  # so that an error leaves this object unchanged
        samples = _finite_rows(who, fitted, X, reset=True)
        n = len(samples)
        classes = as_groups(who, y, n, "y")
        group = as_groups(who, groups, n) if groups is not None else np.arange(n)
        names = check_random_state(self.random_state).permutation(np.unique(group))
        held_out = np.isin(group, names[: round(self.held_out * len(names))])
        used = np.flatnonzero(~held_out)
        if held_out.sum() == 0 or len(used) < 2:
            raise ValueError(
                f"{who}: expected at least 2 samples to fit and 1 held out, got {len(used)} and "
                f"{held_out.sum()}; change held_out={self.held_out} or pass more samples"
            )
        # As in the core's fewest_scores, where the threshold is computed.
        needed = math.ceil((1 / self.false_alarm_rate - 1) * (1 - 1e-9))
        if held_out.sum() < needed:
            raise ValueError(
                f"{who}: expected at least {needed} samples held out for a false_alarm_rate of "
                f"{self.false_alarm_rate}, got {held_out.sum()} (held_out={self.held_out} of "
                f"{n})"
            )
        fitted._take_over(
            _core.decide.FeatureDistance(
                np.ascontiguousarray(samples[used]),
                np.ascontiguousarray(samples[held_out]),
                self.false_alarm_rate,
                classes[used] if y is not None else classes,
            )
        )
        self.__dict__ = fitted.__dict__
        return self

    def distance(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the distance of each sample from the nearest class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        distance : ndarray of shape (n_samples,)
            In standard deviations; about the square root of the number of features for samples
            from the training distribution.
        """
        values: NDArray[np.float64] = self._distance.distances(self._checked(X))
        return values

    def is_out_of_distribution(self, X: ArrayLike) -> NDArray[np.bool_]:
        """Return which samples are out of distribution.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        out_of_distribution : ndarray of bool of shape (n_samples,)
        """
        return self.distance(X) >= self.threshold_

    def _checked(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the samples in the core's type and layout."""
        check_is_fitted(self)
        return _finite_rows("FeatureDistance", self, X, reset=False)

    @classmethod
    def _from_core(cls, fitted: Any) -> Self:
        found = cls(false_alarm_rate=fitted.false_alarm_rate)
        found.n_features_in_ = fitted.n_features
        found._take_over(fitted)
        return found

    def _take_over(self, fitted: Any) -> None:
        self._distance = fitted
        self.threshold_: float = fitted.threshold


def _finite_rows(
    who: str, estimator: FeatureDistance, X: ArrayLike, *, reset: bool
) -> NDArray[np.float64]:
    rows = validated_rows(who, estimator, X, reset=reset, dtype=np.float64, ensure_all_finite=False)
    if not np.isfinite(rows).all():
        error = ValueError(f"{who}: expected finite values, got NaN or infinity")
        names = getattr(estimator, "feature_names_in_", None)
        name_bad_values(who, rows, names, "leave these rows out", error)
        raise error
    return rows
