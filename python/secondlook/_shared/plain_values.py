"""Results as plain values, for JSON."""

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["as_json", "plain"]


def plain(value: Any) -> Any:
    """Return `value` as dicts, lists, strings, numbers, booleans and None.

    Missing values, NaN and infinity become None, as JSON has none of them; times become ISO
    strings.
    """
    if isinstance(value, str | bool | int | None):
        return value
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "M":
        return [plain(time) for time in value]  # tolist() gives numbers for nanoseconds
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat() if value == value else None  # pandas' NaT is a datetime
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value]


def as_json(document: Mapping[str, Any]) -> str:
    """Return one JSON document, indented."""
    return json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False)
