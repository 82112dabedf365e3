"""Lists of images, and of values per image."""

import os
from collections.abc import Iterable, Iterator, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _image
from secondlook._shared.missing import where_missing
from secondlook.image.decode import as_pixels, is_dicom_file
from secondlook.image.file_content import is_dicom, is_raster, read_head
from secondlook.image.image_folder import ImageFolder

_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp"),
    *(".dcm", ".dicom", ".ima"),
)
# Images by content, but previews, copies of others, or raw formats of cameras.
_OTHER_SUFFIXES = (
    *(".thm", ".bak", ".orig", ".old", ".tmp", ".part", ".crdownload"),
    *(".dng", ".nef", ".nrw", ".cr2", ".arw", ".sr2", ".orf", ".rw2", ".pef", ".srw", ".3fr"),
)
# Folders of macOS, Synology and Windows that are not hidden by a dot.
_FOLDERS_OF_SYSTEMS = ("__macosx", "@eadir", "$recycle.bin", "system volume information")


def list_images(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the image files of a folder and those below it, sorted.

    Files are recognised by their suffix or, with another suffix or none, by content. Hidden files
    and folders, and those created by operating systems, are left out. Links to folders are
    followed; each file and folder counts once, by its own name rather than by that of a link.

    Raises
    ------
    ValueError
        If there are none, or the folder does not exist.
    OSError
        If a subfolder cannot be read.
    """
    return images_below("list_images", Path(folder))


def images_below(who: str, folder: Path) -> list[Path]:
    """Return what `list_images` does, with errors that begin with `who`."""
    if not folder.is_dir():
        raise ValueError(f"{who}: expected a folder, got {folder}")
    files = sorted(file for file in _files_below(folder) if _is_image(file))
    if not files:
        raise ValueError(f"{who}: expected image files in {folder}, got none")
    return files


def visible_folders(folder: Path) -> list[str]:
    """Return the names of the subfolders that `list_images` reads, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and _is_visible(entry))


def _files_below(root: Path) -> Iterator[Path]:
    """Yield each file once; links last, so that their targets are found by their own names."""
    folders, links, seen = [root], list[Path](), set[str]()
    real_root = os.path.realpath(root)
    while folders or links:
        path = folders.pop() if folders else links.pop(0)
        real = os.path.realpath(path)
        # A link to a parent of the root would lead in circles.
        if real in seen or (path != root and os.path.commonpath([real, real_root]) == real):
            continue
        seen.add(real)
        if not path.is_dir():
            yield path
            continue
        with os.scandir(path) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            if not _is_visible(entry):
                continue
            if entry.is_symlink():
                links.append(Path(entry.path))
            elif entry.is_dir():
                folders.append(Path(entry.path))
            else:
                seen.add(real.rstrip(os.sep) + os.sep + entry.name)
                yield Path(entry.path)


def _is_visible(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.name.lower() not in _FOLDERS_OF_SYSTEMS


def _is_image(file: Path) -> bool:
    suffix = file.suffix.lower()
    if suffix in _SUFFIXES:
        return file.is_file() or file.is_symlink()  # a broken link is to be an error
    # The directory of a DICOM medium is DICOM itself (PS3.10, 8.6), without an image.
    if suffix in _OTHER_SUFFIXES or file.name.endswith("~") or file.name.upper() == "DICOMDIR":
        return False
    if not file.is_file():
        return False
    head = read_head(file)
    return is_raster(head) or is_dicom(head)


def as_core_images(
    who: str,
    images: Sequence[Any],
    size: tuple[int, int],
    skipped: list[tuple[int, str]] | None = None,
) -> list[Any]:
    """Return images for the core: paths of files that it reads itself, or pixels."""
    inputs: list[Any] = []
    for index, image in enumerate(images):
        try:
            inputs.append(_as_core_image(f"{who}: image {index}", image, size))
        except (ValueError, OSError) as error:
            if skipped is None:
                raise
            skipped.append((index, str(error)))
    return inputs


def _as_core_image(who: str, image: Any, size: tuple[int, int]) -> Any:
    if not isinstance(image, str | os.PathLike):
        return as_pixels(who, image)
    file = Path(image)
    if not is_dicom_file(file):
        return file
    # Many large DICOM files would not fit into memory; the core gives the same for this size.
    return _image.resize(as_pixels(who, file), *size)


def as_sequence(who: str, X: Any) -> Sequence[Any]:
    """Return images as a sequence; a folder stands for its image files, and a path for itself."""
    if isinstance(X, ImageFolder):
        return X.paths
    if isinstance(X, str | os.PathLike):
        path = Path(X)
        if path.is_dir():
            return images_below(who, path)
        if path.is_file():
            return [path]
        raise ValueError(
            f"{who}: expected images, an image file or a folder, got {path}, which does not exist"
        )
    if isinstance(X, np.ndarray) and X.dtype.kind not in "OUS" and X.ndim not in (3, 4):
        raise ValueError(
            f"{who}: expected an array of shape (n, rows, columns) or (n, rows, columns, "
            f"channels), got {X.shape}"
        )
    if isinstance(X, bytes) or (isinstance(X, np.ndarray) and _looks_like_one_image(X)):
        what = "bytes" if isinstance(X, bytes) else f"an array of shape {X.shape}"
        raise ValueError(
            f"{who}: expected a sequence of images, got {what}, which looks like one image: "
            "wrap it in a list"
        )
    if not isinstance(X, Iterable) or hasattr(X, "columns"):  # a table's items are its columns
        raise ValueError(
            f"{who}: expected a sequence of images or a folder, got {type(X).__name__}"
        )
    images = list(X)
    if not images:
        raise ValueError(f"{who}: expected at least 1 image, got none")
    return images


def _looks_like_one_image(array: NDArray[Any]) -> bool:
    """Whether the last axis holds channels; small squares are images."""
    return array.ndim == 3 and array.shape[2] in (1, 3, 4) and array.shape[1] > array.shape[2]


def one_per_image(who: str, what: str, values: ArrayLike, n_images: int) -> NDArray[Any]:
    """Return one value per image, all of one kind and none missing."""
    array = np.asarray(values)
    if array.shape != (n_images,):
        got = len(array) if array.ndim == 1 else array.shape
        raise ValueError(
            f"{who}: expected one {what.removesuffix('s')} per image ({n_images}), got {got}"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{who}: expected finite {what}, got NaN or infinity")
    items = np.asarray(values, dtype=object)
    missing = np.flatnonzero(where_missing(values))
    if missing.size:
        raise ValueError(
            f"{who}: expected {what} of all images, got {items[missing[0]]!r} for image "
            f"{missing[0]}"
        )
    if isinstance(values, np.ndarray) and array.dtype.kind != "O":
        return array
    # NumPy would turn a list of several kinds into strings.
    kinds = {_kind(item): type(item).__name__ for item in items}
    if len(kinds) > 1:
        raise ValueError(
            f"{who}: expected {what} of one kind, got {' and '.join(sorted(kinds.values()))}"
        )
    return np.array(items.tolist()) if array.dtype.kind == "O" else array


def _kind(value: Any) -> Any:
    kinds: tuple[Any, ...] = ((bool, np.bool_), Real, str, bytes)
    return next((kind for kind in kinds if isinstance(value, kind)), type(value))


def encoded(
    who: str, what: str, values: ArrayLike, n_images: int
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the distinct values, sorted, and for each image the index of its value."""
    known, indices = np.unique(one_per_image(who, what, values, n_images), return_inverse=True)
    return known, indices.astype(np.int64)
