"""Reader of folders with one subfolder per class."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.image.image_folder import ImageFolder
from secondlook.image.image_list import images_below, one_per_image, visible_folders

Groups = str | re.Pattern[str] | Callable[[Path], Any]


def load_folder(
    folder: str | os.PathLike[str],
    *,
    groups: Groups | None = None,
    classes: Sequence[str] | None = None,
) -> ImageFolder:
    r"""List the images of a folder that has one subfolder per class.

    The label of an image is the name of the subfolder that it is in, at any depth. Files are found
    as by `list_images`; none is read.

    Parameters
    ----------
    folder : str or os.PathLike
    groups : str, re.Pattern, callable or None, default=None
        Which images belong together, such as those of a patient: a regular expression with one
        group, searched in the path below `folder` (``r"(person\d+)_"``), or a function of the path
        that returns a string or a number. None: every image is by itself.
    classes : sequence of str or None, default=None
        Names of the subfolders to use; others, and images beside the subfolders, are ignored.
        None: all of them.

    Returns
    -------
    images : ImageFolder

    Raises
    ------
    ValueError
        If `folder` does not exist or has no images, no subfolders, an empty one, or images beside
        them, or if an image has no group.
    OSError
        If a subfolder cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> from secondlook.image import load_folder
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("good/a1", "good/b1", "hot/a2"):
    ...     (root / name).parent.mkdir(exist_ok=True)
    ...     Image.fromarray(np.zeros((8, 8), np.uint8)).save(root / f"{name}.png")
    >>> paths, y, groups = load_folder(root, groups=r"/([ab])\d")
    >>> y.tolist(), groups.tolist()
    (['good', 'good', 'hot'], ['a', 'b', 'a'])
    """
    who = "load_folder"
    root = Path(folder)
    files = images_below(who, root)
    names = visible_folders(root)
    if not names:
        raise ValueError(
            f"{who}: expected one subfolder per class in {root}, got {len(files)} images and no "
            "subfolders; move them into subfolders, or give their labels with list_images"
        )
    wanted = names if classes is None else list(classes)
    for name in wanted:
        if name not in names:
            raise ValueError(f"{who}: expected classes among {names}, got {name!r}")
    parts = {file: file.relative_to(root).parts for file in files}
    outside = [file for file in files if len(parts[file]) == 1]
    if outside and classes is None:
        others = f" and {len(outside) - 1} more" if len(outside) > 1 else ""
        raise ValueError(
            f"{who}: expected every image in the subfolder of its class, got "
            f"{outside[0]}{others} beside {names}; move or remove them, or choose classes=[...]"
        )
    paths = [file for file in files if len(parts[file]) > 1 and parts[file][0] in wanted]
    labels = np.array([parts[file][0] for file in paths], dtype=np.str_)
    for name in wanted:
        if name not in labels:
            raise ValueError(
                f"{who}: expected images in every class folder, got none in {root / name}; remove "
                "it, or choose classes=[...]"
            )
    return ImageFolder(root, paths, labels, _groups_of(who, paths, root, groups), wanted)


def _groups_of(
    who: str, paths: list[Path], root: Path, groups: Groups | None
) -> NDArray[Any] | None:
    if groups is None:
        return None
    if isinstance(groups, str | re.Pattern):
        values = _matches(who, paths, root, groups)
    elif callable(groups):
        values = [groups(path) for path in paths]
    else:
        raise ValueError(
            f"{who}: expected groups as a regular expression, a function or None, got {groups!r}"
        )
    return one_per_image(who, "groups", values, len(paths))


def _matches(
    who: str, paths: list[Path], root: Path, expression: str | re.Pattern[str]
) -> list[Any]:
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise ValueError(
            f"{who}: expected groups as a regular expression, got {expression!r}: {error}"
        ) from None
    if pattern.groups != 1:
        raise ValueError(
            f"{who}: expected groups as a regular expression with one group in parentheses, got "
            f"{pattern.groups} in {pattern.pattern!r}; those of others begin with (?:"
        )
    values = []
    for path in paths:
        found = pattern.search(path.relative_to(root).as_posix())
        if found is None or found[1] is None:
            raise ValueError(
                f"{who}: expected a group in every path by {pattern.pattern!r}, got none in {path}"
            )
        values.append(found[1])
    return values
