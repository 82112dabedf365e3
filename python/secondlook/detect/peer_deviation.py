"""Comparison of sensors that should agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from secondlook import _core
from secondlook._shared.progress import ProgressBar
from secondlook._shared.shown import Result, Shown
from secondlook._shared.table import index_of, read_column, read_table
from secondlook._shared.threads import requested_threads

if TYPE_CHECKING:
    import pandas as pd

_INSTANTS = ("first", "last", "worst")
_STATES = np.array(["idle", "charging", "discharging"])


def plant_state(current: ArrayLike, threshold: float) -> NDArray[np.str_]:
    """Return the operating state of a storage plant at each instant, from its current.

    Parameters
    ----------
    current : array-like of shape (n_instants,)
        Current in any unit, positive while discharging; NaN counts as idle.
    threshold : float
        Largest magnitude of the current that counts as idle, in the same unit.

    Returns
    -------
    states : ndarray of shape (n_instants,)
        ``"idle"``, ``"charging"`` or ``"discharging"``.

    Examples
    --------
    >>> from secondlook import plant_state
    >>> plant_state([-900.0, 3.0, 850.0], threshold=200)
    array(['charging', 'idle', 'discharging'], dtype='<U11')
    """
    values = read_column("plant_state", current, "current")
    return _STATES[_core.detect.plant_states(values, threshold)]


@dataclass(frozen=True, repr=False)
class PeerVerdicts(Result):
    """Findings about each sensor: arrays of shape (n_sensors,).

    Attributes
    ----------
    n_judged : ndarray of int
        Instants at which the sensor was present and judged; 0 for a dead sensor.
    n_beyond : ndarray of int
        Instants at which it deviated.
    first, last : ndarray of int
        First and last of these; -1 if there are none.
    worst : ndarray of int
        Instant at which it came closest to its limit or exceeded it most; -1 if it was never on
        that side.
    worst_ratio : ndarray of float
        Its distance from the centre of the band at that instant, divided by the half width; above 1
        is beyond the limit, infinite if the half width was 0.
    worst_deviation : ndarray of float
        Signed deviation from its peers at that instant, in the sensors' unit.
    worst_sigma : ndarray of float
        The same in standard deviations of its peers.
    state : ndarray of str or None
        State of the plant at the worst instant, if states were given.
    sensors : tuple of str or None
        Names of the sensors, if the readings were a table.
    index : pandas Index or None
        Labels of the instants, if the readings were a pandas table that has them.
    """

    n_judged: NDArray[np.int64]
    n_beyond: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    worst: NDArray[np.int64]
    worst_ratio: NDArray[np.float64]
    worst_deviation: NDArray[np.float64]
    worst_sigma: NDArray[np.float64]
    state: NDArray[np.str_] | None = None
    sensors: tuple[str, ...] | None = None
    index: "pd.Index[Any] | None" = None

    @property
    def deviating(self) -> NDArray[np.int64]:
        """Indices of the sensors that deviated, sorted by duration, then by distance."""
        order = np.lexsort((-self.worst_ratio, -self.n_beyond))
        return order[self.n_beyond[order] > 0]

    @property
    def dead(self) -> NDArray[np.int64]:
        """Indices of the sensors without a reading at any judged instant."""
        return np.flatnonzero(self.n_judged == 0)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a DataFrame with one row per sensor (requires pandas).

        Sensors have their names. `first`, `last` and `worst` are labels of the instants, or their
        numbers if there are no labels; missing where there is no such instant.
        """
        import pandas as pd

        columns = {}
        for name, values in vars(self).items():
            if name in ("sensors", "index") or values is None:
                continue
            columns[name] = self._labels(values) if name in _INSTANTS else values
        frame = pd.DataFrame(columns, index=None if self.sensors is None else list(self.sensors))
        return frame.rename_axis("sensor")

    def _labels(self, instants: NDArray[np.int64]) -> "pd.Index[Any] | pd.arrays.IntegerArray":
        import pandas as pd

        if self.index is None:
            return pd.arrays.IntegerArray(instants, instants < 0)
        labels = self.index.take(np.maximum(instants, 0))
        return labels.where(instants >= 0)

    def _shown(self) -> dict[str, Any]:
        def names(indices: NDArray[np.int64]) -> tuple[Any, ...]:
            return tuple(self.sensors[i] if self.sensors else int(i) for i in indices)

        return {
            "n_sensors": len(self.n_judged),
            "deviating": names(self.deviating),
            "dead": names(self.dead),
        }


@dataclass(frozen=True, repr=False)
class PeerRecord(Result):
    """Result for one instant: the band is ``centre`` ± ``half_width``, NaN if it is unknown."""

    centre: float
    half_width: float
    deviating: NDArray[np.int64]
    """Indices of the sensors outside the band, if the instant was judged."""


class PeerDeviation(BaseEstimator):
    """Compare sensors that should agree with each other at each instant.

    The peers of a sensor are all the others (leave-one-out, so that three sensors suffice and a
    deviating one does not widen its own limit). Missing readings (NaN) are ignored; instants with
    fewer than three readings are not judged. Nothing is learned: each instant is judged on its own.

    Parameters
    ----------
    n_sigma : float, default=3.0
        Limit in standard deviations of the peers around their mean.
    floor : float, default=0.0
        Smallest limit, in the sensors' unit: deviations within their precision do not count.
    side : {"both", "low", "high"}, default="both"
        Side on which deviations count.
    robust : bool, default=False
        Use the median and 1.4826 median absolute deviations of all sensors instead. They tolerate
        many deviating sensors at once.
    bound : float or None, default=None
        Fixed limit in the sensors' unit, instead of `n_sigma` and `floor`.
    while_state : str or sequence of str, default=()
        States of the plant in which sensors are judged, see `plant_state`; empty: in all.
    n_jobs : int or None, default=None
        Number of threads; -1 uses all processors. None uses `SECONDLOOK_NUM_THREADS`, else
        `OMP_NUM_THREADS`, else all processors that this process may use.

    References
    ----------
    B. Iglewicz, D. C. Hoaglin, "How to Detect and Handle Outliers", ASQC 1993, for `robust`.

    Examples
    --------
    >>> from secondlook import PeerDeviation
    >>> volts = [[3.31, 3.30, 3.31, 3.12, 3.30], [3.30, 3.30, 3.31, 3.30, 3.30]]
    >>> PeerDeviation(floor=0.02).judge(volts).deviating
    array([3])
    """

    def __init__(
        self,
        n_sigma: float = 3.0,
        floor: float = 0.0,
        side: Literal["both", "low", "high"] = "both",
        robust: bool = False,
        *,
        bound: float | None = None,
        while_state: str | Sequence[str] = (),
        n_jobs: int | None = None,
    ) -> None:
        self.n_sigma = n_sigma
        self.floor = floor
        self.side = side
        self.robust = robust
        self.bound = bound
        self.while_state = while_state
        self.n_jobs = n_jobs

    def judge(self, X: ArrayLike, state: ArrayLike | None = None) -> PeerVerdicts:
        """Judge each sensor over all instants.

        Parameters
        ----------
        X : array-like of shape (n_instants, n_sensors)
            Readings of one kind of sensor; NaN is missing. C-contiguous float arrays are not
            copied.
        state : array-like of shape (n_instants,), optional
            State of the plant at each instant; required with `while_state`.

        Returns
        -------
        verdicts : PeerVerdicts

        Raises
        ------
        ValueError
            For infinities, fewer than three sensors, no instants, or states that do not match.
        """
        readings, names = _readings("PeerDeviation.judge", X)
        states = None if state is None else np.asarray(state)
        if states is not None and states.shape != readings.shape[:1]:
            raise ValueError(
                f"PeerDeviation.judge: expected {len(readings)} states, one per instant, "
                f"got shape {states.shape}"
            )
        detector = self._core_detector()
        with ProgressBar("Comparing sensors") as progress:
            found: dict[str, Any] = detector.judge(readings, self._active(states), progress)
        if states is not None:
            found["state"] = np.where(found["worst"] >= 0, states[found["worst"]], "")
        return PeerVerdicts(**found, sensors=names, index=index_of(X))

    def bands(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the band of each instant; a sensor deviates if it lies outside.

        Parameters
        ----------
        X : array-like of shape (n_instants, n_sensors)

        Returns
        -------
        bands : ndarray of shape (n_instants, 2)
            Centre and half width; NaN if fewer than three sensors were present.
        """
        return self._core_detector().bands(_readings("PeerDeviation.bands", X)[0])

    def _ratios(
        self, readings: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return centre and half width of the bands, and each reading's distance in half widths.

        The distance counts on `side` only; above 1 the sensor deviates. 0 for a missing reading.
        """
        centre, half_width = self.bands(readings).T
        distance = readings - centre[:, None]
        if self.side != "both":
            distance = np.maximum(distance if self.side == "high" else -distance, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(distance) / half_width[:, None]
        ratio[np.isnan(ratio)] = 0  # missing, or on a band of no width
        return centre, half_width, ratio

    def stream(self, sensors: int | Sequence[str]) -> "PeerDeviationStream":
        """Start judging a group of sensors one instant at a time.

        Parameters
        ----------
        sensors : int or sequence of str
            Number of the sensors, or their names; at least three.
        """
        return PeerDeviationStream(self, sensors)

    def _core_detector(self) -> "_core.detect.PeerDeviation":
        if self.side not in ("both", "low", "high"):
            raise ValueError(
                f'PeerDeviation: side must be "both", "low" or "high", got {self.side!r}'
            )
        return _core.detect.PeerDeviation(
            n_sigma=self.n_sigma,
            floor=self.floor,
            bound=self.bound,
            side=self.side,
            robust=self.robust,
            n_jobs=requested_threads("PeerDeviation", self.n_jobs),
        )

    def _active(self, states: NDArray[Any] | None) -> NDArray[np.uint8] | None:
        wanted = [self.while_state] if isinstance(self.while_state, str) else self.while_state
        if not len(wanted):
            return None
        if states is None:
            raise ValueError(
                f"PeerDeviation: while_state is {self.while_state!r}, so the state of the plant is "
                "needed; got none"
            )
        active: NDArray[np.uint8] = np.isin(states, list(wanted)).astype(np.uint8)
        return active


class PeerDeviationStream(Shown):
    """Judge a group of sensors one instant at a time: the verdicts equal `PeerDeviation.judge`.

    Constant memory; time per instant is proportional to the number of sensors. Made by
    `PeerDeviation.stream`.
    """

    def __init__(self, detector: PeerDeviation, sensors: int | Sequence[str]) -> None:
        self._detector = detector
        self._sensors: tuple[str, ...] | None = None
        if not isinstance(sensors, int | np.integer):
            self._sensors = tuple(map(str, sensors))
            sensors = len(self._sensors)
        self._stream = _core.detect.PeerDeviationStream(detector._core_detector(), int(sensors))

    def _shown(self) -> dict[str, Any]:
        return {"detector": self._detector, "n_samples": self.n_samples}

    def push(self, readings: ArrayLike, state: str | None = None) -> PeerRecord:
        """Judge the readings of the next instant.

        Parameters
        ----------
        readings : array-like of shape (n_sensors,)
            NaN is missing.
        state : str, optional
            State of the plant at this instant; required with `while_state`.

        Returns
        -------
        record : PeerRecord
            The band, and the sensors outside it.

        Raises
        ------
        ValueError
            For infinities or a wrong number of sensors; the instant is then not counted.
        """
        row = read_column("PeerDeviationStream.push", readings, "readings")
        active = self._detector._active(None if state is None else np.array([state]))
        counts = active is None or bool(active[0])
        return PeerRecord(*self._stream.push(row, counts))

    @property
    def n_samples(self) -> int:
        """Number of instants so far."""
        return self._stream.n_samples

    @property
    def verdicts(self) -> PeerVerdicts:
        """Findings so far; `state` is not kept."""
        found: dict[str, Any] = self._stream.verdicts()
        return PeerVerdicts(**found, sensors=self._sensors)


def _readings(who: str, X: Any) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    readings, names = read_table(who, X, "readings")
    if readings.size == 0:
        raise ValueError(
            f"{who}: expected readings of shape (n_instants, n_sensors), both above 0, "
            f"got shape {readings.shape}"
        )
    return readings, None if names is None else tuple(names)
