"""Argument checks whose errors name the argument and what was expected."""

import operator
from typing import Any


def as_number(who: str, name: str, value: Any) -> float:
    """Return `value` as a float; the core checks its range."""
    try:
        if isinstance(value, str | bytes):  # float() would convert it
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{who}: expected {name} as a number, got {value!r}") from None


def as_optional_number(who: str, name: str, value: Any) -> float | None:
    """Return `value` as a float, or None."""
    return None if value is None else as_number(who, name, value)


def as_numbers(who: str, name: str, value: Any, n: int) -> tuple[float, ...]:
    """Return `value` as a tuple of exactly `n` floats."""
    try:
        numbers = tuple(as_number(who, name, one) for one in value)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != n:
        raise ValueError(f"{who}: expected {name} as {n} numbers, got {value!r}")
    return numbers


def as_text(who: str, name: str, value: Any) -> str:
    """Return `value` if it is a string; the core checks which."""
    if not isinstance(value, str):
        raise ValueError(f"{who}: expected {name} as a string, got {value!r}")
    return value


def as_whole_number(who: str, name: str, value: Any, least: int) -> int:
    """Return `value` as an integer of at least `least` that fits into 64 bits."""
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if not least <= number < 2**64:
        raise ValueError(
            f"{who}: expected {name} as a whole number from {least} to 2⁶⁴ - 1, got {value!r}"
        )
    return number
