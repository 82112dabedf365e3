from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook._core.store import ModelFile

pybind11_internals_version: int
MAX_PIXELS: int

# Pixels are C-contiguous uint8, uint16 or float32 arrays of (rows, columns) or (rows, columns, 3);
# options are fields by name.
def decode(data: bytes, name: str, max_pixels: int, page: int | None) -> NDArray[Any]: ...
def read(file: Path, max_pixels: int, page: int | None) -> NDArray[Any]: ...
def resize(pixels: NDArray[Any], height: int, width: int) -> NDArray[Any]: ...
def preprocess(pixels: NDArray[Any], options: dict[str, Any]) -> NDArray[np.float32]: ...
def check_augmentation(options: dict[str, Any], /) -> None: ...
def augment(
    pixels: NDArray[Any], options: dict[str, Any], seed: int, epoch: int, index: int
) -> NDArray[Any]: ...
def split_by_group(
    labels: NDArray[np.int64], groups: NDArray[np.int64], fraction: float, seed: int
) -> tuple[list[int], list[int]]: ...
def tensors_of(
    architecture: str, channels: int, height: int, width: int, n_classes: int
) -> list[tuple[str, list[int]]]: ...

class ImageClassifier:
    def __init__(self, **parameters: Any) -> None: ...
    # Images are pixels, or files to read.
    def fit(
        self,
        images: list[NDArray[Any] | Path],
        labels: NDArray[np.int64],
        groups: NDArray[np.int64],
        sample_weights: NDArray[np.float64],
        validation_images: list[NDArray[Any] | Path],
        validation_labels: NDArray[np.int64],
        skip_broken: bool,
        checkpoint: str,
        weights: dict[str, NDArray[np.float32]] | Path | None,
        progress: Callable[[int, int, int, float, dict[str, float] | None], None] | None,
        after_epoch: Callable[[int, dict[str, float]], bool] | None,
    ) -> dict[str, Any]: ...
    def partial_fit(
        self,
        images: list[NDArray[Any] | Path],
        labels: NDArray[np.int64],
        progress: Callable[[int, int, int, float, dict[str, float] | None], None] | None,
    ) -> None: ...
    def predict_proba(
        self,
        images: list[NDArray[Any] | Path],
        variations: dict[str, bool],
        progress: Callable[[int, int], None] | None,
    ) -> NDArray[np.float64]: ...
    def features(
        self,
        images: list[NDArray[Any] | Path],
        progress: Callable[[int, int], None] | None,
    ) -> NDArray[np.float64]: ...
    def predict_with_features(
        self,
        images: list[NDArray[Any] | Path],
        variations: dict[str, bool],
        progress: Callable[[int, int], None] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def labelled_rows(
        self, images: list[NDArray[Any] | Path], labels: NDArray[np.int64]
    ) -> NDArray[np.float32]: ...
    def heatmap(self, image: NDArray[Any] | Path, class_index: int) -> NDArray[np.float32]: ...
    def overlay(
        self, image: NDArray[Any] | Path, class_index: int, strength: float
    ) -> NDArray[np.uint8]: ...
    def copy(self) -> ImageClassifier: ...
    @property
    def fitted(self) -> bool: ...
    @property
    def n_classes(self) -> int: ...
    @property
    def n_features(self) -> int: ...
    @property
    def n_weights(self) -> int: ...
    @property
    def history(self) -> dict[str, NDArray[np.float64]]: ...
    @property
    def parameters(self) -> dict[str, Any]: ...
    @property
    def preprocessing(self) -> dict[str, Any]: ...
    def to_file(self) -> ModelFile: ...
    @staticmethod
    def from_file(file: ModelFile) -> ImageClassifier: ...
