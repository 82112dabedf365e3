"""Features of a battery's voltage, current and temperature."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook._shared.shown import Shown
from secondlook._shared.table import read_table
from secondlook.series.devices import rows_by_device
from secondlook.series.duration import Duration, to_nanoseconds
from secondlook.series.times import Times, read_times, require_alike

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BATTERY_FEATURES", "BatteryFeatures", "battery_features"]

#: Names of the features, in order.
BATTERY_FEATURES: tuple[str, ...] = tuple(_core.series.BatteryFeatures.names)

_WHO = "BatteryFeatures"


class BatteryFeatures(Shown):
    """Fourteen features of a battery's voltage, current and temperature, sample by sample.

    In the order of `BATTERY_FEATURES`: the three levels; their differences from the previous
    sample; over the last `window` samples the mean temperature, the standard deviation and the
    minimum of the voltage and the maximum of the temperature; the mean rates of current and
    temperature over the same samples, per minute; the power, volts times amperes; and the hour of
    day, in [0, 24). Differences, deviation and rates are 0 at the first sample.

    Objects can be pickled; the copy continues with the same state.

    Parameters
    ----------
    window : int, default=12
        Number of samples, at least 2.
    max_gap : str, timedelta or timedelta64, default="1h"
        A longer gap resets the window.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> from secondlook import BATTERY_FEATURES, BatteryFeatures
    >>> features = BatteryFeatures()
    >>> features.push("2026-05-01T12:30", 3.30, 40.0, 25.0)[BATTERY_FEATURES.index("hour")]
    np.float64(12.5)
    """

    def __init__(self, window: int = 12, *, max_gap: Duration = "1h") -> None:
        self.window = window
        self.max_gap = max_gap
        self._features = _core.series.BatteryFeatures(
            window=window, max_gap_ns=to_nanoseconds(max_gap, "BatteryFeatures: max_gap")
        )
        self._last_time: Times | None = None

    def push(
        self, time: Any, voltage: float, current: float, temperature: float
    ) -> NDArray[np.float64]:
        """Return the features of the next sample.

        Parameters
        ----------
        time : datetime64, datetime, Timestamp or ISO text
            Later than that of the previous sample. Times with a time zone are ordered by the
            instant, and the hour is the local one.
        voltage, current, temperature : float
            In any unit. If one is NaN, the sample is skipped.

        Returns
        -------
        features : ndarray of shape (14,)
            All NaN for a skipped sample.

        Raises
        ------
        ValueError
            If a value is infinite or the time is not later than the previous one. The state is
            then unchanged.
        """
        features: NDArray[np.float64] = self.push_many([time], [[voltage, current, temperature]])[0]
        return features

    def push_many(self, time: ArrayLike, samples: ArrayLike) -> NDArray[np.float64]:
        """Return the features of many samples, equal to those of pushing them one by one.

        Parameters
        ----------
        time : array-like of shape (n_samples,)
            As in `push`.
        samples : array-like of shape (n_samples, 3)
            Voltage, current and temperature.

        Returns
        -------
        features : ndarray of shape (n_samples, 14)

        Raises
        ------
        ValueError
            As in `push`; then no sample is counted.
        """
        return self._push(_read_times(time), read_table(_WHO, samples, "samples").values)

    def _push(self, times: Times, samples: NDArray[Any]) -> NDArray[np.float64]:
        if self._last_time is not None:
            require_alike(_WHO, times, self._last_time, "earlier times")
        features = self._features.push_many(
            times.instants.view(np.int64),
            times.clock.view(np.int64),
            np.ascontiguousarray(samples, dtype=np.float64),
        )
        if len(times.instants):
            self._last_time = times[-1:]
        return features

    def __getstate__(self) -> dict[str, Any]:
        core = self._features
        return {**self.__dict__, "_features": (core.window_times, core.window_samples)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        times, samples = state["_features"]
        BatteryFeatures.__init__(self, state["window"], max_gap=state["max_gap"])
        self._features.push_many(times, times, samples)
        # The last sample may have been skipped.
        self._last_time = state["_last_time"]
        if self._last_time is not None:
            last = self._last_time.instants.view(np.int64)
            if not (len(times) and times[-1] == last[0]):
                self._features.push_many(last, last, np.full((1, 3), np.nan))


def _read_times(time: Any) -> Times:
    times = read_times("BatteryFeatures", time)
    n_missing = int(np.isnat(times.instants).sum())
    if times.instants.ndim != 1 or n_missing:
        raise ValueError(
            "BatteryFeatures: expected times of shape (n,) without missing values, got shape "
            f"{times.instants.shape} with {n_missing} missing"
        )
    return times


def battery_features(
    table: "pd.DataFrame",
    *,
    device: str = "device",
    time: str = "time",
    window: int = 12,
    max_gap: Duration = "1h",
) -> "pd.DataFrame":
    """Return the `BatteryFeatures` of all devices of a fleet, each in the order of its rows.

    Parameters
    ----------
    table : DataFrame
        With the columns voltage, current, temperature and those named by `device` and `time`.
    device : str, default="device"
        Column with the device of each row.
    time : str, default="time"
        Column of times, strictly increasing within each device; hours are local to its time zone.
    window : int, default=12
        As in `BatteryFeatures`.
    max_gap : str, timedelta or timedelta64, default="1h"
        As in `BatteryFeatures`.

    Returns
    -------
    features : DataFrame
        Device, time and the columns `BATTERY_FEATURES`, with the rows and the index of `table`.

    Raises
    ------
    ValueError
        If a column is missing, or the times of a device are not strictly increasing.
    """
    import pandas as pd

    columns = ["voltage", "current", "temperature"]
    if missing := [name for name in (device, time, *columns) if name not in table.columns]:
        raise ValueError(
            f"battery_features: expected columns {[device, time, *columns]}, missing: {missing}"
        )
    samples = read_table("battery_features", table[columns]).values
    times = _read_times(table[time])
    features = np.empty((len(table), len(BATTERY_FEATURES)))
    for name, indices in rows_by_device(table[device], "battery_features"):
        own = BatteryFeatures(window, max_gap=max_gap)
        try:
            features[indices] = own._push(times[indices], samples[indices])
        except ValueError as error:
            raise ValueError(f"battery_features: device {name!r}: {error}") from None
    made = pd.DataFrame(features, columns=list(BATTERY_FEATURES), index=table.index)
    return pd.concat([table[[device, time]], made], axis=1)
