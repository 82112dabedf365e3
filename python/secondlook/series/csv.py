"""Reader of sensor exports in CSV files."""

import os
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from functools import lru_cache
from typing import NamedTuple

from secondlook._core import series as _series
from secondlook._shared.progress import ProgressBar
from secondlook._shared.threads import requested_threads
from secondlook._shared.warn_caller import warn_caller
from secondlook.errors import ReadingWarning
from secondlook.series.csv_sources import Source, core_encoding, read_source
from secondlook.series.time_table import TimeTable
from secondlook.series.times import changes_of, read_zone

__all__ = ["CsvProblem", "read_csv"]


class CsvProblem(NamedTuple):
    """A malformed field or line of a file."""

    file: str
    line: int
    """Line number, from 1."""
    column: int
    """Number of the field in the line, from 1; 0 for the whole line."""
    message: str
    """What was expected and what was found."""


def read_csv(
    paths: Source | Iterable[Source],
    *,
    time_column: str | tuple[str, str] | None = None,
    millisecond_column: str | None = None,
    columns: Sequence[str] | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    header: int | None = None,
    encoding: str | None = None,
    time_zone: str | tzinfo | None = None,
    strict: bool = True,
    n_jobs: int | None = None,
    delimiter: str | None = None,
) -> TimeTable:
    r"""Read sensor exports from one or more CSV files into one table sorted by time.

    A file has a header and one line per time stamp; a quoted field may span several lines. Empty
    fields and the words nan, na, n/a, null and none are missing readings. Times look like
    ``2021/06/10 20:00:08`` or ``2021-06-10T20:00:08.5+08:00``, and 24:00 is 00:00 of the next day.
    If times have no seconds, the lines of one minute in one file are spread evenly over that
    minute. All files must have the same columns, in any order. If several rows have the same time,
    the last reading wins, in the order of `paths` and lines; a missing reading does not replace an
    earlier one.

    Parameters
    ----------
    paths : str, os.PathLike, open file, or iterable of these
        The files. Those that end in .gz, .bz2, .xz, or .zip (with one file inside) are
        decompressed. Open files may be binary or text.
    time_column : str or (str, str), optional
        Column of time stamps; by default the first column. A pair names the columns of the date and
        of the time of day.
    millisecond_column : str, optional
        Column of milliseconds (0 to 999) to be added to the time stamps.
    columns : sequence of str, optional
        Columns of readings, in this order; by default all.
    separator : str, optional
        Separator of fields. By default the one of ``,`` ``;`` tab and ``|`` that occurs most often
        in the header.
    decimal : {".", ","}, optional
        Decimal separator. By default a point, or a comma if it does not separate fields and the
        first lines have numbers that cannot be read otherwise.
    header : int, optional
        Index of the header line from 0, including empty lines. By default the first line that is
        not empty or, if a logger writes other lines above the header, the line above the first
        readings.
    encoding : str, optional
        Name of a Python encoding, such as ``"cp1252"``. By default UTF-8, or UTF-16 if a file
        begins with its byte order mark.
    time_zone : str or tzinfo, optional
        Time zone of the plant's clock: an offset such as ``"+08:00"``, ``"UTC"``, or an IANA name
        such as ``"Asia/Shanghai"``. The times are then converted to UTC. In the hour that is
        repeated when the clock is set back, the order of lines and files decides. By default times
        are kept as written, unless they have an offset.
    strict : bool, default=True
        Whether a malformed field raises an error. Otherwise a malformed reading becomes NaN, a row
        without a valid time is left out, and both are listed in the table's `problems`.
    n_jobs : int, optional
        Number of threads; None uses ``SECONDLOOK_NUM_THREADS``, -1 all processors. The result does
        not depend on it.
    delimiter : str, optional
        Alias of `separator`, as in Python's ``csv`` module.

    Returns
    -------
    TimeTable
        Its `time_zone` is ``"UTC"`` if the time zone is known, otherwise None, and its `clock_zone`
        is `time_zone`.

    Raises
    ------
    ValueError
        If a field is malformed (the message names file, line and field), a column is missing, the
        files have different columns, or a local time does not exist or is ambiguous.
    OSError
        If a file cannot be opened or read.

    Warns
    -----
    ReadingWarning
        If most lines were left out or merged with others of the same file, or lines with the same
        time have different readings.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "voltage.csv")
    ...     _ = path.write_text("time,v1\n2021/06/10 20:00:08,3389.0\n")
    ...     read_csv(path, time_zone="+08:00").time[0]
    np.datetime64('2021-06-10T12:00:08.000000000')
    """
    one = isinstance(paths, str | os.PathLike) or hasattr(paths, "read")
    if separator is not None and delimiter is not None:
        raise ValueError("read_csv: expected either separator or its alias delimiter, got both")
    zone = read_zone("read_csv", time_zone)
    dates, times_of_day = _time_columns(time_column)
    files = [paths] if one else list(paths)  # type: ignore[arg-type]
    sources = [read_source(file, encoding) for file in files]
    with ProgressBar("reading CSV") as report:
        contents = _series.read_csv(
            sources,
            {
                "time_column": dates,
                "time_of_day_column": times_of_day,
                "millisecond_column": millisecond_column or "",
                "columns": list(columns or ()),
                "delimiter": separator if delimiter is None else delimiter,
                "decimal": decimal,
                "header_line": header,
                "encoding": core_encoding(encoding),
                "clock": () if zone is None else _clock(zone),
                "clock_name": str(zone),
                "strict": strict,
            },
            requested_threads("read_csv", n_jobs),
            report,
        )
    table = TimeTable(
        contents["time_ns"].view("datetime64[ns]"),
        contents["values"],
        contents["columns"],
        "UTC" if contents["is_utc"] else None,
        clock_zone=zone,
    )
    table.problems = [CsvProblem(*problem) for problem in contents["problems"]]
    table.n_problems = contents["n_problems"]
    table.n_lines = contents["n_lines"]
    table.n_repeated_times = contents["n_repeated_times"]
    table.n_contradictory_times = contents["n_contradictory_times"]
    table.n_out_of_order = contents["n_out_of_order"]
    table.n_spread_times = contents["n_spread_times"]
    _warn_of_losses(table, contents["n_repeated_in_file"])
    return table


def _time_columns(given: str | tuple[str, str] | None) -> tuple[str, str]:
    if given is None or isinstance(given, str):
        return given or "", ""
    names = list(given)
    if len(names) != 2 or not all(isinstance(name, str) and name for name in names):
        raise ValueError(
            "read_csv: expected time_column as one name or a pair of names (date, time of day), "
            f"got {given!r}"
        )
    return names[0], names[1]


@lru_cache(maxsize=32)
def _clock(zone: tzinfo) -> tuple[tuple[int, int], ...]:
    return tuple(changes_of(zone))


def _warn_of_losses(table: TimeTable, n_repeated_in_file: int) -> None:
    n_rows = len(table) + table.n_repeated_times
    n_left_out = table.n_lines - n_rows
    if n_left_out + n_repeated_in_file > table.n_lines / 2:
        warn_caller(
            f"read_csv: {table.n_lines} lines have only {len(table)} distinct times: {n_left_out} "
            f"had no valid time, {n_repeated_in_file} were merged with lines of the same file and "
            "time; if the time of day has its own column, use time_column=(date, time of day)",
            ReadingWarning,
        )
    if table.n_contradictory_times:
        warn_caller(
            f"read_csv: {table.n_contradictory_times} times have different readings, of which the "
            "last is used; if the plant's clock is set back in autumn, pass time_zone",
            ReadingWarning,
        )
