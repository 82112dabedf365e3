"""Quantile of a stream in constant memory."""

from secondlook import _core
from secondlook._shared.shown import Shown


class RunningQuantile(Shown):
    """Quantile of a stream in constant memory, by the P² algorithm.

    Exact (by linear interpolation) for the first five samples. After that five markers track the
    minimum, the maximum, the quantile and the two quantiles halfway to either end. Objects can be
    pickled.

    Parameters
    ----------
    probability : float
        In (0, 1).

    Raises
    ------
    ValueError
        If the probability is out of range.

    References
    ----------
    R. Jain, I. Chlamtac, "The P² Algorithm for Dynamic Calculation of Quantiles and Histograms
    Without Storing Observations", Communications of the ACM 28, 1985.

    Examples
    --------
    >>> from secondlook import RunningQuantile
    >>> median = RunningQuantile(0.5)
    >>> [median.push(sample) for sample in (3.0, 1.0, 2.0)]
    [3.0, 2.0, 2.0]
    """

    def __init__(self, probability: float) -> None:
        self.probability = probability
        self._quantile = _core.decide.RunningQuantile(probability)

    def push(self, sample: float) -> float:
        """Add one sample and return the current estimate.

        Parameters
        ----------
        sample : float
            Finite.

        Raises
        ------
        ValueError
            If the sample is NaN or infinite; it is then not counted.
        """
        return self._quantile.push(sample)

    def _shown(self) -> dict[str, object]:
        return {"probability": self.probability, "value": self.value, "n_samples": self.n_samples}

    @property
    def value(self) -> float:
        """Current estimate; NaN before the first sample."""
        return self._quantile.value

    @property
    def n_samples(self) -> int:
        """Number of samples so far."""
        return self._quantile.count
