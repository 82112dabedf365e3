"""Detection of anomalies in one series, sample by sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook._shared.progress import ProgressBar
from secondlook._shared.shown import Result, Shown, html_of
from secondlook._shared.table import index_of, read_numbers

if TYPE_CHECKING:
    import pandas as pd


class SurpriseRecord(NamedTuple):
    """Result for one sample. Surprises are -log10 of a tail probability: 2 is one in a hundred."""

    surprise: float
    """Mean over the components that are active."""
    score: float
    """surprise / (surprise + threshold), in [0, 1): 0.5 at the threshold; 0 during the cooldown."""
    alarm: bool
    level: float
    """Component: unusually high or low mean."""
    spread: float
    """Component: unusually high or low variation."""
    seasonal: float
    """Component: outside the range of this time in the last seasons."""
    shape: float
    """Component: unlike any earlier course of the series."""

    def to_dict(self) -> dict[str, float | bool]:
        """Return the fields by their names."""
        return self._asdict()

    def _repr_html_(self) -> str:
        return html_of("SurpriseRecord", self._asdict())


@dataclass(frozen=True, repr=False)
class SurpriseRecords(Result):
    """Results for many samples: the fields of `SurpriseRecord` as arrays of shape (n_samples,).

    `index` is that of the samples if they were a pandas Series, otherwise None.
    """

    surprise: NDArray[np.float64]
    score: NDArray[np.float64]
    alarm: NDArray[np.bool_]
    level: NDArray[np.float64]
    spread: NDArray[np.float64]
    seasonal: NDArray[np.float64]
    shape: NDArray[np.float64]
    index: "pd.Index[Any] | None" = None

    def __len__(self) -> int:
        return len(self.surprise)

    def to_pandas(self, index: Any = None) -> "pd.DataFrame":
        """Return a DataFrame with one row per sample (requires pandas).

        Parameters
        ----------
        index : array-like of shape (n_samples,), optional
            Times or other labels of the samples; by default `index` of these records.
        """
        import pandas as pd

        columns = {name: value for name, value in vars(self).items() if name != "index"}
        return pd.DataFrame(columns, index=self.index if index is None else index)

    def _shown(self) -> dict[str, object]:
        judged = self.surprise[~np.isnan(self.surprise)]
        return {
            "n_samples": len(self.surprise),
            "n_missing": len(self.surprise) - len(judged),
            "n_alarms": int(self.alarm.sum()),
            "largest_surprise": judged.max(initial=0.0),
        }


class SurpriseStream(Shown):
    """Detect anomalies of one series sample by sample, without training.

    Four components look at the last samples at several scales w: `level`, their mean (if the series
    rises or falls steadily, as a counter does, the trend is removed where that makes the mean less
    surprising); `spread`, the logarithm of their standard deviation (from w = 16 on); `seasonal`,
    how far they lie outside the range of the same time in the last seasons, with a tolerance of
    1/96 of a season; `shape`, the distance to the most similar window in memory (from w = 4 on).
    Each value is converted to its surprise given its own past, see `TailSurprise`; a component is
    the mean over its scales, the surprise the mean over the components. So several weak signs add
    up, and a single one must be strong. A sample is judged before it is learned.

    NaN is a missing sample: its surprise is NaN and nothing is learned; time and cooldown continue.
    After it, level and spread use the last samples that are present, and abstain if these span a
    third more than they should. Shapes are compared without it; in memory it is replaced by the
    previous sample.

    A stream can be pickled and continues from the same state. ``copy.deepcopy`` makes a snapshot.

    Parameters
    ----------
    season : int, default=0
        Samples per season, such as a day, at least 2. 0: no season, and no component `seasonal`.
    scales : sequence of int, default=(1, 4, 16, 64)
        Numbers of samples that the components look at, ascending.
    memory : int, default=3000
        Number of samples in which shapes are searched, at least the last scale.
    seasons : int, default=7
        Number of seasons whose ranges are kept: a week covers working days and a weekend.
    threshold : float, default=1.0
        Surprise that raises an alarm, in (0, 300].
    cooldown : int, default=150
        Number of samples after an alarm without another one.

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
        """Judge many samples: the same results as one `push` after another, but faster.

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
            found = self._stream.push_many(array, progress)
        return SurpriseRecords(**found, index=index_of(samples))

    @property
    def n_samples(self) -> int:
        """Number of samples so far, including missing ones."""
        return self._stream.time
