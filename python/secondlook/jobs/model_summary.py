"""What a model file contains, without torch."""

import json
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from secondlook._shared.plain_values import plain
from secondlook.decide.decision_rule import DecisionRule
from secondlook.decide.suspicious_band import SuspiciousBand
from secondlook.detect.tabular import TabularDetector
from secondlook.jobs.model_of_kind import TABLE_KINDS
from secondlook.store import ModelFile
from secondlook.store.load import build

__all__ = ["ModelSummary", "inspect_model"]


@dataclass
class ModelSummary:
    """Contents of a model file.

    ``str`` formats them for a terminal.

    Attributes
    ----------
    path : Path
    size_bytes : int
    kind : str
    format_version : int
    library_version : str
        Version of secondlook that wrote the file.
    n_features : int or None
        None for images.
    feature_names : list of str or None
    classes : list or None
        Of an image classifier.
    network : dict or None
        Of an image classifier: architecture, image_size (rows, columns), channels, contrast.
    offset : float or None
        Rows with a lower score are anomalous; None for images.
    offset_is_stale : bool
        Whether training has continued since the offset was computed.
    rule : dict or None
        The decision rule: ``guarantee`` in words, ``lower`` and ``upper`` of the band,
        ``threshold``, ``calibration``, ``tests_out_of_distribution``, ``score_parameters``,
        ``n_positives``, ``n_negatives``, ``stale``.
    learner : dict or None
        If an `IncrementalLearner` wrote the file: ``version``, ``time``, ``reason``, ``n_updates``.
    parameters : dict
    """

    path: Path
    size_bytes: int
    kind: str
    format_version: int
    library_version: str
    n_features: int | None = None
    feature_names: list[str] | None = None
    classes: list[Any] | None = None
    network: dict[str, Any] | None = None
    offset: float | None = None
    offset_is_stale: bool = False
    rule: dict[str, Any] | None = None
    learner: dict[str, Any] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [
            ("kind", self.kind),
            ("file", f"{self.path}, {_size(self.size_bytes)}"),
            ("written by", f"secondlook {self.library_version}, format {self.format_version}"),
        ]
        if self.n_features is not None:
            names = (
                f": {', '.join(self.feature_names)}" if self.feature_names else ", without names"
            )
            lines.append(("features", f"{self.n_features}{names}"))
        if self.classes is not None:
            lines.append(("classes", ", ".join(map(str, self.classes))))
        if self.network is not None:
            rows, columns = self.network["image_size"]
            channels = "grey" if self.network["channels"] == 1 else "colour"
            lines.append(
                (
                    "network",
                    f"{self.network['architecture']}, {rows} rows x {columns} columns, "
                    f"{channels}, contrast {self.network['contrast']}",
                )
            )
        if self.offset is not None:
            stale = ", stale: training has continued since" if self.offset_is_stale else ""
            lines.append(("offset", f"anomalous below a score of {self.offset:.6g}{stale}"))
        lines += _lines_of_rule(self.rule)
        if self.learner is not None:
            lines.append(
                (
                    "learner",
                    f"version {self.learner['version']} of {self.learner['time']}, "
                    f"{self.learner['n_updates']} updates",
                )
            )
        return "\n".join(f"{name:11} {text}" for name, text in lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the contents as plain values."""
        result: dict[str, Any] = plain(self)
        return result


def inspect_model(path: str | os.PathLike[str]) -> ModelSummary:
    """Return what a model file contains. The checksums are verified.

    Parameters
    ----------
    path : path
        A file written by a model's ``save``.

    Returns
    -------
    ModelSummary

    Raises
    ------
    secondlook.ModelFileError
        If the file is truncated, damaged or of a newer format.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile, numpy as np, secondlook as sl
    >>> forest = sl.IsolationForest(random_state=0).fit(np.eye(20, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     forest.save(f"{folder}/forest.safetensors")
    ...     summary = sl.jobs.inspect_model(f"{folder}/forest.safetensors")
    >>> summary.kind, summary.n_features, summary.rule
    ('isolation_forest', 3, None)
    """
    file = ModelFile.read(path)
    sections = {name: json.loads(text) for name, text in file.sections.items()}
    summary = ModelSummary(
        Path(path),
        Path(path).stat().st_size,
        file.kind,
        _format_version(path),
        file.library_version,
        rule=_rule_of(file),
        learner=_learner_of(sections.get("learner")),
        parameters=sections.get("parameters") or {},
    )
    decision = sections.get("decision") or {}
    summary.offset_is_stale = bool(decision.get("stale", False))
    if file.kind in TABLE_KINDS:
        detector = cast(TabularDetector, build(file))
        summary.n_features = detector.n_features_in_
        summary.offset = detector.offset_
        summary.feature_names = sections.get("feature_names")
    elif file.kind == "image_classifier":
        prepared = sections["preprocessing"]
        summary.classes = sections.get("classes")
        summary.network = {
            "architecture": summary.parameters["architecture"],
            "image_size": [prepared["height"], prepared["width"]],
            "channels": prepared["channels"],
            "contrast": prepared["contrast"],
        }
    return summary


def _format_version(path: str | os.PathLike[str]) -> int:
    """Return the format version of a file that has been read, from its header."""
    with Path(path).open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return int(json.loads(header["__metadata__"]["secondlook"])["format_version"])


def _rule_of(file: ModelFile) -> dict[str, Any] | None:
    rule = DecisionRule._read_from(file)
    if rule is None:
        return None
    rule._rule.compare_with(file)
    band = rule.band_
    return {
        "guarantee": None if band is None else _guarantee(band),
        "lower": None if band is None else band.lower_,
        "upper": None if band is None else band.upper_,
        "threshold": rule.threshold_,
        "calibration": rule.calibration,
        "tests_out_of_distribution": rule.feature_distance_ is not None,
        "score_parameters": rule.score_parameters,
        "n_positives": rule.n_positives_,
        "n_negatives": rule.n_negatives_,
        "stale": rule.stale_,
    }


def _guarantee(band: SuspiciousBand) -> str:
    """State in words how the thresholds of a band were chosen."""
    if band.thresholds is not None:
        return "none: the thresholds were given"
    if band.costs is not None:
        miss, false_alarm, referral = band.costs
        return (
            f"none: lowest cost (miss {miss:g}, false alarm {false_alarm:g}, referral {referral:g})"
        )
    if band.max_referral_rate is not None:
        return f"none: a budget, {band.max_referral_rate:.3g} of the calibration cases are referred"
    rates = (band.max_miss_rate, band.max_false_alarm_rate)
    low, high = (0.05, 0.05) if rates == (None, None) else rates
    if band.guarantee == "selective":
        parts = [(low, "of those decided negative are abnormal"),
                 (high, "of those decided positive are normal")]  # fmt: skip
    else:
        parts = [(low, "of the abnormal are decided negative"),
                 (high, "of the normal are decided positive")]  # fmt: skip
    told = " and ".join(f"at most {rate:.3g} {what}" for rate, what in parts if rate is not None)
    return f"{told}, with confidence {band.confidence:g}"


def _lines_of_rule(rule: dict[str, Any] | None) -> list[tuple[str, str]]:
    if rule is None:
        return [("rule", "none")]
    n_cases = f"fitted on {rule['n_positives']} abnormal and {rule['n_negatives']} normal cases"
    lines = [("rule", n_cases + (", STALE: the model has changed since" if rule["stale"] else ""))]
    if rule["score_parameters"]:
        arguments = (f"{name}={_listed(value)}" for name, value in rule["score_parameters"].items())
        lines.append(("score", ", ".join(arguments)))
    if rule["guarantee"] is not None:
        lines.append(("guarantee", rule["guarantee"]))
        lines.append(
            ("band", f"negative below {rule['lower']:.6g}, positive from {rule['upper']:.6g}")
        )
    if rule["threshold"] is not None:
        lines.append(("threshold", f"positive from {rule['threshold']:.6g}"))
    if rule["calibration"] is not None:
        lines.append(("calibration", rule["calibration"]))
    if rule["tests_out_of_distribution"]:
        lines.append(("also refers", "what is out of distribution"))
    return lines


def _listed(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def _learner_of(section: dict[str, Any] | None) -> dict[str, Any] | None:
    if section is None:
        return None
    version = section["version"]
    written = time.gmtime(version["time_ns"] // 1_000_000_000)
    return {
        "version": version["number"],
        "time": time.strftime("%Y-%m-%d %H:%M:%S UTC", written),
        "reason": version["reason"],
        "n_updates": section["n_updates"],
    }


def _size(n_bytes: int) -> str:
    unit = min(int(math.log10(max(n_bytes, 1))) // 3, 3)
    return f"{n_bytes / 1000**unit:.3g} {('bytes', 'kB', 'MB', 'GB')[unit]}"
