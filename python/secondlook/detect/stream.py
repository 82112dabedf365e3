"""Scoring of samples as they arrive."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import ArrayLike

from secondlook import _core
from secondlook._shared.required import require_pandas
from secondlook._shared.shown import Result, Shown, html_table
from secondlook._shared.table import index_of, read_table
from secondlook.series.times import is_later

if TYPE_CHECKING:
    import pandas as pd

    from secondlook.detect.tabular import TabularDetector

Verdict = Literal["normal", "anomaly", "unknown"]

_N_SHOWN = 20  # records of a list in a notebook


@dataclass(slots=True, repr=False)
class StreamRecord(Result):
    """Result for one sample of a stream.

    Attributes
    ----------
    time : object
        As passed to `push`; None if none was given.
    score : float
        See `score_samples` of the detector: higher is more normal. NaN if there is none yet.
    verdict : {"normal", "anomaly", "unknown"}
        "anomaly" if the score lies below `offset_` of the detector; "unknown" without a score.
    tail_probability : float
        Probability of so abnormal a recent level of the score, given its own longer past (Ahmad et
        al. 2017): near 0 if something has changed, also in a noisy stream.
    reasons : tuple of str
        Features with the largest contributions to an anomaly, largest first.
    """

    time: Any
    score: float
    verdict: Verdict
    tail_probability: float
    reasons: tuple[str, ...]

    def __repr__(self) -> str:
        why = f": {', '.join(self.reasons)}" if self.reasons else ""
        return (
            f"StreamRecord({self.verdict}{why}, score={self.score:.4g}, "
            f"tail_probability={self.tail_probability:.2g}, time={self.time!r})"
        )


class Records(list[Any]):
    """Records of successive samples, as a list that notebooks show as a table."""

    def to_pandas(self) -> "pd.DataFrame":
        """Return a DataFrame with one row per record (requires pandas)."""
        return require_pandas("Records.to_pandas").DataFrame([dict(one._fields()) for one in self])

    def _repr_html_(self) -> str:
        rows = [tuple(one._fields().values()) for one in self[:_N_SHOWN]]
        columns = list(self[0]._fields())[1:] if self else []
        more = f"<p>{len(self) - _N_SHOWN:,} more</p>" if len(self) > _N_SHOWN else ""
        return html_table(columns, rows, corner="time") + more


class PushesMany:
    """Mixin of streams that take several samples at once."""

    @abstractmethod
    def push(self, sample: Any, time: Any = None) -> Any:
        """Judge the next sample, and return its record."""

    @abstractmethod
    def _who(self) -> str:
        """Return the beginning of error messages."""

    def push_many(self, samples: Any, times: Iterable[Any] | None = None) -> Records:
        """Judge several samples, one after another.

        Parameters
        ----------
        samples : array-like or table of shape (n_samples, n_features)
        times : iterable of length n_samples, optional
            Their times. By default the index of a pandas table, if it holds times.

        Returns
        -------
        records : list of records
            Those of `push`; with `to_pandas`.

        Raises
        ------
        ValueError
            See `push`. The samples before the one at fault have been judged.
        """
        values = read_table(self._who(), samples, "samples").values
        if times is None:
            index = index_of(samples)
            times = index if index is not None and index.dtype.kind == "M" else [None] * len(values)
        when = list(times)
        if len(when) != len(values):
            raise ValueError(
                f"{self._who()}: expected a time for each of {len(values)} samples, got {len(when)}"
            )
        return Records(self.push(row, time) for row, time in zip(values, when, strict=True))


class DetectorStream(PushesMany, Shown):
    """Score one series sample by sample, in constant time and memory per sample.

    Made by ``detector.stream()``. Streams of one detector share its weights and have independent
    states. A stream can be pickled: the copy continues from the same state, with the current model
    of the detector. The scores equal those of `score_samples` over the series.

    Parameters
    ----------
    detector : IsolationForest, Autoencoder or LSTMForecaster
        A fitted detector.
    short_window : int, default=10
        Number of samples that form the recent level in `StreamRecord.tail_probability`.
    long_window : int, default=8000
        Number of samples that form its past.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import IsolationForest
    >>> forest = IsolationForest(random_state=0).fit(np.random.default_rng(0).normal(size=(500, 2)))
    >>> stream = forest.stream()
    >>> stream.push([0.1, 0.2]).verdict, stream.push([0.1, 9.0]).verdict
    ('normal', 'anomaly')
    """

    def __init__(
        self, detector: "TabularDetector", *, short_window: int = 10, long_window: int = 8000
    ) -> None:
        self._detector = detector
        self._windows = {"short_window": short_window, "long_window": long_window}
        self._last_time: Any = None
        self._stream = _core.detect.DetectorStream(detector._fitted(), self._windows, None)
        names = getattr(detector, "feature_names_in_", None)
        self._names = [f"feature {j}" for j in range(detector.n_features_in_)]
        if names is not None:
            self._names = [str(name) for name in names]

    def push(self, sample: ArrayLike, time: Any = None) -> StreamRecord:
        """Score the next sample.

        Parameters
        ----------
        sample : array-like of shape (n_features,), or dict of str to float
            Values of the sample, or its values by the names of the features. An array of float32 or
            float64 is not copied.
        time : datetime, numpy.datetime64, float or similar, optional
            Time of the sample, later than the previous one. Kept in the record.

        Returns
        -------
        record : StreamRecord

        Raises
        ------
        ValueError
            If the number of features is wrong, a value is infinite or NaN and the detector does
            not accept it, or the time does not increase. The stream is then unchanged.
        """
        if time is not None and self._last_time is not None:
            require_later(self._who(), self._last_time, time)
        try:
            score, verdict, tail, reasons = self._stream.push(sample)
        except (TypeError, ValueError) as error:
            if isinstance(sample, Mapping):
                return self.push(in_order(self._who(), self._names, sample), time)
            said = str(error)
            said = said.partition(": ")[2] if ": " in said else said
            raise ValueError(f"{self._who()}: {said}") from None
        if time is not None:
            self._last_time = time
        # Most samples are normal, and even an empty comprehension would take a tenth of the time.
        why = tuple(map(self._in_words, reasons)) if reasons else ()
        return StreamRecord(time, score, verdict, tail, why)

    def _who(self) -> str:
        return f"{type(self._detector).__name__} stream"

    def _in_words(self, reason: tuple[int, str, float]) -> str:
        feature, _, fraction = reason
        return f"{self._names[feature]} ({fraction:.0%})"

    def _shown(self) -> dict[str, Any]:
        return {
            "detector": type(self._detector).__name__,
            "n_features": len(self._names),
            **self._windows,
            "last_time": self._last_time,
        }

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stream": self._stream.state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._stream = _core.detect.DetectorStream(
            self._detector._fitted(), self._windows, state["_stream"]
        )


def in_order(who: str, names: Sequence[str], sample: Mapping[str, Any]) -> list[Any]:
    """Return the values of a sample that is given by names, in the order of the features."""
    if set(sample) != set(names):
        raise ValueError(f"{who}: expected the features {list(names)}, got {list(sample)}")
    return [sample[name] for name in names]


def require_later(who: str, last: Any, time: Any) -> None:
    """Raise an error unless the time is after the last one."""
    if not is_later(who, time, last):
        raise ValueError(f"{who}: expected a time after {last}, got {time}")
