"""Detection of missing values: None, NaN, NaT and pandas' NA."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def where_missing(values: ArrayLike) -> NDArray[np.bool_]:
    """Return which values are None, NaN, NaT or pandas' NA.

    A list of strings is checked before NumPy converts NaN to a string.
    """
    array = np.asarray(values)
    if array.dtype.kind in "OU":
        return np.array([is_missing(value) for value in np.asarray(values, dtype=object)], bool)
    return np.asarray(array != array, dtype=bool)


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT or pandas' NA."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # comparisons with pandas' NA have no truth value
        return True
