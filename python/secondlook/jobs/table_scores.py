"""Scores of a table by a detector's model file, with verdicts and reasons."""

import os
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.plain_values import plain
from secondlook._shared.progress import ProgressBar
from secondlook._shared.written_results import WrittenAsCsv
from secondlook.detect.detector_ensemble import DetectorEnsemble
from secondlook.detect.tabular import TabularDetector
from secondlook.jobs.csv_rows import CsvRows, read_rows
from secondlook.jobs.model_of_kind import TABLE_KINDS, load_of_kind

__all__ = ["TableScores", "score_table"]

_ROWS_PER_STEP = 1000  # of the progress bar
_N_SHOWN = 10


@dataclass
class TableScores(WrittenAsCsv):
    """Scores of the rows of a table.

    ``str`` lists the most anomalous rows.

    Attributes
    ----------
    kind : str
        Kind of the model.
    offset : float
        Rows with a lower score are anomalous.
    rows : CsvRows
    score : ndarray of shape (n_rows,)
        Higher is more normal; NaN for a row without a score.
    verdict : ndarray of str of shape (n_rows,)
        "normal", "anomaly" or "unknown".
    reasons : list of str
        Why a row is an anomaly, otherwise empty.
    severity : list of str or None
        Of an ensemble's verdicts; empty for unknown rows.
    """

    kind: str
    offset: float
    rows: CsvRows
    score: NDArray[np.float64]
    verdict: NDArray[np.str_]
    reasons: list[str]
    severity: list[str] | None = None

    @property
    def n_anomalies(self) -> int:
        """Number of anomalous rows."""
        return int((self.verdict == "anomaly").sum())

    @property
    def n_unknown(self) -> int:
        """Number of rows without a score."""
        return int((self.verdict == "unknown").sum())

    def __str__(self) -> str:
        anomalies = np.flatnonzero(self.verdict == "anomaly")
        unknown = f", {self.n_unknown} unknown" if self.n_unknown else ""
        lines = [f"{len(anomalies)} of {len(self.score)} rows are anomalous{unknown}"]
        worst = anomalies[np.argsort(self.score[anomalies], kind="stable")][:_N_SHOWN]
        if len(anomalies) > _N_SHOWN:
            lines[0] += f"; the worst {_N_SHOWN}"
        if len(anomalies):
            lines[0] += ":"
        for i in worst:
            keys = [column[i] for column in (self.rows.devices, self.rows.times) if column]
            name = " ".join(keys) or f"row {i}"
            lines.append(f"  {name}  score {self.score[i]:.4g}: {self.reasons[i]}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the summary and the anomalous rows as plain values."""
        anomalies = []
        for i in np.flatnonzero(self.verdict == "anomaly").tolist():
            row: dict[str, Any] = {"row": i}
            if self.rows.times:
                row["time"] = self.rows.times[i]
            if self.rows.devices:
                row["device"] = self.rows.devices[i]
            row["score"] = self.score[i]
            if self.severity is not None:
                row["severity"] = self.severity[i]
            anomalies.append({**row, "reasons": self.reasons[i]})
        result: dict[str, Any] = plain(
            {
                "kind": self.kind,
                "offset": self.offset,
                "n_rows": len(self.score),
                "n_anomalies": self.n_anomalies,
                "n_unknown": self.n_unknown,
                "anomalies": anomalies,
            }
        )
        return result

    def _columns(self) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {}
        if self.rows.device_column is not None:
            columns[self.rows.device_column] = self.rows.devices
        if self.rows.time_column is not None:
            columns[self.rows.time_column] = self.rows.times
        columns |= {"score": self.score.tolist(), "verdict": self.verdict.tolist()}
        if self.severity is not None:
            columns["severity"] = self.severity
        return columns | {"reasons": self.reasons}


def score_table(
    model: str | os.PathLike[str],
    table: str | os.PathLike[str],
    *,
    time_column: str | None = None,
    device_column: str | None = None,
) -> TableScores:
    """Score the rows of a CSV file in their order, as a stream per device.

    Parameters
    ----------
    model : path
        Model file of a detector of rows or series.
    table : path
        CSV file with a header. Its columns are matched with the model's features by name, and
        other columns are ignored. If the model has no names, all columns except those of times and
        devices are features.
    time_column : str or None, default=None
        Column of times, copied to the result. None: the first column, if it is not a feature and
        does not hold numbers.
    device_column : str or None, default=None
        Column that names the device of a row. None: all rows are of one device.

    Returns
    -------
    TableScores

    Raises
    ------
    ValueError
        If the model is of another kind, a column is missing, or a field is not a number.
    OSError
        If a file cannot be read.
    """
    kind, loaded = load_of_kind(model, TABLE_KINDS, "for images use decide")
    detector = cast(TabularDetector, loaded)
    names = getattr(detector, "feature_names_in_", None)
    rows = read_rows(
        table,
        None if names is None else [str(name) for name in names],
        time_column=time_column,
        device_column=device_column,
    )
    if len(rows.features) != detector.n_features_in_:
        raise ValueError(
            f"'{os.fspath(table)}': the model was trained on {detector.n_features_in_} columns "
            f"without names, got {len(rows.features)} besides time and device: "
            f"{', '.join(rows.features)}"
        )
    return _scored(kind, detector, rows)


def _scored(kind: str, detector: TabularDetector, rows: CsvRows) -> TableScores:
    is_ensemble = isinstance(detector, DetectorEnsemble)
    # A detector that does not accept missing values leaves such rows unknown.
    judged = np.ones(len(rows.values), dtype=bool)
    if not (is_ensemble or detector.__sklearn_tags__().input_tags.allow_nan):
        judged = np.logical_not(np.isnan(rows.values).any(axis=1))
    scores = np.full(len(rows.values), np.nan)
    verdicts = np.full(len(rows.values), "unknown", dtype="<U7")
    reasons = [""] * len(rows.values)
    severities = [""] * len(rows.values)
    streams: dict[str, Any] = {}
    with ProgressBar("Scoring") as progress:
        for i in np.flatnonzero(judged).tolist():
            if i % _ROWS_PER_STEP == 0:
                progress(i, len(scores))
            device = rows.devices[i] if rows.devices else ""
            if device not in streams:
                streams[device] = detector.stream()
            record = streams[device].push(rows.values[i])
            scores[i], verdicts[i] = record.score, record.verdict
            if record.verdict == "anomaly":
                reasons[i] = "; ".join(record.reasons)
            if is_ensemble:
                severities[i] = record.severity or ""
    return TableScores(
        kind,
        detector.offset_,
        rows,
        scores,
        verdicts,
        reasons,
        severities if is_ensemble else None,
    )
