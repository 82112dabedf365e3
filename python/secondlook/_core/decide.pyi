from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

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

class TailStatistics(TypedDict):
    initial_threshold: float
    shape: float
    scale: float
    n_scores: int
    n_peaks: int
    n_alarms: int

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
    def update(self, score: float) -> bool: ...
    @property
    def threshold(self) -> float: ...
    # Excess, and whether it is censored.
    @property
    def peaks(self) -> list[tuple[float, bool]]: ...
    @property
    def statistics(self) -> TailStatistics: ...

class ConformalPValues:
    def __init__(self, calibration: NDArray[np.float64], confidence: float | None) -> None: ...
    def p_values(self, scores: NDArray[np.float64]) -> NDArray[np.float64]: ...
    @property
    def n_calibration(self) -> int: ...

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
    p_values: NDArray[np.float64], false_discovery_rate: float, null_share: float
) -> NDArray[np.uint8]: ...
def storey_null_share(p_values: NDArray[np.float64], cut: float) -> float: ...
def event_metrics(
    time_ns: NDArray[np.int64],
    alarms: NDArray[np.uint8],
    windows: NDArray[np.int64],
    merge_gap_ns: int,
) -> Metrics: ...
