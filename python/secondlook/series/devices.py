"""The rows of each device in a fleet's table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


def rows_by_device(
    devices: "pd.Series[Any]", who: str
) -> Iterable[tuple[object, NDArray[np.intp]]]:
    """Return each device with the places of its rows, in their order.

    Raises
    ------
    ValueError
        If a row names none.
    """
    if n_missing := int(devices.isna().sum()):
        raise ValueError(f"{who}: expected a device in every row, got none in {n_missing}")
    places: Iterable[tuple[object, NDArray[np.intp]]] = devices.groupby(
        devices, sort=False, observed=True
    ).indices.items()
    return places
