"""A threshold for rare scores, by extreme value theory."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from secondlook import _core
from secondlook.decide._scores import as_scores, at_or_above


class PeaksOverThreshold(BaseEstimator):
    """A threshold for rare scores by extreme value theory: SPOT, and DSPOT with `drift_window`.

    What lies above a high quantile of the calibration (a peak) follows a generalised Pareto tail,
    fitted by maximum likelihood. So a threshold can be said for a risk that the calibration is too
    short to show. It is a model, not a guarantee: for a risk that the calibration can show by
    itself, `quantile_threshold` promises more.

    `push` goes on with a stream: new peaks are learned, alarms are not. One departure from the
    paper: as many alarms as `risk` foretells for normal scores count as censored peaks (known to
    reach the threshold, by how much unknown), without which each refit would cut the tail a little
    shorter, and the threshold sink.

    Parameters
    ----------
    risk : float, default=1e-3
        Share of normal scores that may reach the threshold, in (0, 1).
    level : float, default=0.98
        Quantile above which the tail begins, in (0, 1 - risk).
    max_peaks : int, default=1000
        Newest peaks that the tail is fitted to, at least 10: bounds memory and time.
    drift_window : int, default=0
        Above 0, all this is about a score's distance from an exponential mean over so many scores
        before it, alarms left out.

    Attributes
    ----------
    threshold_ : float
        The threshold as it is now: a score at or above it is abnormal.
    initial_threshold_ : float
        Where the tail begins; with drift, above the mean.
    shape_, scale_ : float
        Of the generalised Pareto tail.
    n_samples_ : int
        Scores learned from.
    n_peaks_ : int
        Of them, those above `initial_threshold_`.
    n_alarms_ : int
        Alarms of `push`.
    peaks_ : ndarray of shape (n_kept,)
        What the kept peaks exceed `initial_threshold_` by.

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
            Higher is more abnormal; finite; with drift, in their order in time.

        Returns
        -------
        self : PeaksOverThreshold

        Raises
        ------
        ValueError
            If a parameter is out of range, a score is not finite, or fewer than 10 different scores
            lie above the level's quantile, such as for constant scores.
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
        """Say whether the next score of a stream is abnormal, and learn from it.

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
        """Say which scores are abnormal by the threshold as it is now; nothing is learned.

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
        """The threshold as it is now."""
        return self._fitted.threshold

    @property
    def initial_threshold_(self) -> float:
        """Where the tail begins."""
        return float(self._fitted.state["initial_threshold"])

    @property
    def shape_(self) -> float:
        """Shape of the tail: above 0 it is heavier than exponential, below 0 it ends."""
        return float(self._fitted.state["shape"])

    @property
    def scale_(self) -> float:
        """Scale of the tail."""
        return float(self._fitted.state["scale"])

    @property
    def n_samples_(self) -> int:
        """Scores learned from."""
        return int(self._fitted.state["n_samples"])

    @property
    def n_peaks_(self) -> int:
        """Of them, those above `initial_threshold_`."""
        return int(self._fitted.state["n_peaks"])

    @property
    def n_alarms_(self) -> int:
        """Alarms of `push`."""
        return int(self._fitted.state["n_alarms"])

    @property
    def peaks_(self) -> NDArray[np.float64]:
        """What the kept peaks exceed `initial_threshold_` by."""
        return np.array([excess for excess, _ in self._fitted.state["peaks"]])

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_tail")

    @property
    def _fitted(self) -> "_core.decide.PeaksOverThreshold":
        # scikit-learn's check_is_fitted takes longer than a push.
        try:
            return self._tail
        except AttributeError:
            raise NotFittedError("PeaksOverThreshold: not fitted yet, call fit first") from None
