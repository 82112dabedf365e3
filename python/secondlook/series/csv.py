"""Reading the exports of sensors."""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from secondlook._core import series as _series
from secondlook.core.progress import ProgressBar
from secondlook.core.threads import requested_threads
from secondlook.series.time_table import TimeTable

__all__ = ["CsvProblem", "read_csv"]

Path = str | os.PathLike[str]


class CsvProblem(NamedTuple):
    """Where a file is not as it should be."""

    file: str
    line: int
    """From 1."""
    column: int
    """Field in the line, from 1; 0 where the whole line is meant."""
    message: str


def read_csv(
    paths: Path | Sequence[Path],
    *,
    time_column: str | None = None,
    millisecond_column: str | None = None,
    columns: Sequence[str] | None = None,
    delimiter: str | None = None,
    time_zone: str | None = None,
    strict: bool = True,
    n_jobs: int | None = None,
) -> TimeTable:
    r"""Read sensor exports, one file or many, into one table sorted by time.

    A file is UTF-8 with a header and one line per time stamp. Empty fields and the words nan, na,
    n/a, null and none are missing readings. Times are such as ``2021/06/10 20:00:08`` or
    ``2021-06-10T20:00:08.5+08:00``; where they state no seconds, the lines of one minute in one
    file are spread evenly over it. The files have the same columns, in any order. Of rows with the
    same time the later one counts, in the order of `paths` and lines, but its missing readings
    leave the earlier ones.

    Parameters
    ----------
    paths : str, os.PathLike or sequence of these
        The files.
    time_column : str, optional
        The column of time stamps; the first one by default.
    millisecond_column : str, optional
        A column of milliseconds (0 to 999) to be added to the time stamps.
    columns : sequence of str, optional
        The columns of readings, in this order; all by default.
    delimiter : str, optional
        By default that of ``,`` ``;`` tab and ``|`` which the header has most.
    time_zone : str, optional
        Of the plant's clock: an offset such as ``"+08:00"``, ``"UTC"``, or an IANA name such as
        ``"Asia/Shanghai"``. The times are then turned into UTC. By default they stay as written,
        unless they state an offset themselves.
    strict : bool, default=True
        Whether the first malformed field is an error. Otherwise such a reading becomes NaN, a row
        without a time is left out, and the table's `problems` list them.
    n_jobs : int, optional
        Threads; None leaves it to ``SECONDLOOK_NUM_THREADS``, -1 is all. The result does not
        depend on it.

    Returns
    -------
    TimeTable
        Its `time_zone` is ``"UTC"`` where the zone is known, else None.

    Raises
    ------
    ValueError
        For what is malformed, naming file, line and field; for a column that is not there; for
        files of different columns; for local times that a change of clocks makes ambiguous.
    OSError
        If a file cannot be opened or read.

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
    files = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    offset_minutes, zone = _to_offset_or_zone(time_zone)
    with ProgressBar("reading CSV") as report:
        contents = _series.read_csv(
            files,
            time_column or "",
            millisecond_column or "",
            list(columns or ()),
            delimiter,
            offset_minutes,
            strict,
            requested_threads("read_csv", n_jobs),
            report,
        )
    time = contents["time_ns"]
    is_utc = contents["is_utc"]
    if zone is not None and not is_utc:
        time = _to_utc(time, zone)
        is_utc = True
    table = TimeTable(
        time.view("datetime64[ns]"),
        contents["values"],
        contents["columns"],
        "UTC" if is_utc else None,
    )
    table.problems = [CsvProblem(*problem) for problem in contents["problems"]]
    table.n_problems = contents["n_problems"]
    table.n_repeated_times = contents["n_repeated_times"]
    table.n_out_of_order = contents["n_out_of_order"]
    table.n_spread_times = contents["n_spread_times"]
    return table


def _to_offset_or_zone(time_zone: str | None) -> tuple[int | None, ZoneInfo | None]:
    if time_zone is None:
        return None, None
    if time_zone.upper() in ("UTC", "Z"):
        return 0, None
    match = re.fullmatch(r"([+-])(\d\d):?([0-5]\d)", time_zone)
    if match is not None:
        minutes = int(match[2]) * 60 + int(match[3])
        return (-minutes if match[1] == "-" else minutes), None
    try:
        return None, ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"read_csv: expected time_zone such as 'Asia/Shanghai', '+08:00' or 'UTC', "
            f"got {time_zone!r}"
        ) from None


def _to_utc(local_ns: npt.NDArray[np.int64], zone: ZoneInfo) -> npt.NDArray[np.int64]:
    """Turn local times into UTC; clocks change at whole quarters of an hour."""
    quarter = 900 * 10**9
    quarters, where = np.unique(local_ns // quarter, return_inverse=True)
    offsets = np.empty(len(quarters), dtype=np.int64)
    for i, number in enumerate(quarters.tolist()):
        local = datetime(1970, 1, 1) + timedelta(seconds=number * 900)
        offset = local.replace(tzinfo=zone).utcoffset()
        other = local.replace(tzinfo=zone, fold=1).utcoffset()
        if offset is None or offset != other:
            exists = (local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)).replace(
                tzinfo=None
            ) == local
            raise ValueError(
                f"read_csv: {local} {'comes twice' if exists else 'does not come'} in "
                f"{zone.key}, where clocks change: give the offset, such as '+01:00', instead"
            )
        offsets[i] = offset // timedelta(microseconds=1) * 1000
    return local_ns - offsets[where]
