"""How unusual the recent level of a score is, compared with its own past."""

from secondlook import _core
from secondlook._shared.shown import Shown


class AnomalyLikelihood(Shown):
    """How unusual the recent level of a score is, compared with its own longer past.

    ``likelihood = 1 - Q((short mean - long mean) / long standard deviation)``, where Q is the
    normal tail. A noisy score that always spikes is not unusual; a quiet one that rises a little
    is. Until a window is full, its mean is the plain mean of its samples. After that the samples
    are weighted exponentially, with the mean age of the paper's moving window but without storing
    it. Constant time per sample. Objects can be pickled.

    Parameters
    ----------
    short_window : int, default=10
        Number of recent samples.
    long_window : int, default=8000
        Number of samples that make up the past; above `short_window`.
    warm_up : int, default=100
        Number of first samples that are not judged: their likelihood is 0.5.
    floor : float, default=0.0
        Smallest standard deviation assumed, in the score's unit; smaller changes are not unusual.

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
            If the score is not finite or too large; it is then not counted.
        """
        return self._stream.push(score)

    @property
    def likelihood(self) -> float:
        """In [0, 1]: higher is more abnormal."""
        return 1.0 - self.tail_probability

    @property
    def tail_probability(self) -> float:
        """1 - `likelihood`, and exact where `likelihood` rounds to 1."""
        return self._stream.tail_probability

    @property
    def n_samples(self) -> int:
        """Number of scores so far."""
        return self._stream.count
