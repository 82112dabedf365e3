"""DICOM files, through pydicom."""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


def is_dicom(head: bytes) -> bool:
    """Whether the first 132 bytes of a file are those of a DICOM file."""
    return head[128:132] == b"DICM"


def read_dicom(
    source: Path | BinaryIO, name: str, max_pixels: int
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read one frame: its window fills the 16-bit range, and MONOCHROME1 is inverted.

    The window is the file's first, else its look-up table, else the range of its values.

    Parameters
    ----------
    source : Path or binary file
    name : str
        What errors call the file.
    max_pixels : int
        Larger images are refused before their pixels are decoded.

    Returns
    -------
    uint16 array of shape (rows, columns), or uint8 of (rows, columns, 3) where it is in colour

    Raises
    ------
    ImportError
        If pydicom is missing.
    ValueError
        If the file is broken, too large, or has several frames.
    """
    try:
        import pydicom
    except ImportError:
        raise ImportError(
            f"read_image: {name} is a DICOM file, and to read it needs pydicom: pip install pydicom"
        ) from None
    try:
        data = pydicom.dcmread(source)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"read_image: {name}: {error}") from error
    rows, columns = int(data.get("Rows", 0)), int(data.get("Columns", 0))
    frames = int(data.get("NumberOfFrames", 1) or 1)
    if rows < 1 or columns < 1 or "PixelData" not in data:
        raise ValueError(f"read_image: {name}: expected a DICOM file with pixels, got none")
    if rows * columns > max_pixels:
        raise ValueError(
            f"read_image: {name}: expected at most {max_pixels} pixels (max_pixels), "
            f"got {rows} × {columns}"
        )
    if frames != 1:
        raise ValueError(f"read_image: {name}: expected one frame, got {frames}")
    try:
        return _windowed(data)
    except Exception as error:  # pydicom and its decoders raise what they like
        raise ValueError(f"read_image: {name}: {error}") from error


def _windowed(data: Any) -> NDArray[np.uint8] | NDArray[np.uint16]:
    pixels: NDArray[Any] = data.pixel_array
    if pixels.ndim == 3:
        if data.PhotometricInterpretation.startswith("YBR"):
            from pydicom.pixels import convert_color_space

            pixels = convert_color_space(pixels, data.PhotometricInterpretation, "RGB")
        return np.ascontiguousarray(pixels, dtype=np.uint8)
    values = pixels * float(data.get("RescaleSlope", 1)) + float(data.get("RescaleIntercept", 0))
    centre, width = _first(data.get("WindowCenter")), _first(data.get("WindowWidth"))
    if centre is not None and width is not None and width >= 1:
        # DICOM PS3.3 C.11.2.1.2: a window of width w covers w - 1 steps about centre - 1/2.
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    else:
        if "VOILUTSequence" in data:
            from pydicom.pixels import apply_voi_lut

            values = np.asarray(apply_voi_lut(pixels, data), dtype=np.float64)
        low, high = float(values.min()), float(values.max())
    if high > low:
        values = np.clip((values - low) / (high - low), 0, 1)
    else:
        values = (values > low).astype(np.float64)
    if data.get("PhotometricInterpretation") == "MONOCHROME1":
        values = 1 - values
    return np.rint(values * 65535).astype(np.uint16)


def _first(value: Any) -> float | None:
    if value is None:
        return None
    return float(value if isinstance(value, int | float | str) else value[0])
