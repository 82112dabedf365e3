"""Streaming verdicts of an ensemble."""

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import ArrayLike

from secondlook import _core
from secondlook._shared.shown import Result, Shown
from secondlook.detect.stream import PushesMany, Verdict, in_order, require_later

if TYPE_CHECKING:
    from secondlook.detect.detector_ensemble import DetectorEnsemble

Severity = Literal["normal", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("normal", "medium", "high", "critical")


class EnsembleRecord(Result):
    """Verdict of an ensemble on a sample.

    Attributes
    ----------
    time : object
        As it was pushed; None where none was given.
    score : float
        See `score_samples` of the ensemble, but relative to the device's own recent level: below -1
        it is an anomaly. NaN if a value was missing.
    verdict : {"normal", "anomaly", "unknown"}
        "unknown" if a value was missing.
    severity : {"normal", "medium", "high", "critical"} or None
        Severity from votes and margin; None if the verdict is "unknown".
    n_votes : int
        Number of votes for an anomaly.
    votes : tuple of str
        Names of the voters that voted.
    reasons : tuple of str
        Reasons in words, one per vote; empty if normal.
    """

    __slots__ = ("_voters", "_votes", "reasons", "score", "severity", "time", "verdict")

    def __init__(
        self,
        time: Any,
        score: float,
        votes: int,
        severity: Severity,
        reasons: Sequence[str],
        voters: list[str],
    ) -> None:
        self.time = time
        self.score = score
        known = score == score
        self.verdict: Verdict = (
            "unknown" if not known else "normal" if severity == "normal" else "anomaly"
        )
        self.severity: Severity | None = severity if known else None
        self.reasons = tuple(reasons)
        self._votes = votes
        self._voters = voters

    @property
    def n_votes(self) -> int:
        """Votes cast for an anomaly."""
        return self._votes.bit_count()

    @property
    def votes(self) -> tuple[str, ...]:
        """Names of the voters that voted for an anomaly."""
        return tuple(name for i, name in enumerate(self._voters) if self._votes >> i & 1)

    def _fields(self) -> dict[str, Any]:
        names = ("time", "score", "verdict", "severity", "n_votes", "votes", "reasons")
        return {name: getattr(self, name) for name in names}

    _shown = _fields

    def __repr__(self) -> str:
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return (
            f"EnsembleRecord({self.verdict}, {self.severity}, {self.n_votes} votes, "
            f"score={self.score:.4g}, time={self.time!r}{why})"
        )


class EnsembleStream(PushesMany, Shown):
    """Judge the samples of one device by an ensemble, in constant time and memory per sample.

    Made by ``ensemble.stream()``. Streams of one ensemble share its model; they keep it when
    training continues, until `use` is called, so an ensemble can be trained while other threads
    judge. Each stream remembers the recent level of its device. It can be pickled: the copy
    continues from the same state.

    Parameters
    ----------
    ensemble : DetectorEnsemble
        A fitted ensemble.
    """

    def __init__(self, ensemble: "DetectorEnsemble") -> None:
        self._ensemble = ensemble
        self._model = ensemble._fitted()
        self._stream = _core.detect.EnsembleStream(self._model)
        self._voters: list[str] = self._model.voters
        self._last_time: Any = None

    def push(self, sample: ArrayLike, time: Any = None) -> EnsembleRecord:
        """Judge the next sample.

        Parameters
        ----------
        sample : array-like of shape (n_features,), or dict of str to float
            Values of the sample, or its values by the names of the features. A sample with a NaN is
            not judged.
        time : datetime, numpy.datetime64, float or similar, optional
            Time of the sample, later than the previous one. Kept in the record.

        Returns
        -------
        record : EnsembleRecord

        Raises
        ------
        ValueError
            If the number of features is wrong, a value is infinite, or the time does not increase.
            The stream is then unchanged.
        """
        if time is not None and time != time:
            raise ValueError("EnsembleStream: expected a time, got a missing one")
        if time is not None and self._last_time is not None:
            require_later(self._who(), self._last_time, time)
        try:
            judged = self._stream.push(sample)
        except (TypeError, ValueError):
            if not isinstance(sample, Mapping):
                raise
            names = self._model.feature_names or [
                f"feature {j}" for j in range(self._model.n_features)
            ]
            judged = self._stream.push(in_order(self._who(), names, sample))
        record = EnsembleRecord(time, *judged, self._voters)
        if time is not None:
            self._last_time = time
        return record

    def use(self, ensemble: "DetectorEnsemble") -> None:
        """Continue with another version of the ensemble, such as the newest of a learner.

        Parameters
        ----------
        ensemble : DetectorEnsemble
            A version with the same features and parameters.

        Raises
        ------
        ValueError
            If features or parameters differ.
        """
        model = ensemble._fitted()
        self._stream.use(model)
        self._ensemble, self._model = ensemble, model

    def _who(self) -> str:
        return "EnsembleStream"

    def _shown(self) -> dict[str, Any]:
        return {"voters": tuple(self._voters), "last_time": self._last_time}

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_stream": self._stream.snapshot()}
        del state["_model"]
        if self._ensemble._model is not self._model:  # it has been trained since
            state["_ensemble"] = copy.copy(self._ensemble)
            state["_ensemble"]._model = self._model
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._model = self._ensemble._model
        self._stream = _core.detect.EnsembleStream(self._model)
        self._stream.restore(state["_stream"])
