from typing import Any, TypedDict, overload

import numpy as np
from numpy.typing import NDArray

from secondlook._core.store import ModelFile

class RunningQuantile:
    def __init__(self, probability: float) -> None: ...
    def push(self, sample: float) -> float: ...
    @property
    def value(self) -> float: ...
    @property
    def count(self) -> int: ...

class AnomalyLikelihood:
    def __init__(
        self, *, short_window: int, long_window: int, warm_up: int, floor: float
    ) -> None: ...
    def push(self, score: float) -> float: ...
    @property
    def tail_probability(self) -> float: ...
    @property
    def count(self) -> int: ...

class TailSurprise:
    def __init__(
        self, *, two_sided: bool, largest: int, shape: float, warm_up: int, block: int
    ) -> None: ...
    def push(self, value: float) -> float: ...
    def push_many(self, values: NDArray[np.float64]) -> NDArray[np.float64]: ...
    @property
    def count(self) -> int: ...

class PeaksOverThreshold:
    def __init__(
        self,
        scores: NDArray[np.float64],
        *,
        risk: float,
        level: float,
        max_peaks: int,
        drift_window: int,
    ) -> None: ...
    def push(self, score: float) -> bool: ...
    @property
    def threshold(self) -> float: ...
    @property
    def state(self) -> dict[str, Any]: ...

class ConformalPValues:
    def __init__(self, calibration: NDArray[np.float64], confidence: float | None) -> None: ...
    def p_values(self, scores: NDArray[np.float64]) -> NDArray[np.float64]: ...
    @property
    def n_calibration(self) -> int: ...

class ConformalSets:
    def __init__(
        self,
        probabilities: NDArray[np.float64],
        labels: NDArray[np.int64],
        groups: NDArray[np.int64],
        parameters: dict[str, Any],
    ) -> None: ...
    def sets(
        self, probabilities: NDArray[np.float64], groups: NDArray[np.int64]
    ) -> NDArray[np.uint8]: ...
    def decide(
        self,
        probabilities: NDArray[np.float64],
        groups: NDArray[np.int64],
        out_of_distribution: NDArray[np.uint8],
    ) -> NDArray[np.int64]: ...
    def report(
        self,
        probabilities: NDArray[np.float64],
        labels: NDArray[np.int64],
        groups: NDArray[np.int64],
        confidence: float,
    ) -> dict[str, Any]: ...
    @property
    def state(self) -> dict[str, Any]: ...

def fewest_for_coverage(alpha: float) -> int: ...

class Metrics(TypedDict):
    n_events: int
    n_true_events: int
    n_windows: int
    n_windows_hit: int
    event_precision: float
    event_recall: float
    event_f1: float
    mean_delay_s: float
    median_delay_s: float
    events_per_day: float
    false_events_per_day: float
    precision: float
    recall: float
    false_alarm_rate: float

def quantile_threshold(
    scores: NDArray[np.float64], false_alarm_rate: float, confidence: float | None
) -> float: ...
def seasonal_threshold(
    scores: NDArray[np.float64],
    seasons: NDArray[np.int64],
    *,
    false_alarm_rate: float,
    confidence: float | None,
    n_seasons: int,
    min_scores: int,
) -> tuple[float, NDArray[np.float64], NDArray[np.int64]]: ...
def hours_of_day(time_ns: NDArray[np.int64], utc_offset_minutes: int) -> NDArray[np.int64]: ...
def benjamini_hochberg(
    p_values: NDArray[np.float64], false_discovery_rate: float, null_fraction: float
) -> NDArray[np.uint8]: ...
def storey_null_fraction(p_values: NDArray[np.float64], cut: float) -> float: ...
def event_metrics(
    time_ns: NDArray[np.int64],
    alarms: NDArray[np.uint8],
    windows: NDArray[np.int64],
    merge_gap_ns: int,
) -> Metrics: ...

# Value, low, high.
_Estimate = tuple[float, float, float]

class _Confusion(TypedDict):
    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int
    accuracy: float
    recall: float
    specificity: float
    precision: float
    f1: float
    balanced_accuracy: float
    matthews: float

def binomial_interval(
    n_successes: int, n_trials: int, confidence: float
) -> tuple[float, float]: ...
def confusion_matrix(
    scores: NDArray[np.float64], labels: NDArray[np.uint8], threshold: float
) -> _Confusion: ...

# Thresholds, two rates, area.
_Curve = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]

def roc_curve(scores: NDArray[np.float64], labels: NDArray[np.uint8]) -> _Curve: ...
def precision_recall_curve(scores: NDArray[np.float64], labels: NDArray[np.uint8]) -> _Curve: ...
def binary_metrics(
    scores: NDArray[np.float64],
    labels: NDArray[np.uint8],
    *,
    threshold: float,
    beta: float,
    confidence: float,
    n_bootstrap: int,
    seed: int,
    n_jobs: int,
) -> dict[str, Any]: ...
def tune_threshold(
    scores: NDArray[np.float64],
    labels: NDArray[np.uint8],
    *,
    maximize: str,
    beta: float,
    costs: tuple[float, float],
    min_recall: float | None,
    min_precision: float | None,
    min_specificity: float | None,
    floor_confidence: float | None,
) -> tuple[float, float, _Confusion]: ...

class Calibration:
    def __init__(
        self, method: str, scores: NDArray[np.float64], labels: NDArray[np.uint8]
    ) -> None: ...
    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]: ...
    @property
    def state(self) -> dict[str, Any]: ...

def fit_temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float: ...

class SuspiciousBand:
    @overload
    def __init__(self, lower: float, upper: float) -> None: ...
    @overload
    def __init__(
        self,
        scores: NDArray[np.float64],
        labels: NDArray[np.uint8],
        groups: NDArray[np.int64],
        parameters: dict[str, Any],
    ) -> None: ...
    def decide(
        self, scores: NDArray[np.float64], out_of_distribution: NDArray[np.uint8]
    ) -> NDArray[np.uint8]: ...
    def report(
        self, scores: NDArray[np.float64], labels: NDArray[np.uint8], confidence: float
    ) -> dict[str, Any]: ...
    @property
    def state(self) -> dict[str, Any]: ...

def holds_for_any_mixture(parameters: dict[str, Any]) -> bool: ...

class MixtureDrift:
    def __init__(self, scores: NDArray[np.float64], labels: NDArray[np.uint8]) -> None: ...
    def p_value(self, scores: NDArray[np.float64], any_mixture: bool) -> float: ...

class FeatureDistance:
    def __init__(
        self,
        features: NDArray[np.float64],
        held_out: NDArray[np.float64],
        false_alarm_rate: float,
        classes: NDArray[np.int64],
    ) -> None: ...
    def distances(self, features: NDArray[np.float64]) -> NDArray[np.float64]: ...
    @property
    def threshold(self) -> float: ...
    @property
    def n_features(self) -> int: ...
    @property
    def false_alarm_rate(self) -> float: ...

class DecisionRule:
    def __init__(
        self,
        scores: NDArray[np.float64],
        labels: NDArray[np.uint8],
        groups: NDArray[np.int64],
        *,
        calibration: str | None,
        threshold: dict[str, Any] | None,
        band: dict[str, Any] | None,
        feature_distance: FeatureDistance | None,
    ) -> None: ...
    # Returns NotImplemented if features are not a C-contiguous float array of two dimensions.
    def decide(
        self, scores: NDArray[np.float64], out_of_distribution: NDArray[np.uint8], features: Any
    ) -> NDArray[np.uint8]: ...
    def drift_p_value(self, scores: NDArray[np.float64]) -> float: ...
    @property
    def calibration(self) -> Calibration | None: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def threshold_parameters(self) -> dict[str, Any] | None: ...
    @property
    def band(self) -> SuspiciousBand | None: ...
    @property
    def band_parameters(self) -> dict[str, Any] | None: ...
    @property
    def feature_distance(self) -> FeatureDistance | None: ...
    @property
    def drift(self) -> MixtureDrift: ...
    @property
    def n_positives(self) -> int: ...
    @property
    def n_negatives(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def stale(self) -> bool: ...
    def compare_with(self, file: ModelFile) -> None: ...
    def write_to(self, file: ModelFile) -> None: ...
    @staticmethod
    def read_from(file: ModelFile) -> DecisionRule | None: ...
