"""Rows of a CSV file in their order, one per line, for scoring.

`read_csv` sorts by time and merges lines of the same time, such as those of several devices.
"""

import csv
import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["CsvRows", "read_rows"]

_SEPARATORS = ",;\t|"
_MISSING = {"", "nan", "na", "n/a", "null", "none"}


@dataclass
class CsvRows:
    """Features of each line, with its time and device, if the file has them.

    Attributes
    ----------
    features : list of str
        Names of the columns of `values`.
    values : float64 ndarray of shape (n_rows, n_features)
        NaN means missing.
    time_column, device_column : str or None
    times, devices : list of str
        As written; empty if there is no such column.
    """

    features: list[str]
    values: NDArray[np.float64]
    time_column: str | None
    device_column: str | None
    times: list[str]
    devices: list[str]


def read_rows(
    path: str | os.PathLike[str],
    features: Sequence[str] | None,
    *,
    time_column: str | None = None,
    device_column: str | None = None,
) -> CsvRows:
    """Read the features of each line; other columns are ignored.

    The separator is the one of ``,`` ``;`` tab and ``|`` that occurs most often in the header. With
    another separator than a comma, numbers may have a decimal comma.

    Parameters
    ----------
    path : path
        A file in UTF-8 with a header.
    features : sequence of str or None
        Columns to read. None: all except those of times and devices.
    time_column : str or None, default=None
        Column of times. None: the first column, if it is not a feature and does not hold numbers.
    device_column : str or None, default=None

    Raises
    ------
    ValueError
        If a column is missing, or a field is not a number (the message names file and line).
    OSError
        If the file cannot be opened.
    """
    name = os.fspath(path)
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        try:
            header_line = file.readline()
            separator = max(_SEPARATORS, key=header_line.count)
            header = [
                field.strip() for field in next(csv.reader([header_line], delimiter=separator))
            ]
            lines = csv.reader(file, delimiter=separator)
            first = next((line for line in lines if line), None)
        except (StopIteration, UnicodeDecodeError, csv.Error) as error:
            raise _not_a_table(name, error) from None
        if not header:
            raise _not_a_table(name, ValueError("it is empty"))
        if first is None:
            raise ValueError(f"'{name}': expected lines below the header, got none")
        given = (device_column, time_column)
        if time_column is None and header[0] not in (*(features or ()), device_column):
            time_column = None if _is_number(first[0], separator) else header[0]
        wanted = list(features or ())
        if features is None:
            wanted = [column for column in header if column not in (time_column, device_column)]
        named = [*wanted, *(column for column in given if column is not None)]
        if missing := [column for column in named if column not in header]:
            raise ValueError(
                f"'{name}': expected the columns {', '.join(named)}; missing: {', '.join(missing)}"
            )
        if repeated := sorted({column for column in named if header.count(column) > 1}):
            raise ValueError(f"'{name}': expected one column {repeated[0]!r}, got several")
        rows = CsvRows(wanted, np.empty((0, len(wanted))), time_column, device_column, [], [])
        numbers = _read_lines(name, header, first, lines, separator, rows)
    rows.values = np.frombuffer(numbers, dtype=np.float64).reshape(-1, len(wanted))
    return rows


def _read_lines(
    name: str,
    header: list[str],
    first: list[str],
    lines: "csv._reader",  # type: ignore[name-defined]
    separator: str,
    rows: CsvRows,
) -> "array[float]":
    """Return the features of all lines, one row after another; adds times and devices to `rows`."""
    columns = [header.index(column) for column in rows.features]
    time = None if rows.time_column is None else header.index(rows.time_column)
    device = None if rows.device_column is None else header.index(rows.device_column)
    numbers = array("d")
    fields = first
    while True:
        if fields:  # an empty line has no fields
            if len(fields) != len(header):
                raise ValueError(
                    f"'{name}', line {lines.line_num + 1}: expected {len(header)} fields, got "
                    f"{len(fields)}"
                )
            for column in columns:
                try:
                    numbers.append(_number(fields[column], separator))
                except ValueError:
                    raise ValueError(
                        f"'{name}', line {lines.line_num + 1}, column {header[column]!r}: expected "
                        f"a number, got {fields[column]!r}"
                    ) from None
            if time is not None:
                rows.times.append(fields[time])
            if device is not None:
                rows.devices.append(fields[device])
        try:
            fields = next(lines)
        except StopIteration:
            return numbers
        except (UnicodeDecodeError, csv.Error) as error:
            raise _not_a_table(name, error) from None


def _number(field: str, separator: str) -> float:
    field = field.strip()
    if field.lower() in _MISSING:
        return float("nan")
    return float(field if separator == "," else field.replace(",", "."))


def _is_number(field: str, separator: str) -> bool:
    try:
        _number(field, separator)
    except ValueError:
        return False
    return True


def _not_a_table(name: str, error: Exception) -> ValueError:
    why = f": {error}" if str(error) else ""
    return ValueError(f"'{name}': expected a CSV file in UTF-8 with a header{why}")
