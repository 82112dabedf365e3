"""Reader of times from NumPy, pandas, polars, Arrow, `datetime` and ISO strings."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.missing import is_missing

__all__ = ["Times", "changes_of", "is_later", "read_times", "read_zone", "require_alike"]

_Array = NDArray[np.datetime64]

# The latest second whose nanoseconds since 1970 fit into 64 bits.
_LAST_SECOND = (2**63 - 1) // 10**9
_OFFSET = re.compile(r"[T ].*(?:Z|[+-]\d\d(?::?\d\d)?)$")
_MICROSECOND = timedelta(microseconds=1)
_KINDS = (datetime, np.datetime64, str)


@dataclass(frozen=True)
class Times:
    """Instants with their local times.

    Attributes
    ----------
    instants : ndarray of datetime64[ns]
        In UTC if the time zone is known, otherwise as given. Used for order and gaps.
    clock : ndarray of datetime64[ns]
        Local times in the zone. Used for hours of the day.
    zone : tzinfo or None
        Time zone of the clock; UTC for offsets of several zones. None if it is unknown.
    """

    instants: _Array
    clock: _Array
    zone: tzinfo | None

    def __getitem__(self, index: Any) -> "Times":
        """Return a selection of the times."""
        return Times(self.instants[index], self.clock[index], self.zone)

    @property
    def is_aware(self) -> bool:
        """Whether the time zone is known."""
        return self.zone is not None


def read_times(who: str, values: Any, what: str = "times") -> Times:
    """Read times of any kind and shape.

    Parameters
    ----------
    who, what : str
        Names of the caller and of the argument, for errors.
    values : array-like or TimeTable
        datetime64, datetime (with or without a zoneinfo), pandas Timestamp, Series and
        DatetimeIndex, columns of polars and Arrow, ISO strings with or without an offset. Missing
        values become NaT.

    Raises
    ------
    ValueError
        If a value is not a time or is outside 1678 to 2262, or only some have a time zone.
    """
    zone: tzinfo | None
    if hasattr(values, "clock_zone"):  # a TimeTable
        zone = values.clock_zone or (UTC if values.time_zone == "UTC" else None)
        return _from_utc(who, what, values.time, zone)
    zone = _zone_of_column(values)
    if zone is not None:
        return _from_utc(who, what, _utc_of_column(values), zone)
    if hasattr(values, "to_numpy") and not isinstance(values, np.ndarray):
        values = values.to_numpy()
    array = values if isinstance(values, np.ndarray) else _as_array(values)
    if array.dtype.kind == "M":
        times = _checked(who, what, array)
        return Times(times, times, None)
    if array.dtype.kind == "U" and not any(map(_OFFSET.search, array.flat)):
        times = _checked(who, what, _from_texts(who, what, array))
        return Times(times, times, None)
    return _from_objects(who, what, array)


def is_later(who: str, time: Any, last: Any) -> bool:
    """Return whether a time comes after the last one; with time zones, compare the instants.

    Numbers and other ordered values are compared as they are.

    Raises
    ------
    ValueError
        If only one of the two times has a time zone.
    """
    if isinstance(time, datetime) and isinstance(last, datetime):
        offset, last_offset = time.utcoffset(), last.utcoffset()
        if (offset is None) != (last_offset is None):
            raise ValueError(f"{who}: {_mixture('times', last, time)}")
        if offset is None or last_offset is None:
            return time > last
        # Python compares two times of the same zone by their local time.
        return time.replace(tzinfo=None) - offset > last.replace(tzinfo=None) - last_offset
    if (
        isinstance(time, _KINDS)
        and isinstance(last, _KINDS)
        and not _both(np.datetime64, time, last)
    ):
        new, old = read_times(who, [time]), read_times(who, [last])
        if new.is_aware != old.is_aware:
            raise ValueError(f"{who}: {_mixture('times', last, time)}")
        return bool(new.instants[0] > old.instants[0])
    return bool(time > last)


def _both(kind: type, one: Any, other: Any) -> bool:
    return isinstance(one, kind) and isinstance(other, kind)


def _mixture(what: str, one: Any, other: Any) -> str:
    """Return the error message for two times of which only one has a time zone."""
    return (
        f"expected either all {what} with a time zone or none, got {one} and {other}; add a time "
        "zone to those without (pandas: tz_localize; datetime: replace(tzinfo=ZoneInfo(...)))"
    )


def require_alike(who: str, times: Times, others: Times, what: str) -> None:
    """Raise an error if only one of two sets of times has a time zone."""
    if times.is_aware != others.is_aware and times.instants.size and others.instants.size:
        aware, naive = ("times", what) if times.is_aware else (what, "times")
        zone = times.zone or others.zone
        raise ValueError(
            f"{who}: expected {what} and times either both with a time zone or both without, got "
            f"{aware} in {zone} and {naive} without; add it to the {naive} (pandas: tz_localize)"
        )


def read_zone(who: str, zone: Any) -> tzinfo | None:
    """Read a time zone: an IANA name, an offset such as ``"+08:00"``, "UTC", a tzinfo or None.

    Raises
    ------
    ValueError
        If it is not a time zone.
    """
    if zone is None or isinstance(zone, tzinfo):
        return zone
    if isinstance(zone, str):
        if zone.upper() in ("UTC", "Z"):
            return UTC
        match = re.fullmatch(r"([+-])(\d\d):?([0-5]\d)", zone)
        if match is not None:
            minutes = int(match[2]) * 60 + int(match[3])
            offset = timedelta(minutes=-minutes if match[1] == "-" else minutes)
            if abs(offset) < timedelta(days=1):
                return timezone(offset)
        try:
            return ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            pass
    raise ValueError(
        f"{who}: expected time_zone such as 'Asia/Shanghai', '+08:00' or 'UTC', got {zone!r}"
    )


def offset_ns(zone: tzinfo, utc_ns: int) -> int:
    """Return the UTC offset of a zone at an instant."""
    return _offset_of(datetime.fromtimestamp(0, UTC) + timedelta(seconds=utc_ns // 10**9), zone)


def _offset_of(instant: datetime, zone: tzinfo) -> int:
    offset = instant.astimezone(zone).utcoffset()
    return 0 if offset is None else offset // _MICROSECOND * 1000


def _zone_of_column(values: Any) -> tzinfo | None:
    """Return the time zone of a column of pandas, polars or Arrow, if it has one."""
    dtype = getattr(values, "dtype", None)
    zone = getattr(dtype, "tz", None)  # pandas
    if zone is None:
        zone = getattr(dtype, "time_zone", None)  # polars
    if zone is None:
        zone = getattr(getattr(values, "type", None), "tz", None)  # Arrow
    if zone is None:
        zone = getattr(getattr(dtype, "pyarrow_dtype", None), "tz", None)  # pandas over Arrow
    return read_zone("times", zone)


def _utc_of_column(values: Any) -> _Array:
    if hasattr(values, "dt") and hasattr(values.dt, "tz_convert"):  # a column of pandas
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    elif hasattr(values, "tz_convert"):  # an index of pandas
        values = values.tz_convert("UTC").tz_localize(None)
    return cast(_Array, np.asarray(values.to_numpy(), dtype="datetime64[ns]"))


def _from_utc(who: str, what: str, utc: _Array, zone: tzinfo | None) -> Times:
    instants = _checked(who, what, utc)
    if zone is None or zone is UTC:
        return Times(instants, instants, zone)
    return Times(instants, instants + _offsets(zone, instants), zone)


def _offsets(zone: tzinfo, instants: _Array) -> NDArray[np.timedelta64]:
    """Return the UTC offset at each instant; it only changes at quarters of an hour."""
    quarter = 900 * 10**9
    present = ~np.isnat(instants)
    quarters, where = np.unique(instants[present].view(np.int64) // quarter, return_inverse=True)
    of_quarter = np.array([offset_ns(zone, int(q) * quarter) for q in quarters], np.int64)
    offsets = np.zeros(instants.shape, np.int64)
    offsets[present] = of_quarter[where.reshape(-1)] if len(quarters) else 0
    return cast("NDArray[np.timedelta64]", offsets.view("timedelta64[ns]"))


def _as_array(values: Any) -> NDArray[Any]:
    if isinstance(values, list | tuple) and any(map(_is_listlike, values)):
        rows = [_as_array(value) for value in values]
        if len({row.shape for row in rows}) == 1:
            joined = np.empty((len(rows), *rows[0].shape), dtype=object)
            for i, row in enumerate(rows):
                joined[i] = row.astype(object) if row.dtype.kind != "M" else _listed(row)
            return joined
    if isinstance(values, list | tuple):
        if all(isinstance(value, str) for value in values) and values:
            return np.asarray(values)
        if all(isinstance(value, np.datetime64) for value in values) and values:
            return np.asarray(values)
        objects = np.empty(len(values), dtype=object)
        objects[:] = values
        return objects
    return np.asarray(values)


def _listed(times: _Array) -> NDArray[Any]:
    objects = np.empty(times.shape, dtype=object)
    for index, time in zip(np.ndindex(times.shape), times.reshape(-1), strict=True):
        objects[index] = time
    return objects


def _is_listlike(value: Any) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes)


def _from_texts(who: str, what: str, texts: NDArray[np.str_]) -> _Array:
    try:
        return texts.astype("datetime64")
    except ValueError as error:
        raise ValueError(f"{who}: expected {what} such as 2026-03-01T10:00: {error}") from None


def _from_objects(who: str, what: str, objects: NDArray[Any]) -> Times:
    instants = np.full(objects.shape, np.datetime64("NaT", "ns"))
    clock = instants.copy()
    zones: set[tzinfo] = set()
    naive: Any = None
    aware: Any = None
    for index, value in zip(np.ndindex(objects.shape), objects.reshape(-1), strict=True):
        if is_missing(value) or (isinstance(value, np.datetime64) and np.isnat(value)):
            continue
        time = _parsed(who, what, value)
        if isinstance(time, datetime) and time.utcoffset() is not None:
            aware = value
            zones.add(cast(tzinfo, time.tzinfo))
            wall = _exact(who, what, time.replace(tzinfo=None))
            offset = cast(timedelta, time.utcoffset()) // _MICROSECOND
            clock[index] = wall
            instants[index] = wall - np.timedelta64(offset * 1000, "ns")
        else:
            naive = value
            clock[index] = instants[index] = _exact(who, what, time)
    if naive is not None and aware is not None:
        raise ValueError(f"{who}: {_mixture(what, aware, naive)}")
    zone = None if aware is None else zones.pop() if len(zones) == 1 else UTC
    return Times(instants, clock, zone)


def _parsed(who: str, what: str, value: Any) -> Any:
    if isinstance(value, datetime | np.datetime64):
        return value
    if isinstance(value, str):
        value = str(value)  # the repr of NumPy's str shows its type
        try:
            return datetime.fromisoformat(value) if _OFFSET.search(value) else np.datetime64(value)
        except ValueError:
            pass
    elif hasattr(value, "year") and hasattr(value, "day"):  # a date
        return np.datetime64(value)
    elif isinstance(value, int | float | np.number):  # NumPy would take them for nanoseconds
        raise ValueError(f"{who}: expected {what}, got numbers such as {value!r}")
    raise ValueError(f"{who}: expected {what} such as 2026-03-01T10:00, got {value!r}")


def _exact(who: str, what: str, time: Any) -> np.datetime64:
    """Return a time without a zone, with the nanoseconds of a pandas Timestamp."""
    if hasattr(time, "to_datetime64"):
        time = time.to_datetime64()
    return cast(np.datetime64, _checked(who, what, np.asarray(time, dtype="datetime64"))[()])


def _checked(who: str, what: str, times: _Array) -> _Array:
    seconds = times.astype("datetime64[s]")
    present = seconds[~np.isnat(seconds)]
    if (np.abs(present.view(np.int64)) > _LAST_SECOND).any():
        raise ValueError(
            f"{who}: expected {what} from 1678 to 2262, got {present.min()} to {present.max()}"
        )
    # Not ascontiguousarray, which adds a dimension to a scalar.
    return np.asarray(times, dtype="datetime64[ns]", order="C")


def changes_of(zone: tzinfo, first_year: int = 1900, last_year: int = 2200) -> Iterable[Any]:
    """Return (instant, offset) in ns of each change of a zone; the first also holds before it."""
    epoch = datetime.fromtimestamp(0, UTC)
    # No zone changes its offset twice within a week.
    step = 7 * 86400
    begin = (datetime(first_year, 1, 1, tzinfo=UTC) - epoch) // timedelta(seconds=1)
    end = (datetime(last_year, 1, 1, tzinfo=UTC) - epoch) // timedelta(seconds=1)

    def offset(second: int) -> int:
        return _offset_of(epoch + timedelta(seconds=second), zone)

    changes = [(begin * 10**9, offset(begin))]
    for second in range(begin + step, end, step):
        here = offset(second)
        if here == changes[-1][1]:
            continue
        low, high = second - step, second
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if offset(middle) == here else (middle, high)
        changes.append((high * 10**9, here))
    return changes
