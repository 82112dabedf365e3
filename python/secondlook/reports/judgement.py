"""What a detector says about a frame: scores, how far beyond the threshold, and reasons."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.detect.detector_ensemble import DetectorEnsemble
from secondlook.detect.lstm_forecaster import LSTMForecaster
from secondlook.detect.peer_deviation import PeerDeviation
from secondlook.detect.surprise_stream import SurpriseStream
from secondlook.detect.tabular import TabularDetector
from secondlook.learn.incremental_learner import IncrementalLearner
from secondlook.reports.frame import WHO, Frame

_MAX_REASONS = 3
_MIN_FRACTION = 0.1  # a reason has at least this fraction of the evidence
_USUAL = (0.05, 0.95)  # quantiles of the normal rows
_COMPONENTS = {
    "level": "unusually high or low mean",
    "spread": "unusually high or low variation",
    "seasonal": "outside the range of this time of the season",
    "shape": "unlike any earlier course",
}


@dataclass(frozen=True)
class Reason:
    """Why a row is odd: in words, and the leading feature with its value and what is usual."""

    words: tuple[str, ...]
    feature: str = ""
    value: float = np.nan
    usual: tuple[float, float] = (np.nan, np.nan)


@dataclass(frozen=True)
class Judgement:
    """A detector's view of the rows of a frame.

    Attributes
    ----------
    score : ndarray of shape (n_rows,)
        Lower is more abnormal; NaN where there is none.
    threshold : float
        Scores below it are anomalies.
    margin : ndarray of shape (n_rows,)
        Distance from the usual: above 1 is an anomaly. NaN where there is no score.
    explain : callable
        Returns the `Reason` of each of some rows.
    """

    score: NDArray[np.float64]
    threshold: float
    margin: NDArray[np.float64]
    explain: Callable[[NDArray[np.intp]], list[Reason]]


def judge(detector: Any, frame: Frame) -> Judgement:
    """Judge a frame by any detector.

    Raises
    ------
    TypeError
        If it is no detector of rows or series.
    """
    if isinstance(detector, IncrementalLearner):
        detector = detector.detector_
    if isinstance(detector, DetectorEnsemble):
        return _by_ensemble(detector, frame)
    if isinstance(detector, TabularDetector):
        return _by_tabular(detector, frame)
    if isinstance(detector, SurpriseStream):
        return _by_surprise(detector, frame)
    if isinstance(detector, PeerDeviation):
        return _by_peers(detector, frame)
    is_of_images = hasattr(detector, "heatmap")
    hint = "; ImageClassifier.decide_table reports on images" if is_of_images else ""
    raise TypeError(
        f"{WHO}: expected a detector such as IsolationForest, DetectorEnsemble, LSTMForecaster, "
        f"SurpriseStream or PeerDeviation, got {type(detector).__name__}{hint}"
    )


def features_of(detector: Any) -> list[str] | None:
    """Return the names of the columns that a detector was fitted on; None if it has none."""
    if isinstance(detector, IncrementalLearner):  # its reader knows them without building a model
        detector = detector._reader
    names = getattr(detector, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _rows_for(detector: TabularDetector, frame: Frame) -> Any:
    detector._fitted()
    if len(frame.names) != detector.n_features_in_:
        raise ValueError(
            f"{WHO}: expected a frame with the {detector.n_features_in_} features of the "
            f"{type(detector).__name__}, got {len(frame.names)} columns of numbers: {frame.names}"
        )
    if not hasattr(detector, "feature_names_in_"):
        return frame.values
    import pandas as pd

    return pd.DataFrame(frame.values, columns=detector.feature_names_in_)


def _by_tabular(detector: TabularDetector, frame: Frame) -> Judgement:
    rows = _rows_for(detector, frame)
    takes_missing = detector.__sklearn_tags__().input_tags.allow_nan
    complete = np.arange(len(rows))
    if not takes_missing:
        complete = np.flatnonzero(~np.isnan(frame.values).any(axis=1))
    score = np.full(len(rows), np.nan)
    if len(complete):
        score[complete] = detector.score_samples(_take(rows, complete))
    threshold = detector.offset_
    usual = _usual_ranges(frame, score >= threshold)
    in_order = isinstance(detector, LSTMForecaster)

    @cache  # of a series, which needs all of its rows
    def all_contributions() -> NDArray[np.float64]:
        return detector.feature_contributions(rows)

    def explain(indices: NDArray[np.intp]) -> list[Reason]:
        if in_order:
            parts = all_contributions()[indices]
        else:
            parts = detector.feature_contributions(_take(rows, indices))
        beside = "at this time" if in_order else "beside the others"
        found = zip(indices, parts, strict=True)
        return [_reason(frame, int(i), part, usual, beside) for i, part in found]

    return Judgement(score, threshold, _margin(score, threshold), explain)


def _by_ensemble(ensemble: DetectorEnsemble, frame: Frame) -> Judgement:
    import pandas as pd

    rows = pd.DataFrame(_rows_for(ensemble, frame))
    verdicts = ensemble.verdicts(rows)
    score = verdicts["score"].to_numpy()
    said = verdicts["reasons"].to_numpy()
    usual = _usual_ranges(frame, score >= ensemble.offset_)

    def explain(indices: NDArray[np.intp]) -> list[Reason]:
        parts = ensemble.feature_contributions(_take(rows, indices))
        reasons = []
        for i, part in zip(indices, parts, strict=True):
            leading = _reason(frame, int(i), part, usual, "beside the others")
            words = (*leading.words[:1], *(said[i].split("; ") if said[i] else ()))
            reasons.append(Reason(words, leading.feature, leading.value, leading.usual))
        return reasons

    # The ensemble's score is minus its margin, which is 1 at the limit.
    return Judgement(score, ensemble.offset_, -score, explain)


def _by_surprise(stream: SurpriseStream, frame: Frame) -> Judgement:
    if len(frame.names) != 1:
        raise ValueError(
            f"{WHO}: expected one series for a SurpriseStream, got {len(frame.names)} columns of "
            f"numbers: {frame.names}; pass one column"
        )
    series = frame.values[:, 0]
    records = copy.deepcopy(stream).push_many(series)
    score = -records.surprise
    normal = ~(records.surprise >= stream.threshold)
    usual = _usual_ranges(frame, normal)

    def explain(indices: NDArray[np.intp]) -> list[Reason]:
        reasons = []
        for i in indices:
            strength = {name: float(getattr(records, name)[i]) for name in _COMPONENTS}
            order = sorted(strength, key=lambda name: -strength[name])[:_MAX_REASONS]
            words = tuple(
                f"{_COMPONENTS[name]} (surprise {strength[name]:.1f})"
                for name in order
                if strength[name] >= _MIN_FRACTION * sum(strength.values()) > 0
            )
            reasons.append(Reason(words, frame.names[0], series[i], usual[0]))
        return reasons

    return Judgement(score, -stream.threshold, records.surprise / stream.threshold, explain)


def _by_peers(detector: PeerDeviation, frame: Frame) -> Judgement:
    centre, half_width, ratio = detector._ratios(frame.values)
    margin = np.where(np.isnan(centre), np.nan, ratio.max(axis=1))

    def explain(indices: NDArray[np.intp]) -> list[Reason]:
        reasons = []
        for i in indices:
            low, high = centre[i] - half_width[i], centre[i] + half_width[i]
            order = np.argsort(-ratio[i], kind="stable")[:_MAX_REASONS]
            words = tuple(
                f"{frame.names[j]} {frame.values[i, j]:.4g}, its peers {low:.4g} to {high:.4g}"
                for j in order
                if ratio[i, j] > 1 or j == order[0]
            )
            j = int(order[0])
            reasons.append(Reason(words, frame.names[j], frame.values[i, j], (low, high)))
        return reasons

    return Judgement(-margin, -1.0, margin, explain)


def _take(rows: Any, indices: NDArray[np.intp]) -> Any:
    return rows.iloc[indices] if hasattr(rows, "iloc") else rows[indices]


def _margin(score: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Return 0 at the median of the scores, and 1 at the threshold."""
    known = score[~np.isnan(score)]
    width = np.median(known) - threshold if len(known) else 0.0
    if width <= 0:  # most rows are anomalies
        width = float(np.std(known)) if len(known) else 0.0
    return 1 + (threshold - score) / (width or 1.0)


def _usual_ranges(frame: Frame, normal: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Return the range of 90 % of the values of each feature in the normal rows."""
    rows = frame.values[normal] if normal.any() else frame.values
    ranges = []
    for column in rows.T:
        present = column[~np.isnan(column)]
        low, high = np.quantile(present, _USUAL) if len(present) else (np.nan, np.nan)
        ranges.append((float(low), float(high)))
    return ranges


def _reason(
    frame: Frame,
    row: int,
    parts: NDArray[np.float64],
    usual: list[tuple[float, float]],
    beside: str,
) -> Reason:
    parts = np.maximum(np.nan_to_num(parts), 0)
    total = parts.sum()
    if total <= 0:
        return Reason(())
    order = [int(j) for j in np.argsort(-parts, kind="stable")[:_MAX_REASONS]]
    words = []
    for j in order:
        if parts[j] < _MIN_FRACTION * total:
            continue
        value, (low, high) = frame.values[row, j], usual[j]
        said = f"{frame.names[j]} {value:.4g}, usually {low:.4g} to {high:.4g}"
        if np.isnan(value):
            said = f"{frame.names[j]} missing"
        elif low <= value <= high:
            said += f", but not {beside}"
        words.append(f"{said} ({parts[j] / total:.0%})")
    first = order[0]
    return Reason(tuple(words), frame.names[first], frame.values[row, first], usual[first])
