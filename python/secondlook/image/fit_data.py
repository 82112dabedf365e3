"""What `ImageClassifier.fit` is given: images, labels, groups, weights and validation data."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from secondlook.image.image_folder import ImageFolder
from secondlook.image.image_list import (
    as_core_images,
    as_sequence,
    encoded,
    one_per_image,
    visible_folders,
)
from secondlook.image.load_folder import load_folder


class FitData(NamedTuple):
    """Images with a value each."""

    images: Sequence[Any]
    labels: Any
    groups: Any = None


class Readable(NamedTuple):
    """Images for the core, without those that cannot be read."""

    inputs: list[Any]
    indices: NDArray[np.int64]
    """Of these images among all."""
    skipped: list[tuple[int, str]]

    def kept_of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values of these images, of one value per image or of none."""
        return values[self.indices] if len(values) else values

    def all_skipped(self, by_core: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
        """Return what was left out here and, by the index among these images, in the core."""
        return sorted(self.skipped + [(int(self.indices[i]), why) for i, why in by_core])


def readable(who: str, images: Sequence[Any], size: tuple[int, int], skip: bool) -> Readable:
    """Return images for the core; with `skip`, broken ones are left out here or there."""
    skipped: list[tuple[int, str]] = []
    inputs = as_core_images(who, images, size, skipped if skip else None)
    indices = np.setdiff1d(np.arange(len(images)), [index for index, _ in skipped])
    return Readable(inputs, indices.astype(np.int64), skipped)


def training_data(who: str, X: Any, y: Any, groups: Any) -> FitData:
    """Return images and labels; without `y` both are those of a folder of class folders."""
    if y is not None:
        if isinstance(X, ImageFolder) or _has_class_folders(X):
            raise ValueError(
                f"{who}: expected y or class folders, got both; leave out y, or give "
                "secondlook.image.list_images(...) with y"
            )
        _require_values(who, groups)
        return FitData(as_sequence(who, X), y, groups)
    if isinstance(X, ImageFolder):
        _require_values(who, groups)
        folder = X
    elif isinstance(X, str | os.PathLike):
        by_path = _names_groups_by_path(groups)
        folder = _loaded(who, X, groups if by_path else None)
        groups = None if by_path else groups
    else:
        raise ValueError(
            f"{who}: expected labels y, got None; only folders with a subfolder per class have "
            "labels of their own"
        )
    _require_several_images(who, folder)
    return FitData(folder.paths, folder.labels, folder.groups if groups is None else groups)


def validation_data_of(who: str, data: Any) -> FitData:
    """Return the images, labels and, of an `ImageFolder`, groups to validate with, if any."""
    if data is None:
        return FitData([], [])
    if isinstance(data, str | os.PathLike):
        data = _loaded(f"{who}: validation_data", data, None)
    if isinstance(data, ImageFolder):
        return FitData(data.paths, data.labels, data.groups)
    if not isinstance(data, tuple | list) or len(data) != 2:
        got = f"{len(data)} items" if isinstance(data, tuple | list) else type(data).__name__
        raise ValueError(
            f"{who}: expected validation_data as (images, labels), an ImageFolder or a folder of "
            f"class folders, got {got}"
        )
    return FitData(as_sequence(f"{who}: validation_data", data[0]), data[1])


def columns_of(who: str, data: FitData, classes: NDArray[Any]) -> NDArray[np.int64]:
    """Return the index of each label among the classes."""
    known, indices = encoded(who, "labels", data.labels, len(data.images))
    columns = {label: column for column, label in enumerate(classes.tolist())}
    for label in known.tolist():
        if label not in columns:
            raise ValueError(f"{who}: expected labels among {list(columns)}, got {label!r}")
    return np.array([columns[label] for label in known.tolist()], dtype=np.int64)[indices]


def group_numbers(who: str, data: FitData) -> NDArray[np.int64]:
    """Return a number per image for its group; none if there are no groups."""
    if data.groups is None:
        return np.empty(0, np.int64)
    return encoded(who, "groups", data.groups, len(data.images))[1]


def weights_of(who: str, sample_weight: Any, n_images: int) -> NDArray[np.float64]:
    """Return one weight per image, whose range the core checks; none for None."""
    if sample_weight is None:
        return np.empty(0)
    weights = one_per_image(who, "sample weights", sample_weight, n_images)
    if weights.dtype.kind not in "biuf":
        raise ValueError(f"{who}: expected sample weights as numbers, got {weights.dtype}")
    return weights.astype(np.float64)


def _loaded(who: str, path: str | os.PathLike[str], groups: Any) -> ImageFolder:
    """Return `load_folder`, with errors that begin with `who`."""
    try:
        return load_folder(path, groups=groups)
    except ValueError as error:
        raise ValueError(f"{who}: {str(error).removeprefix('load_folder: ')}") from None


def _has_class_folders(X: Any) -> bool:
    """Whether a folder would be taken as one of class folders."""
    if not isinstance(X, str | os.PathLike) or len(_subfolders(X)) < 2:
        return False
    try:
        load_folder(X)
    except ValueError:
        return False
    return True


def _subfolders(X: str | os.PathLike[str]) -> list[str]:
    return visible_folders(Path(X)) if Path(X).is_dir() else []


def _names_groups_by_path(groups: Any) -> bool:
    return isinstance(groups, str | re.Pattern) or callable(groups)


def _require_values(who: str, groups: Any) -> None:
    if _names_groups_by_path(groups):
        raise ValueError(
            f"{who}: expected one group per image, got {groups!r}; patterns and functions are for "
            "folders of class folders (load_folder)"
        )


def _require_several_images(who: str, folder: ImageFolder) -> None:
    """Require two images of each class: one to train on, one to validate with."""
    for label in folder.classes:
        n = int((folder.labels == label).sum())
        if n < 2:
            raise ValueError(
                f"{who}: expected at least 2 images of each class, got {n} of {label!r} in "
                f"{folder.root}; add some, or leave the class out with load_folder(classes=[...])"
            )
