"""What options hold, checked before the core sees them."""

import json
import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def to_json(who: str, options: Mapping[str, Any]) -> str:
    """Return options as JSON, which has neither NaN nor infinity.

    Raises
    ------
    ValueError
        If there is one, or something else that JSON has not; the message names the option.
    """
    for name, value in options.items():
        try:
            json.dumps(value, default=_plain, allow_nan=False)
        except ValueError:
            raise ValueError(f"{who}: {name} must be finite, got {value}") from None
        except TypeError:
            raise ValueError(f"{who}: {name}: expected a number or a text, got {value!r}") from None
    return json.dumps(options, default=_plain)


def rows_and_columns(who: str, name: str, value: Any) -> tuple[int, int]:
    """Return a size in pixels, which one number states for a square."""
    sides = [value] * 2 if isinstance(value, int | np.integer) else _listed(value)
    if len(sides) != 2 or not all(isinstance(side, int | np.integer) for side in sides):
        raise ValueError(
            f"{who}: {name}: expected a whole number or (rows, columns), got {value!r}"
        )
    return int(sides[0]), int(sides[1])


def low_and_high(who: str, name: str, value: Any) -> list[float]:
    """Return the two numbers of a range."""
    ends = _listed(value)
    if len(ends) != 2 or not all(_is_number(end) for end in ends):
        raise ValueError(f"{who}: {name}: expected two numbers (low, high), got {value!r}")
    return [float(end) for end in ends]


def one_or_three(who: str, name: str, value: Any) -> list[float]:
    """Return a number for all channels, or one for each."""
    values = [value] if _is_number(value) else _listed(value)
    if len(values) not in (1, 3) or not all(_is_number(v) for v in values):
        raise ValueError(f"{who}: {name}: expected a number or three, got {value!r}")
    return [float(v) for v in values]


def whole_number(who: str, name: str, value: Any, least: int) -> int:
    """Return a whole number from `least` on, as large as the core takes it."""
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if not least <= number < 2**64:
        raise ValueError(
            f"{who}: {name}: expected a whole number from {least} to 2⁶⁴ - 1, got {value!r}"
        )
    return number


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number)


def _listed(value: Any) -> list[Any]:
    """Return the items of what has some; a text has none."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else []


def _plain(value: Any) -> Any:
    """NumPy's numbers, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError
