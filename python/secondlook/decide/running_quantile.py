"""Quantile of a stream in constant memory."""

from secondlook import _core


class RunningQuantile:
    """Quantile of a stream in constant memory, by the P² algorithm.

    Exact for the first five samples, as linear interpolation between them; then five markers follow
    the minimum, the maximum and the quantile with its two halves. It pickles.

    Parameters
    ----------
    probability : float
        In (0, 1).

    Raises
    ------
    ValueError
        If the probability lies elsewhere.

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
            Finite; the stream's own unit.

        Raises
        ------
        ValueError
            If the sample is NaN or infinite; it is then not counted.
        """
        return self._quantile.push(sample)

    @property
    def value(self) -> float:
        """Current estimate; NaN before the first sample."""
        return self._quantile.value

    @property
    def n_samples(self) -> int:
        """Samples so far."""
        return self._quantile.count
