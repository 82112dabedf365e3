"""Comparison of the alarms over a series with the windows in which something was wrong."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from secondlook import _core
from secondlook._shared.shown import Result
from secondlook.series.duration import Duration, to_nanoseconds
from secondlook.series.times import read_times, require_alike


@dataclass(frozen=True, repr=False)
class EventMetrics(Result):
    """How well alarms agree with labelled windows; NaN where there is nothing to divide by.

    An event is a run of alarms: consecutive instants, or instants that the merge gap joins.

    Attributes
    ----------
    n_events, n_true_events : int
        Number of events, and of events with an alarm inside a window.
    n_windows, n_windows_hit : int
        Number of windows, and of windows with an alarm inside.
    event_precision : float
        True events / events.
    event_recall : float
        Windows hit / windows; a window without an instant counts as missed.
    event_f1 : float
        Harmonic mean of `event_precision` and `event_recall`.
    mean_delay_s, median_delay_s : float
        Seconds from a hit window's start to the first alarm in it.
    events_per_day, false_events_per_day : float
        Rates over the time from the first to the last instant.
    precision : float
        Alarms inside windows / alarms, counted by instant.
    recall : float
        Alarms inside windows / instants inside windows.
    false_alarm_rate : float
        Alarms outside windows / instants outside windows.
    """

    n_events: int
    n_true_events: int
    n_windows: int
    n_windows_hit: int
    event_precision: float
    event_recall: float
    event_f1: float
    mean_delay_s: float
    median_delay_s: float
    events_per_day: float
    false_events_per_day: float
    precision: float
    recall: float
    false_alarm_rate: float


def event_metrics(
    time: Any, alarms: ArrayLike, windows: Any, *, merge_gap: Duration = "0s"
) -> EventMetrics:
    """Compare alarms over a series with labelled windows.

    Parameters
    ----------
    time : array-like of shape (n_instants,)
        Strictly increasing; datetime64, datetime, pandas times or ISO strings.
    alarms : array-like of bool of shape (n_instants,)
    windows : array-like of shape (n_windows, 2)
        Start and end of each window, both included; with a time zone if `time` has one. Windows
        may overlap and come in any order.
    merge_gap : str, timedelta or timedelta64, default="0s"
        Largest time between two alarms of one event; with 0, only consecutive instants are joined.

    Returns
    -------
    metrics : EventMetrics

    Raises
    ------
    ValueError
        If shapes do not match, times are not strictly increasing, a window ends before it starts,
        or only one of `time` and `windows` states a time zone.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import event_metrics
    >>> hours = np.datetime64("2021-06-10", "h") + np.arange(24)
    >>> metrics = event_metrics(hours, np.isin(np.arange(24), [3, 9, 10]), [hours[[8, 11]]])
    >>> metrics.event_precision, metrics.event_recall, metrics.mean_delay_s
    (0.5, 1.0, 3600.0)
    """
    instants = read_times("event_metrics", time)
    borders = read_times("event_metrics", windows, "windows")
    require_alike("event_metrics", instants, borders, "windows")
    times = np.ascontiguousarray(instants.instants)
    raised = np.asarray(alarms)
    bounds = np.ascontiguousarray(borders.instants)
    if bounds.size == 0:
        bounds = bounds.reshape(0, 2)
    if times.ndim != 1 or raised.shape != times.shape or bounds.shape[1:] != (2,):
        raise ValueError(
            "event_metrics: expected times and alarms of shape (n,) and windows of shape (m, 2), "
            f"got {times.shape}, {raised.shape} and {bounds.shape}"
        )
    if raised.dtype != np.bool_:
        raise ValueError(f"event_metrics: expected alarms of bool, got {raised.dtype}")
    if np.isnat(times).any() or np.isnat(bounds).any():
        raise ValueError("event_metrics: expected times and windows without NaT")
    return EventMetrics(
        **_core.decide.event_metrics(
            times.view(np.int64),
            np.ascontiguousarray(raised).view(np.uint8),
            bounds.view(np.int64),
            to_nanoseconds(merge_gap, "event_metrics: merge_gap"),
        )
    )
