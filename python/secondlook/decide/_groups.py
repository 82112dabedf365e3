"""Named groups of cases that each get a guarantee of their own, such as sites."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook._shared.missing import where_missing
from secondlook.decide._scores import as_groups


def named_groups(who: str, by: ArrayLike, n: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the names of the groups, sorted, and the index of each case's group."""
    indices = as_groups(who, by, n, "by")
    return np.unique(np.asarray(by)), indices


def indices_of(
    who: str, names: NDArray[Any], by: ArrayLike | None, n: int, *, unknown: str
) -> NDArray[np.int64]:
    """Return the index of each case's group among `names`; -1 if unknown and ``"refer"``.

    A missing value is an unknown group.
    """
    if by is None:
        raise ValueError(
            f"{who}: expected by, the group of each case, because there is a threshold per group"
        )
    array = np.asarray(by)
    if array.shape != (n,):
        raise ValueError(f"{who}: expected by of shape ({n},), got shape {array.shape}")
    index_of = {name: index for index, name in enumerate(names.tolist())}
    values = [
        None if missing else value
        for value, missing in zip(array.tolist(), where_missing(by), strict=True)
    ]
    indices = np.array([index_of.get(value, -1) for value in values], np.int64)
    if unknown == "error" and (indices < 0).any():
        first = int(np.flatnonzero(indices < 0)[0])
        raise ValueError(
            f"{who}: unknown group {values[first]!r} at index {first}, which had no calibration "
            f'cases; fit with cases of it, or pass unknown_group="refer"'
        )
    return indices
