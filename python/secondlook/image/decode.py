"""From whatever holds an image to its pixels."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook import _image
from secondlook.core.arguments import as_whole_number
from secondlook.image.dicom import is_dicom, read_dicom

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

MAX_PIXELS: int = _image.MAX_PIXELS
"""The most pixels that an image may have unless the caller says otherwise: 100 million."""


def read_image(image: Any, *, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Read an image from a file, from memory or from an array.

    JPEG, PNG, TIFF and BMP, with the orientation that EXIF states applied and 16 bits kept; DICOM,
    where pydicom is installed, with its window applied and MONOCHROME1 inverted.

    Parameters
    ----------
    image : path, bytes, array or PIL.Image.Image
        A file, its contents, or pixels of shape (rows, columns), (rows, columns, 1) or
        (rows, columns, 3): uint8, uint16, bool, or floats in [0, 1], which become 16 bits. Of a
        Pillow image, mode F is floats, and mode I has 16 bits.
    max_pixels : int, default=100_000_000
        Larger files are refused before anything is allocated for them.

    Returns
    -------
    uint8 or uint16 array of shape (rows, columns) or (rows, columns, 3)
        Grey, or red, green and blue.

    Raises
    ------
    ValueError
        If it is no image that we read, a broken or too large one; the message names the file.
    OSError
        If the file cannot be read.
    ImportError
        If it is DICOM and pydicom is missing.
    """
    who = "read_image"
    return as_pixels(who, image, as_whole_number(who, "max_pixels", max_pixels, 1))


def as_pixels(who: str, image: Any, max_pixels: int = MAX_PIXELS) -> Pixels:
    """As `read_image`; messages about arrays begin with `who`."""
    if isinstance(image, bytes):
        if is_dicom(image[:132]):
            return read_dicom(io.BytesIO(image), "<bytes>", max_pixels)
        try:
            return _image.decode(image, "<bytes>", max_pixels)
        except ValueError as error:
            raise ValueError(f"{who}: {str(error).removeprefix('decode_image: ')}") from None
    if isinstance(image, str | os.PathLike):
        file = Path(image)
        if names_dicom(file):
            return read_dicom(file, str(file), max_pixels)
        return _image.read(file, max_pixels)
    if type(image).__module__.partition(".")[0] == "PIL":
        try:
            image = _from_pil(who, image)
        except OSError as error:  # a lazily read file
            raise ValueError(f"{who}: {error}") from None
    return _checked(who, np.asarray(image))


def names_dicom(file: Path) -> bool:
    """Whether the file is DICOM: by its name, or where that says nothing by its contents."""
    suffix = file.suffix.lower()
    if suffix in (".dcm", ".dicom", ".ima"):
        return True
    # DICOM files often have no suffix, or a number.
    if (suffix and not suffix[1:].isdigit()) or not file.is_file():
        return False
    with file.open("rb") as stream:
        return is_dicom(stream.read(132))


def _from_pil(who: str, image: Any) -> NDArray[Any]:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):
        # 16-bit files come as 32-bit integers, too.
        values = np.asarray(upright)
        low, high = int(values.min(initial=0)), int(values.max(initial=0))
        if low < 0 or high > 65535:
            raise ValueError(
                f"{who}: expected a Pillow image of mode {upright.mode} with values in "
                f"0 to 65535, got {low} to {high}"
            )
        return values.astype(np.uint16)
    if upright.mode not in ("1", "L", "RGB", "F"):
        upright = upright.convert("L" if upright.mode in ("LA", "La") else "RGB")
    return np.asarray(upright)


def _checked(who: str, array: NDArray[Any]) -> Pixels:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3) or array.size == 0:
        raise ValueError(
            f"{who}: expected an image of shape (rows, columns), (rows, columns, 1) or "
            f"(rows, columns, 3), got {array.shape}"
        )
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype.kind == "f":
        if np.isnan(array).any():
            raise ValueError(f"{who}: expected floats in [0, 1], got NaN")
        low, high = float(array.min()), float(array.max())
        if low < 0 or high > 1:
            raise ValueError(f"{who}: expected floats in [0, 1], got {low:g} to {high:g}")
        array = np.rint(array.astype(np.float64) * 65535).astype(np.uint16)
    if array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise ValueError(
            f"{who}: expected uint8, uint16, bool or floats in [0, 1], got {array.dtype}"
        )
    pixels: Pixels = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return pixels
