"""Durations, given as a string, a timedelta or a timedelta64."""

import re
from datetime import timedelta
from typing import TypeAlias

import numpy as np

__all__ = ["Duration", "to_nanoseconds"]

Duration: TypeAlias = str | timedelta | np.timedelta64

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}
_LONGEST = 2**63 - 1


def to_nanoseconds(duration: Duration, what: str) -> int:
    """Convert ``"30s"``, ``"1.5h"``, a timedelta or a timedelta64 to whole nanoseconds.

    Raises
    ------
    TypeError
        For any other type.
    ValueError
        If the text is malformed, or the duration is NaT or does not fit into 64 bits.
    """
    if isinstance(duration, np.timedelta64):
        if np.isnat(duration):
            raise ValueError(f"{what}: expected a duration, got NaT")
        nanoseconds = int(duration.astype("timedelta64[ns]").astype(np.int64))
    elif isinstance(duration, timedelta):
        whole = duration // timedelta(microseconds=1)
        nanoseconds = whole * 1000
    elif isinstance(duration, str):
        match = re.fullmatch(r"\s*(\d+)(?:\.(\d+))?\s*([a-z]+)\s*", duration.lower())
        if match is None or match[3] not in _UNITS:
            units = ", ".join(_UNITS)
            raise ValueError(
                f"{what}: expected a number and a unit ({units}) such as '30s', got {duration!r}"
            )
        decimals = match[2] or ""
        nanoseconds = int(match[1] + decimals) * _UNITS[match[3]] // 10 ** len(decimals)
    else:
        raise TypeError(
            f"{what}: expected a str such as '30s', a timedelta or a timedelta64, "
            f"got {type(duration).__name__}"
        )
    if abs(nanoseconds) > _LONGEST:
        raise ValueError(f"{what}: expected a duration below 292 years, got {duration!r}")
    return nanoseconds
