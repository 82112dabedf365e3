"""Anomalies of one series as it comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook._shared.progress import ProgressBar
from secondlook._shared.table import read_numbers

if TYPE_CHECKING:
    import pandas as pd


class SurpriseRecord(NamedTuple):
    """What a sample showed. Surprises are -log10 of a tail probability: 2 is one in a hundred."""

    surprise: float
    """Mean of the components' that look at all."""
    score: float
    """surprise / (surprise + threshold), in [0, 1): 0.5 at the threshold; 0 while resting."""
    alarm: bool
    level: float
    """Component: the mean is unusually high or low."""
    spread: float
    """Component: it scatters unusually much or little."""
    seasonal: float
    """Component: outside what it was at this time in the last seasons."""
    shape: float
    """Component: the course is like none that was."""


@dataclass(frozen=True)
class SurpriseRecords:
    """What many samples showed: the fields of `SurpriseRecord` as arrays of shape (n_samples,)."""

    surprise: NDArray[np.float64]
    score: NDArray[np.float64]
    alarm: NDArray[np.bool_]
    level: NDArray[np.float64]
    spread: NDArray[np.float64]
    seasonal: NDArray[np.float64]
    shape: NDArray[np.float64]

    def to_pandas(self) -> "pd.DataFrame":
        """Return a DataFrame, one row a sample (needs pandas)."""
        import pandas as pd

        return pd.DataFrame(vars(self))


class SurpriseStream:
    """Anomalies of one series as it comes: nothing to train, nothing to choose but the season.

    Four components look at the last samples at several scales w: `level`, their mean; `spread`, the
    logarithm of their standard deviation (from w = 16 on); `seasonal`, how far they lie outside the
    range of the same time in the last seasons, give or take 1/96 of a season; `shape`, the distance
    of their course to the nearest in memory (from w = 4 on). Each view's value becomes its surprise
    on its own past, see `TailSurprise`; a component is the mean of its views, the surprise that of
    the components. So several weak signs count, and one alone must be strong. A sample is judged
    first and learned then.

    NaN is a missing sample: its surprise is 0 and no view learns; time and cooldown go on. Later,
    level and spread are of the last samples that are there, and silent where these span a third
    more than they should; shapes are compared without it, and in memory the sample before stands in
    for it.

    It pickles, and goes on where it was. ``copy.deepcopy`` is a snapshot.

    Parameters
    ----------
    season : int, default=0
        Samples a season, such as a day, at least 2. 0: there is none, and no component `seasonal`.
    scales : sequence of int, default=(1, 4, 16, 64)
        Samples that views look at, ascending.
    memory : int, default=3000
        Samples in which shapes are looked up, at least the last scale.
    seasons : int, default=7
        Seasons whose seasonal ranges are kept: a week has working days and a weekend.
    threshold : float, default=1.0
        Surprise from which on to alarm, in (0, 300].
    cooldown : int, default=150
        Samples after an alarm without another.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    E. Keogh, J. Lin, A. Fu, "HOT SAX: Efficiently finding the most unusual time series
    subsequence", ICDM 2005, for `shape`.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import SurpriseStream
    >>> random = np.random.default_rng(0)
    >>> load = np.sin(np.arange(5000) * 2 * np.pi / 96) + random.normal(0, 0.1, 5000)
    >>> load[4000:4010] = 2.5
    >>> np.flatnonzero(SurpriseStream(season=96).push_many(load).alarm)
    array([4000])
    """

    def __init__(
        self,
        season: int = 0,
        *,
        scales: Sequence[int] = (1, 4, 16, 64),
        memory: int = 3000,
        seasons: int = 7,
        threshold: float = 1.0,
        cooldown: int = 150,
    ) -> None:
        self.season = season
        self.scales = scales
        self.memory = memory
        self.seasons = seasons
        self.threshold = threshold
        self.cooldown = cooldown
        self._stream = _core.detect.SurpriseStream(
            season=season,
            scales=list(scales),
            memory=memory,
            seasons=seasons,
            threshold=threshold,
            cooldown=self.cooldown,
        )

    def push(self, sample: float) -> SurpriseRecord:
        """Judge the next sample and learn it.

        Parameters
        ----------
        sample : float
            In any unit, at most 1e150 in magnitude; NaN is missing.

        Returns
        -------
        record : SurpriseRecord

        Raises
        ------
        ValueError
            If the sample is infinite or too large; it is then not counted.
        """
        return SurpriseRecord(**self._stream.push(sample))

    def push_many(self, samples: ArrayLike) -> SurpriseRecords:
        """Judge many samples: the same numbers as one after another, faster.

        Parameters
        ----------
        samples : array-like of shape (n_samples,)
            NaN is missing.

        Returns
        -------
        records : SurpriseRecords

        Raises
        ------
        ValueError
            If a sample is infinite or too large; then none is counted.
        KeyboardInterrupt
            On Ctrl-C; the samples judged until then are learned.
        """
        array = read_numbers("SurpriseStream.push_many", samples, "samples")
        if array.ndim != 1:
            raise ValueError(
                "SurpriseStream.push_many: expected samples of shape (n_samples,), "
                f"got {array.shape}"
            )
        with ProgressBar("Judging samples") as progress:
            return SurpriseRecords(**self._stream.push_many(array, progress))

    @property
    def n_samples(self) -> int:
        """Samples so far, missing ones too."""
        return self._stream.time
