"""Detection of changes: of a stream's mean, and between two samples."""

from numpy.typing import ArrayLike

from secondlook import _core
from secondlook._shared.shown import Shown
from secondlook.decide._scores import as_scores


class Adwin(Shown):
    """Detect changes of a stream's mean by ADWIN, without choosing a window length.

    The window grows while its older and newer parts agree. If their means differ by more than
    chance allows, the older part is dropped and a change is reported. A step is reported once; a
    mean that keeps moving is reported again. The memory is O(log n) for n values. Can be pickled.

    Parameters
    ----------
    delta : float, default=0.002
        Bound on the probability of a false alarm, in (0, 1).

    References
    ----------
    A. Bifet, R. Gavaldà, "Learning from Time-Changing Data with Adaptive Windowing", SDM 2007.

    Examples
    --------
    >>> from secondlook import Adwin
    >>> adwin = Adwin()
    >>> [i for i, value in enumerate([0.2] * 500 + [0.6] * 100) if adwin.push(value)]
    [543]
    """

    def __init__(self, delta: float = 0.002) -> None:
        self.delta = delta
        self._adwin = _core.learn.Adwin(delta)

    def push(self, value: float) -> bool:
        """Add a value in [0, 1] and return whether the mean has changed.

        Parameters
        ----------
        value : float
            For example a conformal p-value, or any score scaled to [0, 1].

        Raises
        ------
        ValueError
            If the value lies outside; it is then not counted.
        """
        return self._adwin.push(value)

    def _shown(self) -> dict[str, object]:
        return {"delta": self.delta, "mean": self.mean, "n_samples": self.n_samples}

    @property
    def mean(self) -> float:
        """Mean of the window; NaN while it is empty."""
        return self._adwin.mean

    @property
    def n_samples(self) -> int:
        """Number of values in the window."""
        return self._adwin.size


class PageHinkley(Shown):
    """Detect changes of a stream's mean, up or down, by the Page–Hinkley test.

    The test accumulates the deviations from the mean, less a tolerance. After a report it restarts
    with the values that follow, so a step is reported once, and a mean that keeps moving
    repeatedly. Both parameters are in the unit of the stream. Can be pickled.

    Parameters
    ----------
    tolerance : float, default=0.005
        Change of the mean that is ignored.
    threshold : float, default=50
        Value of the sum that is a change: higher means fewer false alarms and a longer delay.
    min_samples : int, default=30
        Number of values before the first possible report.

    References
    ----------
    E. S. Page, "Continuous Inspection Schemes", Biometrika 41, 1954.

    D. V. Hinkley, "Inference about the Change-Point from Cumulative Sum Tests", Biometrika 58,
    1971.

    Examples
    --------
    >>> from secondlook import PageHinkley
    >>> test = PageHinkley(threshold=5)
    >>> [i for i, value in enumerate([0.0] * 100 + [1.0] * 10) if test.push(value)]
    [105]
    """

    def __init__(
        self, tolerance: float = 0.005, threshold: float = 50.0, min_samples: int = 30
    ) -> None:
        self.tolerance = tolerance
        self.threshold = threshold
        self.min_samples = min_samples
        self._test = _core.learn.PageHinkley(tolerance, threshold, min_samples)

    def push(self, value: float) -> bool:
        """Add a finite value and return whether the mean has changed.

        Raises
        ------
        ValueError
            If the value is not finite; it is then not counted.
        """
        return self._test.push(value)


def kolmogorov_smirnov(a: ArrayLike, b: ArrayLike) -> tuple[float, float]:
    """Two-sided Kolmogorov–Smirnov test of whether two samples have the same distribution.

    The p-value is exact for up to 4 million pairs and Stephens' approximation beyond. With ties it
    is conservative. Autocorrelated samples count for fewer than there are.

    Parameters
    ----------
    a, b : array-like of shape (n,) and (m,)
        Finite, independent values.

    Returns
    -------
    statistic : float
        Largest distance between the two empirical distributions, in [0, 1].
    p_value : float
        Probability of a distance at least as large if both samples have the same distribution.

    Raises
    ------
    ValueError
        If a sample is empty or not finite.

    References
    ----------
    J. L. Hodges, "The Significance Probability of the Smirnov Two-Sample Test", Arkiv för
    Matematik 3, 1958.

    M. A. Stephens, "Use of the Kolmogorov-Smirnov, Cramér-von Mises and Related Statistics Without
    Extensive Tables", Journal of the Royal Statistical Society B 32, 1970.

    Examples
    --------
    >>> from secondlook import kolmogorov_smirnov
    >>> statistic, p_value = kolmogorov_smirnov(range(10), range(5, 15))
    >>> round(statistic, 3), round(p_value, 3)
    (0.5, 0.168)
    """
    who = "kolmogorov_smirnov"
    return _core.learn.kolmogorov_smirnov(as_scores(who, a), as_scores(who, b))
