"""How unusual the recent level of a score is against its own past."""

from secondlook import _core


class AnomalyLikelihood:
    """How unusual the recent level of a score is against its own longer past.

    ``likelihood = 1 - Q((short mean - long mean) / long standard deviation)``, Q the normal tail:
    a noisy score that always spikes is not unusual, a quiet one that rises a little is. Means are
    plain ones until a window is full; from then on its samples are weighted exponentially, with the
    mean age of the paper's moving window and no memory of it. Constant time a sample. It pickles.

    Parameters
    ----------
    short_window : int, default=10
        Samples that count as recent.
    long_window : int, default=8000
        Samples that count as the past; above `short_window`.
    warm_up : int, default=100
        First samples without a verdict: their likelihood is 0.5.
    floor : float, default=0.0
        Least standard deviation, in the score's unit: no smaller change is unusual.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    S. Ahmad, A. Lavin, S. Purdy, Z. Agha, "Unsupervised real-time anomaly detection for streaming
    data", Neurocomputing 262, 2017.

    Examples
    --------
    >>> from secondlook import AnomalyLikelihood
    >>> stream = AnomalyLikelihood(short_window=2, long_window=100, warm_up=5)
    >>> [round(stream.push(score), 2) for score in (1, 2, 1, 2, 1, 2, 1, 9, 9)]
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.69, 0.36, 0.94, 0.94]
    """

    def __init__(
        self,
        short_window: int = 10,
        long_window: int = 8000,
        *,
        warm_up: int = 100,
        floor: float = 0.0,
    ) -> None:
        self.short_window = short_window
        self.long_window = long_window
        self.warm_up = warm_up
        self.floor = floor
        self._stream = _core.decide.AnomalyLikelihood(
            short_window=short_window, long_window=long_window, warm_up=warm_up, floor=floor
        )

    def push(self, score: float) -> float:
        """Add one score and return the likelihood.

        Parameters
        ----------
        score : float
            Higher is more abnormal; finite, at most 1e150 in magnitude.

        Returns
        -------
        likelihood : float
            In [0, 1]: higher is more abnormal.

        Raises
        ------
        ValueError
            If the score is none of that; it is then not counted.
        """
        return self._stream.push(score)

    @property
    def likelihood(self) -> float:
        """In [0, 1]: higher is more abnormal."""
        return 1.0 - self.tail_probability

    @property
    def tail_probability(self) -> float:
        """1 - `likelihood`, exact where that is too near to 1 to tell."""
        return self._stream.tail_probability

    @property
    def n_samples(self) -> int:
        """Scores so far."""
        return self._stream.count
