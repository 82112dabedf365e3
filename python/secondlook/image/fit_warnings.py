"""Warnings of `ImageClassifier.fit` about the images."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.warn_caller import warn_caller


def warn_of_duplicates(who: str, pairs: NDArray[np.int64]) -> None:
    """Warn that images look alike, if there are such pairs."""
    if not len(pairs):
        return
    look = "1 pair of images looks" if len(pairs) == 1 else f"{len(pairs)} pairs of images look"
    warn_caller(
        f"{who}: {look} alike, such as {pairs[0][0]} and {pairs[0][1]} (near_duplicates_); "
        "put duplicates in one group (groups=...), otherwise the validation score is optimistic",
    )


def warn_of_no_validation(who: str, validation_fraction: float) -> None:
    """Warn that the training images are used for validation."""
    warn_caller(
        f"{who}: no group could be held out for validation_fraction={validation_fraction}, "
        "because each has a larger fraction of the images of a class, or the last of them; "
        "the model is validated on its training images, so the score is optimistic",
    )


def warn_of_absent_classes(who: str, classes: list[Any], validation_fraction: float) -> None:
    """Warn that validation says nothing about some classes."""
    warn_caller(
        f"{who}: no image of class {' and '.join(map(repr, classes))} could be held out for "
        f"validation_fraction={validation_fraction}, so its recall is unknown (NaN) and it is not "
        "part of the validation score; give more images or groups of it, or a larger "
        "validation_fraction",
    )
