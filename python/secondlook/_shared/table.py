"""Reader of tables and columns of numbers from any library."""

import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.missing import is_missing

__all__ = [
    "Table",
    "columns_of",
    "index_of",
    "is_column",
    "is_table",
    "name_bad_values",
    "read_column",
    "read_numbers",
    "read_table",
    "refuse_list_of_columns",
    "without_missing_objects",
]

_WAY_OUT = {
    "times": "make it the index, or leave it out",
    "strings": "leave it out, or encode it as numbers",
    "categories": "leave it out, or encode it as numbers, such as its codes",
}


class Table(NamedTuple):
    """Numbers with the names of their columns."""

    values: NDArray[Any]
    """Shape (n_rows, n_columns), C-contiguous, float32 or float64; NaN means missing."""
    columns: list[str] | None
    """None if the table has no column names."""


def is_table(X: Any) -> bool:
    """Return whether `X` is a table of pandas, polars, Arrow, or an object that exports as one."""
    return not isinstance(X, np.ndarray) and (
        (hasattr(X, "iloc") and hasattr(X, "columns"))
        or hasattr(X, "__dataframe__")
        or (hasattr(X, "__arrow_c_stream__") and _has_names(X))
    )


def is_column(x: Any) -> bool:
    """Return whether `x` is a 1-D array or a column of a table; lists are not."""
    if isinstance(x, np.ndarray):
        return x.ndim == 1
    return hasattr(x, "to_numpy") and hasattr(x, "__len__") and not is_table(x)


def read_table(who: str, X: Any, what: str = "a table of numbers") -> Table:
    """Read a table, or anything that NumPy converts to a 2-D array.

    A C-contiguous float32 or float64 array is returned as it is. Otherwise the numbers are
    converted to float64, or to float32 if all columns are. Missing values (None, pandas' NA,
    masked, null) become NaN.

    Raises
    ------
    ValueError
        If a column holds strings, times, categories or other objects (the message names the
        column), or `X` is a list of 1-D arrays, which may be rows or columns.
    """
    if type(X) is np.ndarray and X.dtype.char in "fd" and X.ndim == 2 and X.flags.c_contiguous:
        return Table(X, None)
    if is_table(X):
        names, columns = columns_of(who, X)
        arrays = [
            _as_floats(who, f"column {name!r}", column)
            for name, column in zip(names, columns, strict=True)
        ]
        kind = np.float64
        if arrays and all(array.dtype == np.float32 for array in arrays):
            kind = np.float32  # type: ignore[assignment]
        values = np.empty((len(arrays[0]) if arrays else 0, len(arrays)), kind)
        for j, array in enumerate(arrays):
            values[:, j] = array
        return Table(values, [str(name) for name in names])
    refuse_list_of_columns(who, X)
    array = _as_floats(who, what, X)
    if array.ndim != 2:
        raise ValueError(f"{who}: expected {what} of shape (n, m), got shape {array.shape}")
    return Table(np.ascontiguousarray(array), None)


def read_column(who: str, x: Any, what: str) -> NDArray[np.float64]:
    """Read one column of numbers as float64, with NaN for missing values; errors call it `what`.

    Raises
    ------
    ValueError
        If it contains anything else than numbers, or is not 1-D.
    """
    array = read_numbers(who, x, what)
    if array.ndim != 1:
        raise ValueError(f"{who}: expected {what} of shape (n,), got shape {array.shape}")
    return array


def read_numbers(who: str, x: Any, what: str) -> NDArray[np.float64]:
    """Read numbers of any shape, like `read_column`."""
    if type(x) is np.ndarray and x.dtype.char == "d" and x.flags.c_contiguous:
        return x  # fast path for single rows
    return np.asarray(_as_floats(who, what, x), dtype=np.float64, order="C")


def index_of(X: Any) -> Any:
    """Return the index of a pandas object, unless it only numbers the rows; otherwise None."""
    index = getattr(X, "index", None) if hasattr(X, "iloc") else None
    return None if index is None or hasattr(index, "start") else index


def refuse_list_of_columns(who: str, X: Any) -> None:
    """Raise an error for a list of 1-D arrays, which might be rows or columns."""
    if not isinstance(X, list | tuple) or not X or isinstance(X[0], list | tuple):
        return
    if any(map(is_column, X)):
        raise ValueError(
            f"{who}: expected a table, got a list of {len(X)} one-dimensional arrays; use "
            "numpy.column_stack if they are columns, or numpy.stack if they are rows"
        )


def without_missing_objects(X: Any) -> Any:
    """Return rows of objects with NaN for missing values; anything else is returned as it is."""
    objects = X if isinstance(X, np.ndarray) else None
    if isinstance(X, list | tuple) and X and isinstance(X[0], list | tuple):
        objects = np.asarray(X, dtype=object)
    if objects is None or objects.dtype != object or objects.ndim != 2:
        return X
    missing = [is_missing(value) for value in objects.flat]
    if not any(missing):
        return X
    filled = objects.copy()
    filled[np.reshape(missing, objects.shape)] = np.nan
    return filled


def name_bad_values(
    who: str,
    values: NDArray[Any],
    names: Sequence[str] | None,
    way_out: str | None,
    error: ValueError,
) -> None:
    """Raise an error that names the first column with missing or infinite values, if there is one.

    Parameters
    ----------
    names : sequence of str or None
        Names of the columns, if they have names.
    way_out : str or None
        Advice for missing values; None if they are allowed.
    error : ValueError
        The core's error.

    Raises
    ------
    ValueError
    """
    for bad, kind in ((np.isnan(values), "missing"), (np.isinf(values), "infinite")):
        if not bad.any() or (kind == "missing" and way_out is None):
            continue
        if names is None:  # the core's error names row and column
            if kind == "infinite":
                return
            raise ValueError(f"{error}; {way_out}")
        column = int(np.flatnonzero(bad.any(axis=0))[0])
        rows = np.flatnonzero(bad[:, column])
        many = "value" if len(rows) == 1 else "values"
        advice = way_out if kind == "missing" else "expected finite values"
        raise ValueError(
            f"{who}: column {names[column]!r} has {len(rows)} {kind} {many} (first in row "
            f"{rows[0]}); {advice}"
        )


def _has_names(X: Any) -> bool:
    return hasattr(X, "columns") or hasattr(X, "column_names")


def columns_of(who: str, X: Any) -> tuple[list[Any], list[Any]]:
    """Return the names and columns of a table, with the methods of its library."""
    if hasattr(X, "iloc"):  # pandas
        return list(X.columns), [X.iloc[:, j] for j in range(X.shape[1])]
    if hasattr(X, "get_columns"):  # polars
        return list(X.columns), list(X.get_columns())
    if hasattr(X, "column_names") and callable(getattr(X, "column", None)):  # pyarrow
        return list(X.column_names), [X.column(j) for j in range(len(X.column_names))]
    if "pyarrow" in sys.modules and hasattr(X, "__arrow_c_stream__"):
        return columns_of(who, sys.modules["pyarrow"].table(X))
    if "polars" in sys.modules and hasattr(X, "__arrow_c_stream__"):
        return columns_of(who, sys.modules["polars"].DataFrame(X))
    for convert in ("to_pandas", "df", "to_arrow"):
        if callable(getattr(X, convert, None)):
            return columns_of(who, getattr(X, convert)())
    if hasattr(X, "__dataframe__"):
        from pandas.api.interchange import from_dataframe

        return columns_of(who, from_dataframe(X))
    raise ValueError(
        f"{who}: expected a table of pandas, polars or Arrow, got {type(X).__name__}; convert it "
        "with its to_pandas or to_numpy method"
    )


def _as_floats(who: str, what: str, values: Any) -> NDArray[Any]:
    """Return numbers as float32 or float64, with NaN for missing values."""
    array = _as_array(who, what, values)
    kind = array.dtype.kind
    if array.dtype.char in "fd" and array.dtype.isnative:
        return array
    if kind in "fiub":
        return array.astype(np.float64)
    if kind == "O":
        return _objects_as_floats(who, what, array)
    if kind in "Mm":
        raise _not_numbers(who, what, f"times ({array.dtype})", "times")
    if kind in "US":
        first = f" such as {array.flat[0].item()!r}" if array.size else ""
        raise _not_numbers(who, what, f"strings{first}", "strings")
    raise ValueError(f"{who}: expected numbers in {what}, got {array.dtype}")


def _as_array(who: str, what: str, values: Any) -> NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):
        holds_numbers = values.dtype.kind in "fiub"
        kind: Any = np.result_type(values.dtype, np.float32) if holds_numbers else object
        filled: Any = values.astype(kind)
        return np.asarray(filled.filled(np.nan if holds_numbers else None))
    if isinstance(values, np.ndarray):
        return np.asarray(values)
    if hasattr(values, "iloc") and hasattr(values, "dtype"):
        return _from_pandas(who, what, values)
    if callable(getattr(values, "to_numpy", None)):
        try:
            return np.asarray(values.to_numpy(zero_copy_only=False))  # Arrow
        except TypeError:
            return np.asarray(values.to_numpy())
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{who}: expected {what}: {error}") from None


def _from_pandas(who: str, what: str, column: Any) -> NDArray[Any]:
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return np.asarray(column.to_numpy())
    if hasattr(dtype, "categories"):
        raise _not_numbers(who, what, "categories", "categories")
    if hasattr(dtype, "tz") or hasattr(dtype, "freq"):
        raise _not_numbers(who, what, f"times ({dtype})", "times")
    if getattr(dtype, "kind", "O") in "fiub":
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(column.to_numpy(dtype=object))


def _objects_as_floats(who: str, what: str, objects: NDArray[Any]) -> NDArray[np.float64]:
    floats = np.empty(objects.shape)
    for i, value in enumerate(objects.flat):
        if isinstance(value, float | int | np.number | np.bool_ | Decimal):
            floats.flat[i] = float(value)
        elif is_missing(value):
            floats.flat[i] = np.nan
        else:
            index = np.unravel_index(i, objects.shape)
            row = int(index[0]) if objects.ndim else 0
            kind = "strings" if isinstance(value, str | bytes) else ""
            raise _not_numbers(who, what, f"{value!r} in row {row}", kind)
    return floats


def _not_numbers(who: str, what: str, got: str, kind: str) -> ValueError:
    way_out = f"; {_WAY_OUT[kind]}" if kind in _WAY_OUT and what.startswith("column ") else ""
    return ValueError(f"{who}: expected numbers in {what}, got {got}{way_out}")
