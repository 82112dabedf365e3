"""DICOM files, through pydicom."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.image.file_content import HEAD_LENGTH, has_preamble, is_dicom, read_head


def read_dicom(
    source: Path | BytesIO, name: str, max_pixels: int, page: int | None = None
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read one frame: its window fills the 16-bit range, and MONOCHROME1 is inverted.

    The window is the first one of the file, linear or sigmoid; without windows its look-up table,
    and without that the range of its values. Padding (PixelPaddingValue, up to
    PixelPaddingRangeLimit) is black and not part of that range. Palettes are applied. The preamble
    may be missing.

    Parameters
    ----------
    source : Path or BytesIO
    name : str
        Name of the file in error messages.
    max_pixels : int
        Larger images are refused before their pixels are decoded.
    page : int or None, default=None
        Index of the frame. None: there must be only one.

    Returns
    -------
    uint16 array of shape (rows, columns), or colour (rows, columns, 3), of uint8 if the colours
    have 8 bits

    Raises
    ------
    ImportError
        If pydicom is missing, or older than 3.
    ValueError
        If the file is damaged or too large, or has several frames and none is chosen.
    """
    try:
        import pydicom
        import pydicom.pixels  # new in version 3
    except ImportError:
        raise ImportError(
            f"read_image: {name} is a DICOM file, which needs pydicom 3: pip install 'pydicom>=3'"
        ) from None
    head = read_head(source) if isinstance(source, Path) else source.getvalue()[:HEAD_LENGTH]
    if not is_dicom(head):
        raise ValueError(f"read_image: {name}: expected a DICOM file, got something else")
    try:
        # pydicom reads files without a preamble only with force=True.
        data = pydicom.dcmread(source, force=not has_preamble(head))
        _state_transfer_syntax(data)
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
    if page is None and frames != 1:
        raise ValueError(
            f"read_image: {name}: expected an image of one frame, got {frames} frames; choose one, "
            "the first is page=0"
        )
    if page is not None and page >= frames:
        raise ValueError(f"read_image: {name}: expected a page from 0 to {frames - 1}, got {page}")
    try:
        return _shown(data, page if frames > 1 else None)
    except Exception as error:  # pydicom and its decoders raise exceptions of any type
        raise ValueError(f"read_image: {name}: {error}") from error


def _state_transfer_syntax(data: Any) -> None:
    """Set the transfer syntax if the file, having no header, does not state it."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if data.file_meta.get("TransferSyntaxUID") or "PixelData" not in data:
        return
    if data["PixelData"].is_undefined_length:
        raise ValueError(
            "expected the transfer syntax of compressed pixels, got a file without a header; "
            "export it with one (PS3.10), or uncompressed"
        )
    is_implicit, is_little_endian = data.original_encoding
    explicit = ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian
    data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else explicit


def _shown(data: Any, frame: int | None) -> NDArray[np.uint8] | NDArray[np.uint16]:
    from pydicom.pixels import pixel_array

    # In colour it is RGB already, or a palette's indices.
    pixels: NDArray[Any] = pixel_array(data, index=frame)
    interpretation = str(data.get("PhotometricInterpretation") or "")
    if interpretation.startswith("YBR_PARTIAL"):
        raise ValueError(f"expected grey, RGB, YBR_FULL or a palette, got {interpretation}")
    if interpretation == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        colours = apply_color_lut(pixels, data)[:, :, :3]
        return _colours(colours, data.RedPaletteColorLookupTableDescriptor[2])
    if pixels.ndim == 3:
        return _colours(pixels, data.BitsStored)
    padding = _padding(pixels, data)
    fractions = _windowed(_rescaled(pixels, data), padding, data)
    if interpretation == "MONOCHROME1":
        fractions = 1 - fractions
    fractions[padding] = 0
    return np.rint(fractions * 65535).astype(np.uint16)


def _padding(pixels: NDArray[Any], data: Any) -> NDArray[np.bool_]:
    """Return a mask of the padding, the pixels outside of the exposed area."""
    ends = [
        _as_stored(data.get(name), pixels.dtype)
        for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")
        if data.get(name) not in (None, "")
    ]
    if "PixelPaddingValue" not in data or not ends:
        return np.zeros(pixels.shape, bool)
    found: NDArray[np.bool_] = (pixels >= min(ends)) & (pixels <= max(ends))
    return found


def _as_stored(value: Any, kind: np.dtype[Any]) -> Any:
    """Return a value as the type of the pixels, as some writers get its sign wrong."""
    n_bits = 8 * kind.itemsize
    bits = np.array(int(value) % 2**n_bits, dtype=f"u{kind.itemsize}")
    return bits.view(kind.newbyteorder("=")).item()


def _colours(pixels: NDArray[Any], n_bits: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    n_bits = min(n_bits, 8 * pixels.itemsize)  # 8-bit palettes may say that they have 16
    if n_bits <= 8:
        return np.ascontiguousarray(pixels, dtype=np.uint8)
    fractions: NDArray[np.float64] = np.clip(pixels / (2**n_bits - 1), 0, 1)
    return np.rint(fractions * 65535).astype(np.uint16)


def _rescaled(pixels: NDArray[Any], data: Any) -> NDArray[Any]:
    """Return values in the unit of the modality."""
    if data.get("ModalityLUTSequence"):
        from pydicom.pixels import apply_modality_lut

        looked_up: NDArray[Any] = apply_modality_lut(pixels, data)
        return looked_up
    # pydicom's own cannot do without either, nor with an empty one.
    slope, intercept = _first(data.get("RescaleSlope")), _first(data.get("RescaleIntercept"))
    return pixels * (1.0 if slope is None else slope) + (intercept or 0.0)


def _windowed(values: NDArray[Any], padding: NDArray[np.bool_], data: Any) -> NDArray[np.float64]:
    """Return values as fractions of the window, in [0, 1]."""
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
            fractions: NDArray[np.float64] = apply_windowing(values, window) / 65535
        return fractions
    if data.get("VOILUTSequence"):
        values = apply_voi(np.rint(values).astype(np.int64), data)
    exposed = values[~padding]
    if exposed.size == 0 or exposed.min() == exposed.max():
        return np.zeros(values.shape)
    low, high = float(exposed.min()), float(exposed.max())
    return np.clip((values - low) / (high - low), 0, 1)


def _first(value: Any) -> float | None:
    """Return the first value of a DICOM attribute; None if it is empty or missing."""
    if value is None or value == "":
        return None
    if isinstance(value, int | float | str):
        return float(value)
    return float(value[0]) if len(value) > 0 else None
