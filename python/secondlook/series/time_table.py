"""Readings of several sensors over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from secondlook._core import series as _series
from secondlook._shared.shown import text_of_time
from secondlook._shared.table import read_table
from secondlook._shared.threads import requested_threads
from secondlook.series.duration import Duration, to_nanoseconds
from secondlook.series.times import read_times, read_zone, require_alike

if TYPE_CHECKING:
    from secondlook.series.csv import CsvProblem

__all__ = ["TimeTable", "align"]

How = Literal["mean", "last"]


class TimeTable:
    """Readings of several sensors, one row per instant.

    Parameters
    ----------
    time : array-like of shape (n_times,)
        Strictly increasing; datetime64, datetime, pandas times or ISO strings. Times with a time
        zone are converted to UTC, and their zone is stored in `clock_zone`.
    values : array-like of shape (n_times, n_columns)
        NaN means no reading. A C-contiguous float64 array is used without a copy.
    columns : sequence of str, optional
        Names of the columns. By default the names in `values`, if it is a table, otherwise the
        column indices.
    time_zone : {"UTC"}, optional
        "UTC" if `time` is in UTC but has no time zone itself; None if it is local time of an
        unknown zone.
    clock_zone : str or tzinfo, optional
        Time zone of the local clock, for times in UTC: an IANA name or an offset.

    Attributes
    ----------
    time : ndarray of shape (n_times,), dtype datetime64[ns]
        In UTC if `time_zone` is "UTC", otherwise local time.
    values : ndarray of shape (n_times, n_columns), dtype float64
    columns : list of str
    time_zone : "UTC" or None
        Time zone of `time`; None if it is unknown.
    clock_zone : tzinfo or None
        Time zone of the plant's clock, used by `to_pandas` and `hours_of_day`.
    origins : ndarray of shape (n_times, n_columns), dtype uint8, or None
        Origin of each value, set by `interpolate`: `MEASURED`, `INTERPOLATED` or `MISSING`.
    problems : list of CsvProblem
        The first 100 problems that `read_csv` found; `n_problems` counts all of them.
    n_lines : int
        Number of lines below the headers that `read_csv` found.
    n_repeated_times : int
        Number of rows that `read_csv` merged with an earlier row of the same time.
    n_contradictory_times : int
        Number of times for which two of these rows have different readings.
    n_out_of_order : int
        Number of rows that are earlier than the previous row of the same file.
    n_spread_times : int
        Number of rows without seconds that `read_csv` spread evenly over their minute.

    Raises
    ------
    ValueError
        If the shapes do not match or the times are not strictly increasing.

    Examples
    --------
    >>> table = TimeTable(["2021-06-10T20:00:08", "2021-06-10T20:00:18"], [[1.0], [3.0]], ["v1"])
    >>> table.resample("30s").values
    array([[2.]])
    """

    MEASURED = 0
    INTERPOLATED = 1
    MISSING = 2

    def __init__(
        self,
        time: npt.ArrayLike,
        values: npt.ArrayLike,
        columns: Sequence[str] | None = None,
        time_zone: Literal["UTC"] | None = None,
        *,
        clock_zone: str | tzinfo | None = None,
    ) -> None:
        times = read_times("TimeTable", time)
        table = read_table("TimeTable", values, "values")
        self.time: npt.NDArray[np.datetime64] = np.ascontiguousarray(times.instants)
        self.values: npt.NDArray[np.float64] = np.ascontiguousarray(table.values, dtype=np.float64)
        if self.time.ndim != 1 or self.values.shape[:1] != self.time.shape or self.values.ndim != 2:
            raise ValueError(
                f"TimeTable: expected times of shape (n,) and values of shape (n, m), "
                f"got {self.time.shape} and {self.values.shape}"
            )
        if np.isnat(self.time).any() or (self.time[1:] <= self.time[:-1]).any():
            raise ValueError("TimeTable: expected strictly increasing times without NaT")
        n_columns = self.values.shape[1]
        columns = table.columns if columns is None else columns
        self.columns = [str(i) for i in range(n_columns)] if columns is None else list(columns)
        if len(self.columns) != n_columns:
            raise ValueError(
                f"TimeTable: expected {n_columns} column names, got {len(self.columns)}"
            )
        if time_zone not in (None, "UTC"):
            raise ValueError(f"TimeTable: expected time_zone 'UTC' or None, got {time_zone!r}")
        self.time_zone: Literal["UTC"] | None = "UTC" if times.is_aware else time_zone
        self.clock_zone = read_zone("TimeTable", clock_zone) or times.zone
        if self.clock_zone is not None and self.time_zone is None:
            raise ValueError(
                f"TimeTable: expected times in UTC for clock_zone {self.clock_zone}; pass "
                "time_zone='UTC' or times with a time zone"
            )
        self.origins: npt.NDArray[np.uint8] | None = None
        self.problems: list[CsvProblem] = []
        self.n_problems = 0
        self.n_lines = 0
        self.n_repeated_times = 0
        self.n_contradictory_times = 0
        self.n_out_of_order = 0
        self.n_spread_times = 0

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, column: str) -> npt.NDArray[np.float64]:
        """Return the values of one column, shape (n_times,), without a copy."""
        if column not in self.columns:
            raise KeyError(column)
        return self.values[:, self.columns.index(column)]

    def __repr__(self) -> str:
        n, m = self.values.shape
        span = f", {text_of_time(self.time[0])} to {text_of_time(self.time[-1])}" if n else ""
        zone: str = self.time_zone or "zone not stated"
        if self.clock_zone is not None and str(self.clock_zone) != zone:
            zone = f"{zone}, clock of {self.clock_zone}"
        return f"<TimeTable of {n} times x {m} columns{span} ({zone})>"

    def resample(
        self,
        step: Duration,
        *,
        how: How = "mean",
        start: Any = None,
        n_steps: int | None = None,
        n_jobs: int | None = None,
    ) -> TimeTable:
        """Resample the readings to equal time steps.

        Step i covers the readings from ``start + i * step`` up to, but not including, the start of
        the next step; its time is its start. A step without readings is NaN.

        Parameters
        ----------
        step : str, timedelta or timedelta64
            Such as ``"30s"``; above 0.
        how : {"mean", "last"}, default="mean"
            How the readings within one step are aggregated.
        start : datetime64, datetime or str, optional
            Start of the first step, in UTC or with a time zone if the table's times are in UTC. By
            default the last multiple of `step` since 1970 that is not after the first time.
        n_steps : int, optional
            Number of steps; by default as many as needed to include the last time.
        n_jobs : int, optional
            Number of threads; None uses ``SECONDLOOK_NUM_THREADS``, -1 all processors.

        Returns
        -------
        TimeTable
            With `n_steps` rows.

        Raises
        ------
        ValueError
            If the step is not above 0, or the table is empty and no grid is given.
        """
        step_ns = to_nanoseconds(step, "TimeTable.resample: step")
        start_ns = None
        if start is not None:
            first = read_times("TimeTable.resample", [start], "start")
            if self.time_zone is None:
                require_alike("TimeTable.resample", read_times("", self), first, "start")
            start_ns = int(first.instants.view(np.int64)[0])
        if start_ns is None:
            start_ns, whole = _series.grid_over(self._time_ns, step_ns)
        elif n_steps is None:
            last, one = _series.grid_over(self._time_ns[-1:] - start_ns, step_ns)
            whole = max(0, last // step_ns + one)
        count = whole if n_steps is None else n_steps
        if count < 0:
            raise ValueError(f"TimeTable.resample: expected n_steps of at least 0, got {count}")
        return self._on_grid(start_ns, step_ns, count, how, n_jobs)

    def interpolate(self, limit: Duration) -> TimeTable:
        """Fill short gaps by linear interpolation between the readings on both sides.

        Parameters
        ----------
        limit : str, timedelta or timedelta64
            Longest time between the two readings, such as ``"1min"``. Longer gaps, and gaps at
            either end, remain NaN.

        Returns
        -------
        TimeTable
            A new table with the origin of each value in `origins`.

        Raises
        ------
        ValueError
            If the limit is negative or a value is infinite.
        """
        limit_ns = to_nanoseconds(limit, "TimeTable.interpolate: limit")
        values, origins = _series.interpolate(self._time_ns, self.values, limit_ns)
        table = self._like(self.time, values)
        table.origins = origins
        return table

    def to_pandas(self) -> Any:
        """Return the readings as a DataFrame indexed by time, in the zone of the plant's clock."""
        import pandas as pd

        index = pd.DatetimeIndex(self.time, tz=self.time_zone, name="time")
        if self.clock_zone is not None:
            index = index.tz_convert(self.clock_zone)
        return pd.DataFrame(self.values, index=index, columns=self.columns)

    @property
    def _time_ns(self) -> npt.NDArray[np.int64]:
        return self.time.view(np.int64)

    def _on_grid(
        self, start_ns: int, step_ns: int, n_steps: int, how: How, n_jobs: int | None
    ) -> TimeTable:
        values = _series.resample(
            self._time_ns,
            self.values,
            start_ns,
            step_ns,
            n_steps,
            how,
            requested_threads("TimeTable.resample", n_jobs),
        )
        time = start_ns + step_ns * np.arange(n_steps, dtype=np.int64)
        return self._like(time.view("datetime64[ns]"), values)

    def _like(self, time: npt.NDArray[Any], values: npt.NDArray[Any]) -> TimeTable:
        return TimeTable(time, values, self.columns, self.time_zone, clock_zone=self.clock_zone)


def align(
    tables: Sequence[TimeTable],
    step: Duration,
    *,
    span: Literal["common", "whole"] = "common",
    how: How = "mean",
    n_jobs: int | None = None,
) -> list[TimeTable]:
    """Resample several tables to one grid, so that row i is the same step in all of them.

    Parameters
    ----------
    tables : sequence of TimeTable
        Not empty, and either all in UTC or none.
    step : str, timedelta or timedelta64
        Such as ``"30s"``; the steps start at multiples of it since 1970.
    span : {"common", "whole"}, default="common"
        Whether the grid covers the steps within all tables, or those within any table.
    how : {"mean", "last"}, default="mean"
        How the readings within one step are aggregated.
    n_jobs : int, optional
        Number of threads; None uses ``SECONDLOOK_NUM_THREADS``, -1 all processors.

    Returns
    -------
    list of TimeTable
        One per table in `tables`, with equal `time`.

    Raises
    ------
    ValueError
        If a table is empty, only some tables are in UTC, or the tables share no step.
    """
    zones = {table.time_zone for table in tables}
    if len(zones) > 1:
        raise ValueError(
            "align: expected either all tables in UTC or none, got some in UTC and some of an "
            "unknown time zone"
        )
    step_ns = to_nanoseconds(step, "align: step")
    grids = [_series.grid_over(table._time_ns, step_ns) for table in tables]
    first, n_steps = _series.common_grid(grids, step_ns, span)
    return [table._on_grid(first, step_ns, n_steps, how, n_jobs) for table in tables]
