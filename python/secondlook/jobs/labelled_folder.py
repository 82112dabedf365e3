"""Images in one folder per class."""

import os
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["labelled_folder"]


def labelled_folder(
    folder: str | os.PathLike[str], group_pattern: str | None = None
) -> tuple[list[Path], NDArray[np.str_], NDArray[np.str_]]:
    """Return the images below a folder, their classes, and the group of each.

    Parameters
    ----------
    folder : path
        Contains a folder per class, whose name is the class.
    group_pattern : str or None, default=None
        Regular expression; what it finds in the name of a file (its first group, if it has one) is
        the group of the image, such as its patient. None: every image is its own group.

    Returns
    -------
    files : list of Path
    labels, groups : ndarray of str of shape (n_images,)

    Raises
    ------
    ValueError
        If there are fewer than two classes, a class has a single image, or the pattern is invalid
        or finds nothing in a name.
    """
    from secondlook.image import list_images  # needs torch

    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f"expected a folder, got '{root}'")
    classes = sorted(f for f in root.iterdir() if f.is_dir() and not f.name.startswith("."))
    if len(classes) < 2:
        raise ValueError(
            f"expected a folder per class in '{root}', at least two, got {len(classes)}"
        )
    files: list[Path] = []
    labels: list[str] = []
    for folder_of_class in classes:
        found = list_images(folder_of_class)
        if len(found) < 2:
            raise ValueError(
                f"expected at least 2 images per class, got 1 in '{folder_of_class}': one to train "
                "on, one to judge by; add images, or move the folder away"
            )
        files += found
        labels += [folder_of_class.name] * len(found)
    return files, np.array(labels), np.array(_groups_of(files, group_pattern))


def _groups_of(files: list[Path], pattern: str | None) -> list[str]:
    if pattern is None:
        return [str(file) for file in files]
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ValueError(
            f"expected a regular expression for groups, got {pattern!r}: {error}"
        ) from (None)
    groups = []
    for file in files:
        match = expression.search(file.name)
        if match is None:
            raise ValueError(f"expected {pattern!r} to find the group in '{file}', found nothing")
        groups.append(match[1] if expression.groups else match[0])
    return groups
