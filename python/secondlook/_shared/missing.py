"""What stands for a value that is not there."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def where_missing(values: ArrayLike) -> NDArray[np.bool_]:
    """Say which of some values are None, NaN, NaT or pandas' NA, as they came.

    A list of texts is looked at before NumPy makes a text of NaN.
    """
    array = np.asarray(values)
    if array.dtype.kind in "OU":
        return np.array([is_missing(value) for value in np.asarray(values, dtype=object)], bool)
    return np.asarray(array != array, dtype=bool)


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, NaT or pandas' NA."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas' NA will not say what it equals
        return True
