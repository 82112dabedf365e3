"""Reading of images from files, bytes, arrays and Pillow images."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook import _image
from secondlook._shared.arguments import as_whole_number
from secondlook.image.dicom import read_dicom
from secondlook.image.file_content import HEAD_LENGTH, is_dicom, is_raster, read_head

_PHYSICAL_INTEGERS = (np.int8, np.int16, np.int32, np.uint32)

Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]

MAX_PIXELS: int = _image.MAX_PIXELS
"""Default for the largest number of pixels of an image: 100 million."""


def read_image(image: Any, *, page: int | None = None, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Read an image from a file, from memory or from an array.

    Formats are JPEG, PNG, TIFF and BMP, of which the EXIF orientation is applied and 16 bits are
    kept, and DICOM if pydicom is installed, whose window is applied and whose MONOCHROME1 is
    inverted. The format is recognised by content, not by file name. Opacity is dropped.

    Parameters
    ----------
    image : path, bytes, array or PIL.Image.Image
        A file, its contents, or pixels of shape (rows, columns), (rows, columns, 1),
        (rows, columns, 3), or with opacity (rows, columns, 4). Arrays are uint8, uint16, bool, or
        physical values: floats, or signed or unsigned integers of up to 32 bits. Of a Pillow image
        with several frames the current one is read.
    page : int or None, default=None
        Page of a TIFF, without thumbnails, or frame of a DICOM file, counted from 0. None: there
        must be only one.
    max_pixels : int, default=100_000_000
        Larger files are refused before anything is allocated for them.

    Returns
    -------
    uint8, uint16 or float32 array of shape (rows, columns) or (rows, columns, 3)
        Grey, or red, green and blue. Integers range from black to white, even if a TIFF stores zero
        as white. Signed values, 32-bit values and floats are physical values, such as the degrees
        of a thermogram, and are returned unchanged as float32, which keeps 24 bits of them. The
        ``value_range`` of a classifier maps them to black and white.

    Raises
    ------
    ValueError
        If the format is unknown, the image is damaged or too large, or it has several pages and
        none is chosen; the message names the file.
    OSError
        If the file cannot be read.
    ImportError
        If it is DICOM and pydicom is missing.
    """
    who = "read_image"
    if page is not None:
        page = as_whole_number(who, "page", page, 0)
    return as_pixels(who, image, as_whole_number(who, "max_pixels", max_pixels, 1), page)


def as_pixels(
    who: str, image: Any, max_pixels: int = MAX_PIXELS, page: int | None = None
) -> Pixels:
    """Like `read_image`; messages about arrays begin with `who`."""
    if isinstance(image, bytes):
        if is_dicom(image[:HEAD_LENGTH]):
            return read_dicom(io.BytesIO(image), "<bytes>", max_pixels, page)
        try:
            return _image.decode(image, "<bytes>", max_pixels, page)
        except ValueError as error:
            raise ValueError(f"{who}: {str(error).removeprefix('decode_image: ')}") from None
    if isinstance(image, str | os.PathLike):
        file = Path(image)
        if is_dicom_file(file):
            return read_dicom(file, str(file), max_pixels, page)
        return _image.read(file, max_pixels, page)
    if page is not None:
        raise ValueError(f"{who}: expected page=None for pixels, got page={page}")
    if type(image).__module__.partition(".")[0] == "PIL":
        try:
            image = _from_pil(image)
        except OSError as error:  # a lazily read file
            raise ValueError(f"{who}: {error}") from None
    return _checked(who, np.asarray(image))


def as_picture(who: str, image: Any) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Like `as_pixels`, but floats must lie in [0, 1] and are scaled to 16 bits."""
    pixels = as_pixels(who, image)
    if pixels.dtype != np.float32:
        return pixels  # type: ignore[return-value]
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and high <= 1):  # neither is true of NaN
        raise ValueError(f"{who}: expected floats in [0, 1], got {low:g} to {high:g}")
    return np.rint(pixels.astype(np.float64) * 65535).astype(np.uint16)


def is_dicom_file(file: Path) -> bool:
    """Whether a file is DICOM by content, or by name if the content is not another image format."""
    if not file.is_file():
        return False
    head = read_head(file)
    named = file.suffix.lower() in (".dcm", ".dicom", ".ima")
    return is_dicom(head) or (named and not is_raster(head))


def _from_pil(image: Any) -> NDArray[Any]:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    mode = upright.mode
    if mode.startswith("I"):
        # Pillow also reads 16-bit files as 32-bit integers.
        values = np.asarray(upright)
        low, high = int(values.min(initial=0)), int(values.max(initial=0))
        return values.astype(np.uint16) if low >= 0 and high <= 65535 else values
    if mode in ("La", "RGBa"):  # colours multiplied by the opacity
        upright = upright.convert("LA" if mode == "La" else "RGBA")
    if mode not in ("1", "L", "RGB", "F"):
        upright = upright.convert("L" if mode in ("LA", "La") else "RGB")
    return np.asarray(upright)


def _checked(who: str, array: NDArray[Any]) -> Pixels:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or array.size == 0:
        raise ValueError(
            f"{who}: expected an image of shape (rows, columns), (rows, columns, 1), "
            f"(rows, columns, 3), or with opacity (rows, columns, 4), got {array.shape}"
        )
    if array.ndim == 3:
        array = array[:, :, :3] if channels >= 3 else array[:, :, 0]
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype.kind == "f" or array.dtype.newbyteorder("=") in _PHYSICAL_INTEGERS:
        with np.errstate(over="ignore"):  # becomes infinity, which is reported later
            array = array.astype(np.float32)
    if array.dtype != np.float32 and (array.dtype.kind != "u" or array.dtype.itemsize > 2):
        raise ValueError(
            f"{who}: expected uint8, uint16, bool, floats or integers of up to 32 bits, got "
            f"{array.dtype}; convert it, for example by array.astype(np.float32)"
        )
    pixels: Pixels = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return pixels
