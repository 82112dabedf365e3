"""What the methods of an image classifier share: its fitted model and predictions."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from secondlook._shared.progress import ProgressBar
from secondlook.image.options import rows_and_columns
from secondlook.image.predictions import Predictions, Predictor

if TYPE_CHECKING:
    from secondlook import _image


class HasFittedModel:
    """Base of the mixins of `ImageClassifier`."""

    image_size: int | tuple[int, int]
    classes_: NDArray[Any]
    _model: "_image.ImageClassifier"

    def _fitted(self) -> "_image.ImageClassifier":
        if not hasattr(self, "_model"):
            raise NotFittedError("ImageClassifier: not fitted yet, call fit first")
        return self._model

    def _size(self) -> tuple[int, int]:
        return rows_and_columns("ImageClassifier", "image_size", self.image_size)

    def _predictions(
        self,
        who: str,
        images: Sequence[Any],
        averaged: Mapping[str, bool],
        *,
        with_features: bool = False,
        skip_broken: bool = False,
    ) -> Predictions:
        predictor = Predictor(self._fitted(), self._size(), averaged, with_features)
        predict = predictor.of_readable if skip_broken else predictor.of_all
        with ProgressBar("Predicting") as bar:
            return predict(who, images, bar)

    def _column(self, who: str, name: str, label: Any) -> int:
        found = np.flatnonzero(self.classes_ == label)
        if len(found) != 1:
            raise ValueError(
                f"{who}: expected {name} as one of {self.classes_.tolist()}, got {label!r}"
            )
        return int(found[0])
