"""Predictions of images, of which some may be broken."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from secondlook.image.broken_images import why_broken
from secondlook.image.fit_data import readable

if TYPE_CHECKING:
    from secondlook import _image

# Number of images predicted at once if broken ones are left out. If one of them is broken, each
# half of them is predicted again, then each half of a half, until it is found.
_CHUNK = 256


class Predictions(NamedTuple):
    """Probabilities and features of the images that could be read."""

    indices: NDArray[np.int64]
    """Of these images among all."""
    probabilities: NDArray[np.float64]
    features: NDArray[np.float64] | None
    broken: dict[int, str]
    """Why each other image could not be read."""


class Predictor(NamedTuple):
    """How the core predicts images, which it reads itself."""

    model: "_image.ImageClassifier"
    size: tuple[int, int]
    variations: Mapping[str, bool]
    with_features: bool

    def of_all(
        self, who: str, images: Sequence[Any], report: Callable[[int, int], None]
    ) -> Predictions:
        """Predict all images; a broken one is an error."""
        inputs = readable(who, images, self.size, skip=False).inputs
        return Predictions(np.arange(len(images)), *self._rows(inputs, report), {})

    def of_readable(
        self, who: str, images: Sequence[Any], report: Callable[[int, int], None]
    ) -> Predictions:
        """Predict the images that can be read."""
        found = readable(who, images, self.size, skip=True)
        n = len(found.inputs)
        used: list[int] = []
        parts: list[tuple[NDArray[np.float64], NDArray[np.float64] | None]] = []
        by_core: list[tuple[int, str]] = []

        def predict(begin: int, end: int) -> None:
            try:
                part = self._rows(found.inputs[begin:end], lambda k, _: report(begin + k, n))
            except (ValueError, OSError) as error:
                if end - begin == 1:
                    by_core.append((begin, str(error)))
                    return
                middle = (begin + end) // 2
                predict(begin, middle)
                predict(middle, end)
            else:
                parts.append(part)
                used.extend(range(begin, end))

        for begin in range(0, n, _CHUNK):
            predict(begin, min(begin + _CHUNK, n))
        return Predictions(
            found.indices[used],
            np.concatenate([np.empty((0, self.model.n_classes)), *(p for p, _ in parts)]),
            np.concatenate([f for _, f in parts]) if self.with_features and parts else None,
            {i: why_broken(images[i], message) for i, message in found.all_skipped(by_core)},
        )

    def _rows(
        self, inputs: list[Any], report: Callable[[int, int], None]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        variations = dict(self.variations)
        if self.with_features:
            return self.model.predict_with_features(inputs, variations, report)
        return self.model.predict_proba(inputs, variations, report), None


def not_in_column(p: NDArray[np.float64], column: int) -> NDArray[np.float64]:
    """Return the probability of the other classes; of two classes without rounding it again."""
    return p[:, 1 - column].copy() if p.shape[1] == 2 else 1 - p[:, column]
