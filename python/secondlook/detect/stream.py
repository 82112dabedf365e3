"""Scoring samples as they come."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook.decide.anomaly_likelihood import AnomalyLikelihood
from secondlook.series.times import is_later

if TYPE_CHECKING:
    from secondlook.detect.tabular import TabularDetector

Verdict = Literal["normal", "anomaly", "unknown"]

# Features named in a record's reasons, and the least part in the score that makes one.
_N_REASONS = 3
_LEAST_PART = 0.1


class StreamRecord:
    """What a sample of a stream came to.

    Attributes
    ----------
    time : object
        As it was pushed; None where none was given.
    score : float
        As `score_samples` of the detector: higher is more normal. NaN where there is none yet.
    verdict : {"normal", "anomaly", "unknown"}
        "anomaly" where the score lies below the detector's `offset_`; "unknown" without a score.
    tail_probability : float
        Probability of so abnormal a recent level of the score, given its own longer past
        (Ahmad et al. 2017): near 0 where something has changed, also in a noisy stream.
    reasons : tuple of str
        The features with the largest parts in the score of an anomaly, largest first.
    """

    __slots__ = ("reasons", "score", "tail_probability", "time", "verdict")

    def __init__(
        self,
        time: Any,
        score: float,
        verdict: Verdict,
        tail_probability: float,
        reasons: tuple[str, ...],
    ) -> None:
        self.time = time
        self.score = score
        self.verdict = verdict
        self.tail_probability = tail_probability
        self.reasons = reasons

    def __repr__(self) -> str:
        why = f": {', '.join(self.reasons)}" if self.reasons else ""
        return (
            f"StreamRecord({self.verdict}{why}, score={self.score:.4g}, "
            f"tail_probability={self.tail_probability:.2g}, time={self.time!r})"
        )


class DetectorStream:
    """One series, scored by a detector as its samples come: constant time and memory a sample.

    Made by ``detector.stream()``. Streams of one detector share its weights, and go on with them
    when the detector has learned; each holds its own state, and pickles: a copy goes on where it
    stood, with the detector as it is then. Scores are those of `score_samples` over the series.

    Parameters
    ----------
    detector : IsolationForest, Autoencoder or LSTMForecaster
        Fitted.
    short_window : int, default=10
        Samples that are the recent level in `StreamRecord.tail_probability`.
    long_window : int, default=8000
        Samples that are its past.

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
        self._offset = detector.offset_
        self._likelihood = AnomalyLikelihood(short_window, long_window)
        self._last_time: Any = None
        self._series = detector._make_series()
        names = getattr(detector, "feature_names_in_", None)
        self._names = [f"feature {j}" for j in range(detector.n_features_in_)]
        if names is not None:
            self._names = [str(name) for name in names]

    def push(self, sample: ArrayLike, time: Any = None) -> StreamRecord:
        """Score the next sample.

        Parameters
        ----------
        sample : array-like of shape (n_features,)
            An array of float32 or float64 is read in place.
        time : datetime, numpy.datetime64, float or alike, optional
            When it was taken: later than the one before. Kept in the record.

        Returns
        -------
        record : StreamRecord

        Raises
        ------
        ValueError
            For another number of features, infinities, NaN where the detector takes none, and a
            time that does not go forward. The stream is then as before.
        """
        if time is not None and self._last_time is not None:
            require_later(f"{type(self._detector).__name__} stream", self._last_time, time)
        score = self._series.push(sample)
        if time is not None:
            self._last_time = time
        if score != score:
            return StreamRecord(time, score, "unknown", self._likelihood.tail_probability, ())
        self._likelihood.push(-score)
        tail = self._likelihood.tail_probability
        if score >= self._offset:
            return StreamRecord(time, score, "normal", tail, ())
        return StreamRecord(time, score, "anomaly", tail, self._reasons())

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_series": self._series.snapshot()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._offset = self._detector.offset_
        self._series = self._detector._make_series(state["_series"])

    def _reasons(self) -> tuple[str, ...]:
        parts = np.asarray(self._series.contributions)
        total = parts[parts > 0].sum()
        if not total > 0:
            return ()
        largest = np.argsort(-parts)[:_N_REASONS]
        return tuple(
            f"{self._names[j]} ({parts[j] / total:.0%})"
            for j in largest
            if parts[j] >= _LEAST_PART * total
        )


def require_later(who: str, last: Any, time: Any) -> None:
    """Refuse a time that is not after the last one."""
    if not is_later(who, time, last):
        raise ValueError(f"{who}: expected a time after {last}, got {time}")


class SampleSeries:
    """The series of a detector for which samples are independent: nothing to remember."""

    def __init__(self, detector: "TabularDetector") -> None:
        self._who = f"{type(detector).__name__} stream"
        self._model = detector._fitted()
        self._row = np.zeros((1, self._model.n_features))

    def push(self, sample: ArrayLike) -> float:
        """Return the sample's score."""
        values = np.asarray(sample)
        if values.shape != self._row.shape[1:]:
            raise ValueError(
                f"{self._who}: expected a sample of shape {self._row.shape[1:]}, got {values.shape}"
            )
        row = np.array(values, dtype=float, ndmin=2)
        score = float(self._model.score_samples(row)[0])
        self._row = row
        return score

    @property
    def contributions(self) -> NDArray[np.float64]:
        """Each feature's part in the last sample's score."""
        parts: NDArray[np.float64] = self._model.feature_contributions(self._row)[0]
        return parts

    def snapshot(self) -> None:
        """Nothing has to be kept."""


class OrderedSeries:
    """The series of a detector whose samples follow one another: its state is the core's."""

    def __init__(self, detector: "TabularDetector", snapshot: NDArray[np.float64] | None) -> None:
        self._stream = _core.detect.LstmStream(detector._fitted())
        if snapshot is not None:
            self._stream.restore(snapshot)
        self.push: Callable[[ArrayLike], float] = self._stream.push

    @property
    def contributions(self) -> NDArray[np.float64]:
        """Each channel's part in the last sample's score."""
        parts: NDArray[np.float64] = self._stream.contributions
        return parts

    def snapshot(self) -> NDArray[np.float64]:
        """Return all that the series has left behind."""
        state: NDArray[np.float64] = self._stream.snapshot()
        return state
