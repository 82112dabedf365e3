"""Checks of options before they are passed to the core."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from secondlook._shared.arguments import as_numbers


def rows_and_columns(who: str, name: str, value: Any) -> tuple[int, int]:
    """Return a size as (rows, columns); a single number is the side of a square."""
    sides = [value] * 2 if isinstance(value, int | np.integer) else _listed(value)
    if len(sides) != 2 or not all(isinstance(side, int | np.integer) for side in sides):
        raise ValueError(
            f"{who}: expected {name} as a whole number or (rows, columns), got {value!r}"
        )
    return int(sides[0]), int(sides[1])


def one_or_three(who: str, name: str, value: Any) -> list[float]:
    """Return one number for all channels, or one per channel."""
    values = [value] if isinstance(value, int | float | np.number) else _listed(value)
    try:
        return list(as_numbers(who, name, values, 3 if len(values) > 1 else 1))
    except ValueError:
        raise ValueError(f"{who}: expected {name} as a number or three, got {value!r}") from None


def _listed(value: Any) -> list[Any]:
    """Return the items of an iterable; none for a string or anything else."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else []
