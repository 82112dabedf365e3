"""Reading the exports of sensors."""

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
    """Where a file is not as it should be."""

    file: str
    line: int
    """From 1."""
    column: int
    """Field in the line, from 1; 0 where the whole line is meant."""
    message: str


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
    r"""Read sensor exports, one file or many, into one table sorted by time.

    A file has a header and one line per time stamp; a quoted field may go over several lines. Empty
    fields and the words nan, na, n/a, null and none are missing readings. Times are such as
    ``2021/06/10 20:00:08`` or ``2021-06-10T20:00:08.5+08:00``, and 24:00 is 00:00 of the next day;
    where they state no seconds, the lines of one minute in one file are spread evenly over it. The
    files have the same columns, in any order. Of rows with the same time the later one counts, in
    the order of `paths` and lines, but its missing readings leave the earlier ones.

    Parameters
    ----------
    paths : str, os.PathLike, open file, or iterable of these
        The files. Those that end in .gz, .bz2, .xz, or .zip (with one file inside) are
        decompressed. Open files may be binary or text.
    time_column : str or (str, str), optional
        The column of time stamps; the first one by default. Two names are those of the date and of
        the time of day.
    millisecond_column : str, optional
        A column of milliseconds (0 to 999) to be added to the time stamps.
    columns : sequence of str, optional
        The columns of readings, in this order; all by default.
    separator : str, optional
        What is between fields; by default that of ``,`` ``;`` tab and ``|`` which the header has
        most.
    decimal : {".", ","}, optional
        What is before decimals. By default a point; or a comma where it does not separate fields
        and the first lines have numbers that cannot be read otherwise.
    header : int, optional
        Index of the header's line from 0, empty lines counted. By default the first line that is
        not empty; where a logger writes other lines above, the one above the first readings.
    encoding : str, optional
        As Python names it, such as ``"cp1252"``. By default UTF-8, or UTF-16 where a file begins
        with its mark.
    time_zone : str or tzinfo, optional
        Of the plant's clock: an offset such as ``"+08:00"``, ``"UTC"``, or an IANA name such as
        ``"Asia/Shanghai"``. The times are then turned into UTC; in the hour that comes twice when
        the clock is put back, the order of lines and files tells which is meant. By default times
        stay as written, unless they state an offset themselves.
    strict : bool, default=True
        Whether the first malformed field is an error. Otherwise such a reading becomes NaN, a row
        without a time is left out, and the table's `problems` list them.
    n_jobs : int, optional
        Threads; None leaves it to ``SECONDLOOK_NUM_THREADS``, -1 is all. The result does not
        depend on it.
    delimiter : str, optional
        `separator`, by the name that the module ``csv`` has for it.

    Returns
    -------
    TimeTable
        Its `time_zone` is ``"UTC"`` where the zone is known, else None, and its `clock_zone` is
        `time_zone`.

    Raises
    ------
    ValueError
        For what is malformed, naming file, line and field; for a column that is not there; for
        files of different columns; for local times that the clock never showed, or showed twice
        without an order that tells them apart.
    OSError
        If a file cannot be opened or read.

    Warns
    -----
    ReadingWarning
        If most lines were left out or joined with others of the same file, or lines of one time
        state different readings.

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
        raise ValueError("read_csv: expected separator or delimiter, which mean the same; got both")
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
            "read_csv: expected time_column as one name, or those of the date and the time of day, "
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
            f"read_csv: {len(table)} times are left of {table.n_lines} lines: {n_left_out} had no "
            f"time that could be read, {n_repeated_in_file} were joined with lines of one time "
            "in their file; where the time of day has a column of its own, use "
            "time_column=(date, time of day)",
            ReadingWarning,
        )
    if table.n_contradictory_times:
        warn_caller(
            f"read_csv: {table.n_contradictory_times} times come with different readings, of which "
            "the last counts; where the plant's clock is put back in autumn, give time_zone",
            ReadingWarning,
        )
