"""Row indices of each device in a fleet's table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


def rows_by_device(
    devices: "pd.Series[Any]", who: str
) -> Iterable[tuple[object, NDArray[np.intp]]]:
    """Return each device with the indices of its rows, in order.

    Raises
    ------
    ValueError
        If a row has no device.
    """
    if n_missing := int(devices.isna().sum()):
        raise ValueError(f"{who}: expected a device in every row, got {n_missing} rows without one")
    indices: Iterable[tuple[object, NDArray[np.intp]]] = devices.groupby(
        devices, sort=False, observed=True
    ).indices.items()
    return indices
