"""From an encoded image to a network's input."""

import os

import numpy as np
from numpy.typing import NDArray

from secondlook import _image

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STANDARD_DEVIATION = (0.229, 0.224, 0.225)


def decode_image(
    image: bytes | str | os.PathLike[str],
    size: int | tuple[int, int] = 224,
    mean: tuple[float, float, float] = _IMAGENET_MEAN,
    standard_deviation: tuple[float, float, float] = _IMAGENET_STANDARD_DEVIATION,
) -> NDArray[np.float32]:
    """Decode, resize and normalise a JPEG, PNG, TIFF or BMP image.

    Parameters
    ----------
    image : bytes or path
        The encoded image, or the file that holds it.
    size : int or (int, int), default=224
        Rows and columns of the result, in pixels; the aspect ratio is not kept.
    mean, standard_deviation : three floats
        ``(value / 255 - mean) / standard_deviation``, channel by channel; ImageNet's by default.

    Returns
    -------
    float32 array of shape (3, rows, columns)
        Red, green, blue. Grey images get three equal channels before normalisation.

    Raises
    ------
    ValueError
        If it is no image that we read, or a broken one; the message names the file.
    OSError
        If the file cannot be read.
    """
    shape = (size, size) if isinstance(size, int) else size
    if isinstance(image, bytes):
        return _image.decode_bytes(image, shape, mean, standard_deviation, "<bytes>")
    return _image.decode_file(os.fspath(image), shape, mean, standard_deviation)
