"""Preparation of images for a network."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from secondlook import _image
from secondlook._shared.arguments import as_numbers
from secondlook.image.decode import as_pixels
from secondlook.image.options import one_or_three, rows_and_columns

Contrast = Literal["none", "stretch", "clahe"]


def preprocess(
    image: Any,
    *,
    size: int | tuple[int, int] = 224,
    channels: int = 3,
    mean: float | tuple[float, float, float] = 0.5,
    standard_deviation: float | tuple[float, float, float] = 0.5,
    contrast: Contrast = "none",
    clipped_fraction: float = 0.01,
    value_range: tuple[float, float] = (0, 65535),
) -> NDArray[np.float32]:
    """Resize an image, normalise its contrast, and scale it for a network.

    Parameters
    ----------
    image : path, bytes, array or PIL.Image.Image
        See `read_image`.
    size : int or (int, int), default=224
        Rows and columns of the result, in pixels; the aspect ratio is not kept.
    channels : {1, 3}, default=3
        Grey, or red, green and blue; a grey image fills all three.
    mean, standard_deviation : float or three floats, default=0.5
        ``(value - mean) / standard_deviation``, where values are 0 to 1; with the defaults -1 to 1.
    contrast : {"none", "stretch", "clahe"}, default="none"
        ``"stretch"``: the values between two quantiles of the image fill the whole range;
        ``"clahe"``: contrast-limited adaptive histogram equalisation (Zuiderveld 1994).
    clipped_fraction : float, default=0.01
        Fraction of the pixels that a stretch clips at either end, in [0, 0.4].
    value_range : (float, float), default=(0, 65535)
        16-bit values and floats that become black and white; values outside are clipped.

    Returns
    -------
    float32 array of shape (channels, rows, columns)

    Raises
    ------
    ValueError
        If the image or an option is invalid.
    """
    who = "preprocess"
    rows, columns = rows_and_columns(who, "size", size)
    options = {
        "height": rows,
        "width": columns,
        "channels": channels,
        "mean": _three(who, "mean", mean),
        "standard_deviation": _three(who, "standard_deviation", standard_deviation),
        "contrast": contrast,
        "clipped_fraction": clipped_fraction,
        "range": as_numbers(who, "value_range", value_range, 2),
    }
    return _image.preprocess(as_pixels(who, image), options)


def _three(who: str, name: str, value: float | tuple[float, float, float]) -> list[float]:
    """Return one number per channel."""
    values = one_or_three(who, name, value)
    return values * 3 if len(values) == 1 else values
