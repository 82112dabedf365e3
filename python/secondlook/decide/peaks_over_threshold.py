"""A threshold for rare scores, by extreme value theory."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from secondlook import _core
from secondlook.decide._scores import as_scores, at_or_above


class PeaksOverThreshold(BaseEstimator):
    """Threshold for rare scores by extreme value theory: SPOT, or DSPOT with `drift_window`.

    Scores above a high quantile of the calibration scores (peaks) follow a generalised Pareto tail,
    which is fitted by maximum likelihood. This gives a threshold also for a risk too small to be
    estimated from the calibration scores directly. It is a model, not a guarantee: where there are
    enough calibration scores for the risk, prefer `quantile_threshold`.

    `push` continues with a stream: new peaks update the tail, alarms do not. There is one departure
    from the paper: as many alarms as `risk` predicts for normal scores count as censored peaks
    (known to reach the threshold, but not by how much). Without them each refit would cut the tail
    a little shorter and the threshold would sink.

    Parameters
    ----------
    risk : float, default=1e-3
        Fraction of normal scores that may reach the threshold, in (0, 1).
    level : float, default=0.98
        Quantile above which the tail begins, in (0, 1 - risk).
    max_peaks : int, default=1000
        Number of newest peaks that the tail is fitted to, at least 10; it bounds memory and time.
    drift_window : int, default=0
        If above 0, the tail is that of a score's distance from an exponential mean over this many
        previous scores, not counting alarms.

    Attributes
    ----------
    threshold_ : float
        Current threshold: a score at or above it is abnormal.
    initial_threshold_ : float
        Where the tail begins; relative to the mean if `drift_window` is above 0.
    shape_, scale_ : float
        Parameters of the generalised Pareto tail.
    n_samples_ : int
        Number of scores that the tail was fitted to.
    n_peaks_ : int
        Number of these scores above `initial_threshold_`.
    n_alarms_ : int
        Number of alarms that `push` has raised.
    peaks_ : ndarray of shape (n_kept,)
        Excess of each stored peak over `initial_threshold_`.

    References
    ----------
    A. Siffer, P.-A. Fouque, A. Termier, C. Largouët, "Anomaly Detection in Streams with Extreme
    Value Theory", KDD 2017.

    S. D. Grimshaw, "Computing Maximum Likelihood Estimates for the Generalized Pareto
    Distribution", Technometrics 35, 1993.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import PeaksOverThreshold
    >>> scores = np.random.default_rng(0).exponential(size=10_000)
    >>> tail = PeaksOverThreshold(risk=1e-4).fit(scores)
    >>> tail.push(1.0), tail.push(50.0)
    (False, True)
    """

    def __init__(
        self,
        risk: float = 1e-3,
        level: float = 0.98,
        *,
        max_peaks: int = 1000,
        drift_window: int = 0,
    ) -> None:
        self.risk = risk
        self.level = level
        self.max_peaks = max_peaks
        self.drift_window = drift_window

    def fit(self, scores: ArrayLike) -> Self:
        """Fit the tail of normal scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Higher is more abnormal; finite; in order of time if `drift_window` is above 0.

        Returns
        -------
        self : PeaksOverThreshold

        Raises
        ------
        ValueError
            If a parameter is out of range, a score is not finite, or fewer than 10 scores, or only
            equal ones, lie above the `level` quantile (as with constant scores).
        """
        self._tail = _core.decide.PeaksOverThreshold(
            as_scores("PeaksOverThreshold.fit", scores),
            risk=self.risk,
            level=self.level,
            max_peaks=self.max_peaks,
            drift_window=self.drift_window,
        )
        return self

    def push(self, score: float) -> bool:
        """Return whether the next score of a stream is abnormal, and update the tail with it.

        Parameters
        ----------
        score : float
            Finite.

        Returns
        -------
        alarm : bool

        Raises
        ------
        ValueError
            If the score is NaN or infinite; it is then not counted.
        """
        return self._fitted.push(score)

    def alarms(self, scores: ArrayLike) -> NDArray[np.bool_]:
        """Return which scores are abnormal by the current threshold, without updating the tail.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)

        Returns
        -------
        alarms : ndarray of bool of shape (n_samples,)
        """
        return at_or_above("PeaksOverThreshold.alarms", scores, self.threshold_)

    @property
    def threshold_(self) -> float:
        """Current threshold."""
        return self._fitted.threshold

    @property
    def initial_threshold_(self) -> float:
        """Where the tail begins."""
        return float(self._fitted.state["initial_threshold"])

    @property
    def shape_(self) -> float:
        """Shape of the tail: heavier than exponential above 0, bounded below 0."""
        return float(self._fitted.state["shape"])

    @property
    def scale_(self) -> float:
        """Scale of the tail."""
        return float(self._fitted.state["scale"])

    @property
    def n_samples_(self) -> int:
        """Number of scores that the tail was fitted to."""
        return int(self._fitted.state["n_samples"])

    @property
    def n_peaks_(self) -> int:
        """Number of these scores above `initial_threshold_`."""
        return int(self._fitted.state["n_peaks"])

    @property
    def n_alarms_(self) -> int:
        """Number of alarms that `push` has raised."""
        return int(self._fitted.state["n_alarms"])

    @property
    def peaks_(self) -> NDArray[np.float64]:
        """Excess of each stored peak over `initial_threshold_`."""
        return np.array([excess for excess, _ in self._fitted.state["peaks"]])

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_tail")

    @property
    def _fitted(self) -> "_core.decide.PeaksOverThreshold":
        # scikit-learn's check_is_fitted takes longer than `push` itself.
        try:
            return self._tail
        except AttributeError:
            raise NotFittedError("PeaksOverThreshold: not fitted yet, call fit first") from None
