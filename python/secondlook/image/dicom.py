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

    The window is the file's first, linear or a sigmoid, else its look-up table, else the range of
    its values. Colours are looked up in the file's palette where it has one.

    Parameters
    ----------
    source : Path or binary file
    name : str
        What errors call the file.
    max_pixels : int
        Larger images are refused before their pixels are decoded.

    Returns
    -------
    uint16 array of shape (rows, columns); where it is in colour, of (rows, columns, 3), and uint8
    if the colours have 8 bits

    Raises
    ------
    ImportError
        If pydicom is missing, or older than 3.
    ValueError
        If the file is broken, too large, or has several frames.
    """
    try:
        import pydicom
        import pydicom.pixels  # new in version 3
    except ImportError:
        raise ImportError(
            f"read_image: {name} is a DICOM file, and to read it needs pydicom 3: "
            "pip install 'pydicom>=3'"
        ) from None
    try:
        data = pydicom.dcmread(source)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"read_image: {name}: {error}") from error
    rows, columns = int(data.get("Rows") or 0), int(data.get("Columns") or 0)
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
        return _shown(data)
    except Exception as error:  # pydicom and its decoders raise what they like
        raise ValueError(f"read_image: {name}: {error}") from error


def _shown(data: Any) -> NDArray[np.uint8] | NDArray[np.uint16]:
    pixels: NDArray[Any] = data.pixel_array  # in colour it is RGB already, or a palette's indices
    interpretation = str(data.get("PhotometricInterpretation") or "")
    if interpretation.startswith("YBR_PARTIAL"):
        raise ValueError(f"expected grey, RGB, YBR_FULL or a palette, got {interpretation}")
    if interpretation == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        colours = apply_color_lut(pixels, data)[:, :, :3]
        return _colours(colours, data.RedPaletteColorLookupTableDescriptor[2])
    if pixels.ndim == 3:
        return _colours(pixels, data.BitsStored)
    shares = _windowed(_rescaled(pixels, data), data)
    if interpretation == "MONOCHROME1":
        shares = 1 - shares
    return np.rint(shares * 65535).astype(np.uint16)


def _colours(pixels: NDArray[Any], n_bits: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    n_bits = min(n_bits, 8 * pixels.itemsize)  # 8-bit palettes may say that they have 16
    if n_bits <= 8:
        return np.ascontiguousarray(pixels, dtype=np.uint8)
    shares: NDArray[np.float64] = np.clip(pixels / (2**n_bits - 1), 0, 1)
    return np.rint(shares * 65535).astype(np.uint16)


def _rescaled(pixels: NDArray[Any], data: Any) -> NDArray[Any]:
    """Return values in the modality's unit."""
    if data.get("ModalityLUTSequence"):
        from pydicom.pixels import apply_modality_lut

        looked_up: NDArray[Any] = apply_modality_lut(pixels, data)
        return looked_up
    # pydicom's own cannot do without either, nor with an empty one.
    slope, intercept = _first(data.get("RescaleSlope")), _first(data.get("RescaleIntercept"))
    return pixels * (1.0 if slope is None else slope) + (intercept or 0.0)


def _windowed(values: NDArray[Any], data: Any) -> NDArray[np.float64]:
    """Return values as shares of what the window lets through, in [0, 1]."""
    from pydicom.dataset import Dataset
    from pydicom.pixels import apply_voi, apply_windowing

    centre, width = _first(data.get("WindowCenter")), _first(data.get("WindowWidth"))
    function = data.get("VOILUTFunction") or "LINEAR"
    least_width = 1 if function == "LINEAR" else np.finfo(float).tiny
    if centre is not None and width is not None and width >= least_width:
        # The window alone, so that it fills the 16-bit range and not that of the stored values.
        window = Dataset()
        window.PhotometricInterpretation = "MONOCHROME2"
        window.BitsStored, window.PixelRepresentation = 16, 0
        window.WindowCenter, window.WindowWidth = data.WindowCenter, data.WindowWidth
        window.VOILUTFunction = function
        with np.errstate(over="ignore"):  # far from a sigmoid's centre
            shares: NDArray[np.float64] = apply_windowing(values, window) / 65535
        return shares
    if data.get("VOILUTSequence"):
        values = apply_voi(np.rint(values).astype(np.int64), data)
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros(values.shape)


def _first(value: Any) -> float | None:
    """Return the first of a DICOM attribute's values; None where it is empty or not there."""
    if value is None or value == "":
        return None
    if isinstance(value, int | float | str):
        return float(value)
    return float(value[0]) if len(value) > 0 else None
