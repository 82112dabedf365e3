"""Warnings of `ImageClassifier.fit` about the images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.warn_caller import warn_caller
from secondlook.image.fit_data import FitData


def warn_of_validation(
    who: str, model: Any, report: Mapping[str, Any], data: FitData, given: FitData
) -> None:
    """Warn of all that makes the validation of an `ImageClassifier` optimistic or incomplete.

    `report` is the core's, on training with `data` and validation with those `given`, if any.
    """
    absent = model.classes_[report["classes_not_held_out"]].tolist()
    if len(given.images):
        _warn_of_known_validation_images(who, model.near_duplicates_)
        _warn_of_shared_groups(who, data.groups, given.groups)
        if absent:
            _warn_of_absent_classes(who, absent, None)
        return
    _warn_of_duplicates(who, model.near_duplicates_)
    if report["none_held_out"]:
        _warn_of_no_validation(who, model.validation_fraction)
    if absent and model.validation_fraction > 0:
        _warn_of_absent_classes(who, absent, model.validation_fraction)


def _warn_of_duplicates(who: str, pairs: NDArray[np.int64]) -> None:
    """Warn that images look alike, if there are such pairs."""
    if not len(pairs):
        return
    look = "1 pair of images looks" if len(pairs) == 1 else f"{len(pairs)} pairs of images look"
    warn_caller(
        f"{who}: {look} alike, such as {pairs[0][0]} and {pairs[0][1]} (near_duplicates_); "
        "put duplicates in one group (groups=...), otherwise the validation score is optimistic",
    )


def _warn_of_known_validation_images(who: str, pairs: NDArray[np.int64]) -> None:
    """Warn that images given for validation look like some trained on, if there are such pairs."""
    if not len(pairs):
        return
    n = len(np.unique(pairs[:, 1]))
    look = "1 image of validation_data looks" if n == 1 else f"{n} images of validation_data look"
    warn_caller(
        f"{who}: {look} like images trained on, such as {pairs[0][1]} like {pairs[0][0]} "
        "(near_duplicates_); leave them out, otherwise the validation score is optimistic",
    )


def _warn_of_shared_groups(who: str, groups: Any, validation_groups: Any) -> None:
    """Warn that groups are both trained on and validated with, if there are such groups."""
    if groups is None or validation_groups is None:
        return
    shared = np.intersect1d(groups, validation_groups).tolist()
    if not shared:
        return
    many = "1 group is" if len(shared) == 1 else f"{len(shared)} groups are"
    warn_caller(
        f"{who}: {many} both trained on and in validation_data, such as {shared[0]!r}; split by "
        "group (ImageFolder.split), otherwise the validation score is optimistic",
    )


def _warn_of_no_validation(who: str, validation_fraction: float) -> None:
    """Warn that the training images are used for validation."""
    warn_caller(
        f"{who}: no group could be held out for validation_fraction={validation_fraction}, "
        "because each has a larger fraction of the images of a class, or the last of them; "
        "the model is validated on its training images, so the score is optimistic",
    )


def _warn_of_absent_classes(
    who: str, classes: list[Any], validation_fraction: float | None
) -> None:
    """Warn that validation says nothing about some classes; without fraction, data were given."""
    names = " and ".join(map(repr, classes))
    unknown = "so its recall is unknown (NaN) and it is not part of the validation score"
    if validation_fraction is None:
        message = f"{who}: validation_data has no image of class {names}, {unknown}; add some"
    else:
        message = (
            f"{who}: no image of class {names} could be held out for "
            f"validation_fraction={validation_fraction}, {unknown}; give more images or groups of "
            "it, or a larger validation_fraction"
        )
    warn_caller(message)
