from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from secondlook._core.store import ModelFile

class Detector:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...  # raises: it is abstract
    # These return False or NotImplemented unless x is a C-contiguous float array of fitting shape.
    def fit(self, x: Any, progress: Callable[[int, int], None] | None) -> bool: ...
    def partial_fit(self, x: Any, progress: Callable[[int, int], None] | None) -> bool: ...
    def fit_offset(self, x: Any) -> bool: ...
    def score_samples(self, x: Any) -> NDArray[np.float64]: ...
    def feature_contributions(self, x: Any) -> NDArray[np.float64]: ...
    def copy(self) -> Self: ...
    def to_file(self) -> ModelFile: ...
    def forget_decision_rule(self) -> None: ...
    feature_names: list[str]
    @property
    def kind(self) -> str: ...
    @property
    def offset(self) -> float: ...
    @property
    def offset_is_stale(self) -> bool: ...
    @property
    def fitted(self) -> bool: ...
    @property
    def n_features(self) -> int: ...

class IsolationForest(Detector):
    # x may also be a sparse matrix in compressed rows.
    def fit(  # type: ignore[override]
        self,
        x: Any,
        progress: Callable[[int, int], None] | None,
        sample_weight: NDArray[np.float64] | None,
        warm_start: IsolationForest | None,
    ) -> bool: ...
    def __init__(
        self,
        *,
        n_estimators: int,
        max_samples: int,
        max_features: int,
        contamination: float | None,
        bootstrap: bool,
        route_missing: bool,
        refresh_fraction: float,
        seed: int,
        n_jobs: int,
    ) -> None: ...
    def merge(self, other: IsolationForest) -> None: ...
    @staticmethod
    def from_file(file: ModelFile) -> IsolationForest: ...
    def expected_path_length(self) -> float: ...
    @property
    def n_trees(self) -> int: ...
    @property
    def subsample_size(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def parameters(self) -> dict[str, Any]: ...

class Autoencoder(Detector):
    def __init__(
        self,
        *,
        hidden: list[int],
        dropout: float,
        learning_rate: float,
        weight_decay: float,
        batch_size: int,
        max_epochs: int,
        patience: int,
        validation_fraction: float,
        contamination: float,
        feature_weights: list[float],
        seed: int,
        n_jobs: int,
    ) -> None: ...
    def reconstruct(self, x: Any) -> NDArray[np.float64]: ...
    @staticmethod
    def from_file(file: ModelFile) -> Autoencoder: ...
    @property
    def history(self) -> dict[str, NDArray[np.float64]]: ...
    @property
    def parameters(self) -> dict[str, Any]: ...

class LstmForecaster(Detector):
    def __init__(
        self,
        *,
        window: int,
        hidden: int,
        layers: int,
        dropout: float,
        learning_rate: float,
        weight_decay: float,
        batch_size: int,
        max_epochs: int,
        patience: int,
        validation_fraction: float,
        max_gap: int,
        contamination: float,
        seed: int,
        n_jobs: int,
    ) -> None: ...
    def fit_series(
        self, series: list[Any], progress: Callable[[int, int], None] | None
    ) -> bool: ...
    def residuals(self, x: Any) -> NDArray[np.float64]: ...
    def forecast(self, x: Any, n_steps: int) -> NDArray[np.float64]: ...
    @staticmethod
    def from_file(file: ModelFile) -> LstmForecaster: ...
    @property
    def history(self) -> dict[str, NDArray[np.float64]]: ...
    @property
    def parameters(self) -> dict[str, Any]: ...

class DetectorStream:
    def __init__(
        self, detector: Detector, parameters: dict[str, Any], state: dict[str, Any] | None
    ) -> None: ...
    def push(
        self, sample: Any
    ) -> tuple[
        float, Literal["normal", "anomaly", "unknown"], float, list[tuple[int, str, float]]
    ]: ...
    @property
    def state(self) -> dict[str, Any]: ...

class PeerDeviation:
    def __init__(
        self,
        *,
        n_sigma: float,
        floor: float,
        bound: float | None,
        side: str,
        robust: bool,
        n_jobs: int,
    ) -> None: ...
    # These return NotImplemented if x is not a C-contiguous float array of two dimensions.
    def judge(
        self,
        x: Any,
        active: NDArray[np.uint8] | None,
        progress: Callable[[int, int], None] | None,
    ) -> dict[str, NDArray[Any]]: ...
    def bands(self, x: Any) -> NDArray[np.float64]: ...

class PeerDeviationStream:
    def __init__(self, detector: PeerDeviation, n_sensors: int) -> None: ...
    def push(
        self, readings: NDArray[np.float64], active: bool
    ) -> tuple[float, float, NDArray[np.int64]]: ...
    def verdicts(self) -> dict[str, NDArray[Any]]: ...
    @property
    def n_samples(self) -> int: ...

class SurpriseStream:
    def __init__(
        self,
        *,
        season: int,
        scales: list[int],
        memory: int,
        seasons: int,
        threshold: float,
        cooldown: int,
    ) -> None: ...
    def push(self, sample: float) -> dict[str, Any]: ...
    def push_many(
        self, samples: NDArray[np.float64], progress: Callable[[int, int], None] | None
    ) -> dict[str, NDArray[Any]]: ...
    @property
    def time(self) -> int: ...

def plant_states(current: NDArray[np.float64], threshold: float) -> NDArray[np.uint8]: ...

class DetectorEnsemble(Detector):
    def __init__(
        self,
        members: list[tuple[str, Detector]],
        *,
        votes: int,
        n_sigma: float,
        recent_level: float,
        recent_window: int,
        limit_level: float,
        rules: list[dict[str, Any]],
        feature_names: list[str],
    ) -> None: ...
    @staticmethod
    def from_file(file: ModelFile) -> DetectorEnsemble: ...
    @property
    def voters(self) -> list[str]: ...
    @property
    def member_files(self) -> list[tuple[str, ModelFile]]: ...
    @property
    def parameters(self) -> dict[str, Any]: ...

class EnsembleStream:
    def __init__(self, ensemble: DetectorEnsemble) -> None: ...
    def push(
        self, sample: Any
    ) -> tuple[float, int, Literal["normal", "medium", "high", "critical"], str]: ...
    def push_many(self, samples: NDArray[np.float64]) -> dict[str, Any]: ...
    def use(self, ensemble: DetectorEnsemble) -> None: ...
    def snapshot(self) -> NDArray[np.float64]: ...
    def restore(self, snapshot: NDArray[np.float64]) -> None: ...
