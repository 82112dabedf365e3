from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the image room needs torch")

from secondlook.image import decode_image


def bitmap(red: int, green: int, blue: int, rows: int = 4, columns: int = 4) -> bytes:
    """An uncompressed bitmap of one colour."""
    pixels = bytes([blue, green, red]) * columns * rows
    size = 54 + len(pixels)
    numbers = [(size, 4), (0, 4), (54, 4), (40, 4), (columns, 4), (rows, 4), (1, 2), (24, 2)]
    return b"BM" + b"".join(n.to_bytes(k, "little") for n, k in numbers) + bytes(24) + pixels


def test_bytes_and_file_decode_alike(tmp_path: Path) -> None:
    file = tmp_path / "one.bmp"
    file.write_bytes(bitmap(255, 0, 51))
    x = decode_image(file, size=(3, 5), mean=(0, 0, 0), standard_deviation=(1, 1, 1))
    assert x.dtype == np.float32
    assert x.shape == (3, 3, 5)
    np.testing.assert_allclose(x[:, 1, 2], [1.0, 0.0, 0.2], atol=1e-6)
    np.testing.assert_array_equal(
        x,
        decode_image(file.read_bytes(), size=(3, 5), mean=(0, 0, 0), standard_deviation=(1, 1, 1)),
    )


def test_core_exceptions_cross_over(tmp_path: Path) -> None:
    file = tmp_path / "broken.png"
    file.write_bytes(b"no image at all")
    with pytest.raises(ValueError, match=r"broken\.png: not a JPEG"):  # InvalidArgument
        decode_image(file)
    with pytest.raises(OSError, match=r"missing\.png"):  # FileError
        decode_image(tmp_path / "missing.png")
    with pytest.raises(ValueError, match="expected a size of 1"):
        decode_image(b"", size=0)
