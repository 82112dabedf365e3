"""An ensemble's verdicts on samples as they come."""

import copy
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import ArrayLike

from secondlook import _core
from secondlook.detect.stream import Verdict, require_later

if TYPE_CHECKING:
    from secondlook.detect.detector_ensemble import DetectorEnsemble

Severity = Literal["normal", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("normal", "medium", "high", "critical")


class EnsembleRecord:
    """What an ensemble's voters made of a sample.

    Attributes
    ----------
    time : object
        As it was pushed; None where none was given.
    score : float
        As `score_samples` of the ensemble, but for the device's own recent level: below -1 it is
        an anomaly. NaN where a value was missing.
    verdict : {"normal", "anomaly", "unknown"}
        "unknown" where a value was missing.
    severity : {"normal", "medium", "high", "critical"} or None
        From votes and margin; None where the verdict is "unknown".
    n_votes : int
        Cast for an anomaly.
    votes : tuple of str
        Voters that cast them.
    reasons : str
        In words, ``"; "`` between them; empty while normal.
    """

    __slots__ = ("_voters", "_votes", "reasons", "score", "severity", "time", "verdict")

    def __init__(
        self, time: Any, score: float, votes: int, severity: int, reasons: str, voters: list[str]
    ) -> None:
        self.time = time
        self.score = score
        self.verdict: Verdict = "anomaly" if severity else "normal" if score == score else "unknown"
        self.severity: Severity | None = SEVERITIES[severity] if score == score else None
        self.reasons = reasons
        self._votes = votes
        self._voters = voters

    @property
    def n_votes(self) -> int:
        """Votes cast for an anomaly."""
        return self._votes.bit_count()

    @property
    def votes(self) -> tuple[str, ...]:
        """Voters that cast them."""
        return tuple(name for i, name in enumerate(self._voters) if self._votes >> i & 1)

    def __repr__(self) -> str:
        why = f": {self.reasons}" if self.reasons else ""
        return (
            f"EnsembleRecord({self.verdict}, {self.severity}, {self.n_votes} votes, "
            f"score={self.score:.4g}, time={self.time!r}{why})"
        )


class EnsembleStream:
    """One device's samples, judged by an ensemble as they come: constant time and memory a sample.

    Made by ``ensemble.stream()``. Streams of one ensemble share its model, and go on with it when
    the ensemble has learned, until `use`; so it may learn while other threads judge. Each remembers
    its own device's recent level, and pickles: a copy goes on where it stood.

    Parameters
    ----------
    ensemble : DetectorEnsemble
        Fitted.
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
        sample : array-like of shape (n_features,)
            A sample with a NaN in it is not judged.
        time : datetime, numpy.datetime64, float or alike, optional
            When it was taken: later than the one before. Kept in the record.

        Returns
        -------
        record : EnsembleRecord

        Raises
        ------
        ValueError
            For another number of features, infinities, and a time that does not go forward. The
            stream is then as before.
        """
        if time is not None and time != time:
            raise ValueError("EnsembleStream: expected a time, got a missing one")
        if time is not None and self._last_time is not None:
            require_later("EnsembleStream", self._last_time, time)
        record = EnsembleRecord(time, *self._stream.push(sample), self._voters)
        if time is not None:
            self._last_time = time
        return record

    def use(self, ensemble: "DetectorEnsemble") -> None:
        """Go on with another version of the ensemble, such as a learner's newest.

        Parameters
        ----------
        ensemble : DetectorEnsemble
            With the same features and parameters.

        Raises
        ------
        ValueError
            If it has others.
        """
        model = ensemble._fitted()
        self._stream.use(model)
        self._ensemble, self._model = ensemble, model

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_stream": self._stream.snapshot()}
        del state["_model"]
        if self._ensemble._model is not self._model:  # it has learned since
            state["_ensemble"] = copy.copy(self._ensemble)
            state["_ensemble"]._model = self._model
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._model = self._ensemble._model
        self._stream = _core.detect.EnsembleStream(self._model)
        self._stream.restore(state["_stream"])
