"""A threshold for each hour of the day, or any other season."""

from datetime import datetime
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from secondlook import _core
from secondlook.decide._scores import as_scores, at_or_above
from secondlook.series.times import read_times


class SeasonalThreshold(BaseEstimator):
    """A threshold for each season, such as the hour of the day, from scores of normal samples.

    Each threshold is the `quantile_threshold` of its season's scores. A season with fewer scores
    than `min_scores`, or fewer than the rate needs, uses the threshold of all scores together.

    Parameters
    ----------
    false_alarm_rate : float, default=0.01
        Fraction of each season's normal samples that may be called abnormal, in (0, 1).
    confidence : float, optional
        As in `quantile_threshold`.
    n_seasons : int, default=24
        Number of seasons; they are numbered from 0.
    min_scores : int, default=100
        Number of scores below which a season uses the common threshold.

    Attributes
    ----------
    thresholds_ : ndarray of shape (n_seasons,)
        Threshold of each season.
    threshold_ : float
        Threshold of all scores together.
    n_samples_ : ndarray of shape (n_seasons,), dtype int64
        Number of scores of each season.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import SeasonalThreshold
    >>> scores, seasons = np.arange(1000) % 20, np.arange(1000) % 2
    >>> SeasonalThreshold(0.1, n_seasons=2).fit(scores, seasons).alarms([18, 18], [0, 1])
    array([False, False])
    """

    def __init__(
        self,
        false_alarm_rate: float = 0.01,
        *,
        confidence: float | None = None,
        n_seasons: int = 24,
        min_scores: int = 100,
    ) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.confidence = confidence
        self.n_seasons = n_seasons
        self.min_scores = min_scores

    def fit(self, scores: ArrayLike, seasons: ArrayLike) -> Self:
        """Compute the thresholds.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Scores of normal samples; higher is more abnormal; finite.
        seasons : array-like of shape (n_samples,)
            Integers from 0 to ``n_seasons - 1``, or times, whose seasons are the 24 hours of the
            day; see `hours_of_day`.

        Returns
        -------
        self : SeasonalThreshold

        Raises
        ------
        ValueError
            If a parameter or a season is out of range, or there are too few scores in total.
        """
        self.threshold_, self.thresholds_, self.n_samples_ = _core.decide.seasonal_threshold(
            as_scores("SeasonalThreshold.fit", scores),
            _as_seasons("SeasonalThreshold.fit", seasons, self.n_seasons),
            false_alarm_rate=self.false_alarm_rate,
            confidence=self.confidence,
            n_seasons=self.n_seasons,
            min_scores=self.min_scores,
        )
        return self

    def alarms(self, scores: ArrayLike, seasons: ArrayLike) -> NDArray[np.bool_]:
        """Return which scores are at or above the threshold of their season.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
        seasons : array-like of shape (n_samples,)
            As in `fit`.

        Returns
        -------
        alarms : ndarray of bool of shape (n_samples,)
        """
        check_is_fitted(self)
        who = "SeasonalThreshold.alarms"
        n = len(self.thresholds_)
        indices = _as_seasons(who, seasons, n)
        if np.shape(scores) != indices.shape:
            raise ValueError(
                f"{who}: expected one season per score, got seasons of shape {indices.shape} and "
                f"scores of shape {np.shape(scores)}"
            )
        if ((indices < 0) | (indices >= n)).any():
            raise ValueError(
                f"{who}: expected seasons from 0 to {n - 1}, got {indices.min()} to {indices.max()}"
            )
        return at_or_above(who, scores, self.thresholds_[indices])


def hours_of_day(time: Any, *, utc_offset_minutes: int = 0) -> NDArray[np.int64]:
    """Return the hour of the day of each time, for use as seasons.

    Parameters
    ----------
    time : array-like of shape (n_times,), or TimeTable
        datetime64, datetime, pandas times or ISO strings. For times with a time zone, the hours are
        local hours, including daylight saving time.
    utc_offset_minutes : int, default=0
        Offset of the local clock from that of the times; only for times without a time zone.

    Returns
    -------
    hours : ndarray of int of shape (n_times,)
        From 0 to 23.

    Raises
    ------
    ValueError
        If a time is missing, or an offset is given for times with a time zone.

    Examples
    --------
    >>> from secondlook import hours_of_day
    >>> hours_of_day(["2021-06-10T20:00:08", "2021-06-10T23:59:59"], utc_offset_minutes=60)
    array([21,  0])
    """
    times = read_times("hours_of_day", time)
    clock = np.ascontiguousarray(times.clock)
    if times.clock.ndim != 1 or np.isnat(clock).any():
        raise ValueError(
            f"hours_of_day: expected times of shape (n,) without missing values, got shape "
            f"{times.clock.shape} with {np.isnat(clock).sum()} missing"
        )
    if times.is_aware and utc_offset_minutes:
        raise ValueError(
            f"hours_of_day: expected no utc_offset_minutes for times with a time zone, got "
            f"{utc_offset_minutes} and {times.zone}"
        )
    return _core.decide.hours_of_day(clock.view(np.int64), utc_offset_minutes)


def _as_seasons(who: str, seasons: Any, n_seasons: int) -> NDArray[np.int64]:
    array = np.asarray(seasons)
    if array.dtype.kind == "M" or (array.dtype.kind == "O" and isinstance(array.flat[0], datetime)):
        if n_seasons != 24:
            raise ValueError(
                f"{who}: expected n_seasons=24 for times, whose seasons are the hours of the day, "
                f"got {n_seasons}"
            )
        return hours_of_day(seasons)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"{who}: expected seasons as integers of shape (n,), got {array.dtype} of shape "
            f"{array.shape}"
        )
    return np.ascontiguousarray(array, dtype=np.int64)
