"""Monitor of a fleet of batteries: judges every sample as it arrives, and updates every night.

The first two weeks, assumed to be normal, train the model. Needs pandas.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.required import required

# Before the modules of the job that import it.
with required("secondlook.jobs.fleet_monitor", "pandas", "'secondlook[fleet]'"):
    import pandas as pd

from secondlook._shared.plain_values import plain
from secondlook._shared.progress import ProgressBar
from secondlook._shared.written_results import WrittenAsPage
from secondlook.detect.autoencoder import Autoencoder
from secondlook.detect.detector_ensemble import DetectorEnsemble
from secondlook.detect.ensemble_stream import SEVERITIES, EnsembleRecord, EnsembleStream
from secondlook.detect.isolation_forest import IsolationForest
from secondlook.errors import DriftWarning
from secondlook.jobs.fleet_report import render
from secondlook.jobs.simulated_fleet import RULES, Fault, simulate_fleet
from secondlook.learn.incremental_learner import IncrementalLearner
from secondlook.series import BATTERY_FEATURES, BatteryFeatures, battery_features

__all__ = [
    "FEATURES",
    "TRAINING_DAYS",
    "Alert",
    "FleetResult",
    "Monitor",
    "Night",
    "make_ensemble",
    "make_learner",
    "monitor_fleet",
    "monitor_simulated_fleet",
    "read_fleet",
    "train",
]

COLUMNS = ["device", "time", "voltage", "current", "temperature"]
FEATURES = list(BATTERY_FEATURES)
TRAINING_DAYS = 14
HELD_OUT_EVERY = 4  # one of this many training days sets the limits
# An alert ends after this time without an anomaly.
QUIET = pd.Timedelta("2h")
# Temperature and charge take hours to return to normal after a fault.
AFTER_EFFECTS = pd.Timedelta("6h")

Announce = Callable[[str], object]


@dataclass
class Alert:
    """Anomalies of a device without a long pause between them."""

    device: str
    begin: pd.Timestamp
    end: pd.Timestamp
    worst: EnsembleRecord
    n_samples: int = 1


@dataclass
class Night:
    """Result of a nightly update, with its reason."""

    time: pd.Timestamp
    outcome: str
    reason: str
    n_suspected: int
    drift: bool


@dataclass
class Monitor:
    """State of the monitored fleet: one stream per device, one model for all.

    `announce` is called with a line for each alert and each night, as they occur.
    """

    ensemble: DetectorEnsemble
    learner: IncrementalLearner
    announce: Announce | None = None
    features: dict[str, BatteryFeatures] = field(default_factory=dict)
    streams: dict[str, EnsembleStream] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    nights: list[Night] = field(default_factory=list)
    history: list[tuple[Any, ...]] = field(default_factory=list)  # device, time, score, severity
    today: list[NDArray[np.float64]] = field(default_factory=list)
    open_alerts: dict[str, Alert] = field(default_factory=dict)

    def push(
        self, device: str, time: pd.Timestamp, voltage: float, current: float, temperature: float
    ) -> EnsembleRecord:
        """Judge one sample; announce an alert when it starts or becomes more severe."""
        if device not in self.streams:
            self.features[device] = BatteryFeatures()
            self.streams[device] = self.ensemble.stream()
        row = self.features[device].push(time, voltage, current, temperature)
        record = self.streams[device].push(row, time)
        self.history.append((device, time, record.score, record.severity))
        if record.verdict != "unknown":
            self.today.append(row)
        if record.verdict == "anomaly":
            self._alert(device, record)
        return record

    def learn(self, time: pd.Timestamp) -> None:
        """Update with the day's samples; the streams use the new model if it is accepted."""
        rows, self.today = pd.DataFrame(self.today, columns=FEATURES), []
        if len(rows) < 10:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DriftWarning)  # the line of the night states it
            report = self.learner.update(rows)
        night = Night(time, report.outcome, report.reason, report.n_suspected, report.drift)
        self.nights.append(night)
        drift = ", drift" if report.drift else ""
        self._say(f"{time:%m-%d %H:%M}  night    {report.outcome}{drift}: {report.reason}")
        if report.accepted:
            self.ensemble = self.learner.detector_
            for stream in self.streams.values():
                stream.use(self.ensemble)

    def _alert(self, device: str, record: EnsembleRecord) -> None:
        alert = self.open_alerts.get(device)
        if alert is None or record.time - alert.end > QUIET:
            alert = Alert(device, record.time, record.time, record)
            self.open_alerts[device] = alert
            self.alerts.append(alert)
        else:
            alert.end = record.time
            alert.n_samples += 1
            if _rank(record) <= _rank(alert.worst):
                return
            alert.worst = record
        reasons = "; ".join(record.reasons)
        self._say(f"{record.time:%m-%d %H:%M}  {record.severity:8} {device}: {reasons}")

    def _say(self, line: str) -> None:
        if self.announce is not None:
            self.announce(line)


@dataclass
class FleetResult(WrittenAsPage):
    """Result of monitoring a fleet.

    ``str`` summarises it in a few lines.

    Attributes
    ----------
    monitor : Monitor
        With the alerts, the nights and the last model.
    faults : list of Fault or None
        The injected faults if the fleet is simulated, otherwise None.
    visible : list of Fault
        Those that changed a reading clearly.
    """

    monitor: Monitor
    faults: list[Fault] | None = None
    visible: list[Fault] = field(default_factory=list)

    @property
    def n_found(self) -> int:
        """Number of visible faults that an alert meets."""
        return sum(any(_meets(a, fault) for a in self.monitor.alerts) for fault in self.visible)

    @property
    def n_false_alerts(self) -> int:
        """Number of alerts that meet no fault of the simulation."""
        faults = self.faults or []
        return sum(not any(_meets(a, fault) for fault in faults) for a in self.monitor.alerts)

    def __str__(self) -> str:
        monitor = self.monitor
        lines = [
            f"{len(monitor.history)} samples of {len(monitor.streams)} devices, "
            f"{len(monitor.alerts)} alerts, {_n_accepted(monitor.nights)} of "
            f"{len(monitor.nights)} nightly updates accepted."
        ]
        if self.faults is not None:
            n_days = len(monitor.nights) + 1
            rate = self.n_false_alerts / n_days / len(monitor.streams)
            lines.append(
                f"Against the simulation: {self.n_found} of {len(self.visible)} faults found; "
                f"{self.n_false_alerts} false alerts, {rate:.2f} per device and day."
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        monitor = self.monitor
        document: dict[str, Any] = {
            "simulated": self.faults is not None,
            "n_samples": len(monitor.history),
            "n_devices": len(monitor.streams),
            "alerts": [
                {
                    "device": alert.device,
                    "begin": alert.begin,
                    "end": alert.end,
                    "n_samples": alert.n_samples,
                    "severity": alert.worst.severity,
                    "score": alert.worst.score,
                    "reasons": alert.worst.reasons,
                }
                for alert in monitor.alerts
            ],
            "nights": monitor.nights,
        }
        if self.faults is not None:
            document["faults"] = self.faults
            document["n_visible_faults"] = len(self.visible)
            document["n_found"] = self.n_found
            document["n_false_alerts"] = self.n_false_alerts
        result: dict[str, Any] = plain(document)
        return result

    def _page(self) -> str:
        return render(self.monitor, self.faults)


def monitor_fleet(path: str | os.PathLike[str], *, announce: Announce | None = None) -> FleetResult:
    """Monitor a recorded fleet: train on its first two weeks, then judge sample by sample.

    Parameters
    ----------
    path : str or os.PathLike
        A CSV file with the columns device, time, voltage, current and temperature.
    announce : callable or None, default=None
        Called with a line for each alert and each nightly update, as they occur.

    Returns
    -------
    FleetResult

    Raises
    ------
    ValueError
        If the file lacks a column, has no more than two weeks, or holds something else than
        numbers and times.
    OSError
        If the file cannot be opened.
    """
    return FleetResult(_watch(read_fleet(path), announce))


def monitor_simulated_fleet(
    n_days: int = 14, *, seed: int = 0, announce: Announce | None = None
) -> FleetResult:
    """Monitor a simulated fleet of ten packs, and compare the result with its injected faults.

    Parameters
    ----------
    n_days : int, default=14
        Number of days after the two weeks of training, at least 1.
    seed : int, default=0
        Seed of the simulation.
    announce : callable or None, default=None
        See `monitor_fleet`.

    Returns
    -------
    FleetResult

    Raises
    ------
    ValueError
        If `n_days` is below 1.
    """
    if n_days < 1:
        raise ValueError(f"monitor_simulated_fleet: expected n_days of at least 1, got {n_days}")
    table, faults = simulate_fleet(n_days=TRAINING_DAYS + n_days, seed=seed)
    return FleetResult(_watch(table, announce), faults, _visible(table, faults))


def make_ensemble(seed: int = 0) -> DetectorEnsemble:
    """Return the untrained ensemble.

    Without dropout, the autoencoder learns finer relations; with these levels, less than 1 % of the
    normal samples are judged anomalous. Both were chosen on simulated fleets.
    """
    members = [
        (
            "autoencoder",
            Autoencoder(hidden=(64, 32, 12), dropout=0.0, learning_rate=2e-3, random_state=seed),
        ),
        ("isolation_forest", IsolationForest(random_state=seed)),
    ]
    return DetectorEnsemble(members, limit_level=0.998, recent_level=0.99, rules=RULES)


def train(features: pd.DataFrame, seed: int = 0) -> tuple[DetectorEnsemble, pd.DataFrame]:
    """Return a trained ensemble, and the rows of every fourth day, which only set its limits."""
    day = (features.time - features.time.iloc[0].normalize()).dt.days
    held_out = day % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    limits = features[FEATURES][held_out]
    return make_ensemble(seed).fit(features[FEATURES][~held_out]).fit_offset(limits), limits


def make_learner(
    ensemble: DetectorEnsemble, calibration: pd.DataFrame, seed: int = 0
) -> IncrementalLearner:
    """Return the learner that guards the updates, for about 1,500 samples per day.

    The model has to follow an ageing fleet, so more rows are replayed, and the mean score may fall
    further, than by default. With a suspicion rate of 2 in 1,000, the rarest normal samples would
    be excluded from every update and the limits would tighten, so fewer samples are suspected than
    the few hundred samples of a small fleet allow. All values were chosen on simulated fleets.
    """
    return IncrementalLearner(
        ensemble,
        calibration,
        suspicion_rate=max(0.001, min(0.01, 4 / len(calibration))),
        replay_ratio=4.0,
        tolerance=0.75,
        replay_size=8000,
        held_out_size=4000,
        random_state=seed,
    )


def read_fleet(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a recorded fleet, in order of time.

    Raises
    ------
    ValueError
        If a column is missing, or holds something else than numbers and times.
    OSError
        If the file cannot be opened.
    """
    file = Path(path)
    try:
        table = pd.read_csv(file)
        if missing := [name for name in COLUMNS if name not in table.columns]:
            raise ValueError(f"expected the columns {COLUMNS}, got none named {missing}")
        table["time"] = pd.to_datetime(table.time)
    except ValueError as error:  # pandas' errors do not name the file
        raise ValueError(f"'{file}': {error}") from None
    if table.empty:
        raise ValueError(f"'{file}': expected samples, got none")
    for name in ("voltage", "current", "temperature"):
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise ValueError(
                f"'{file}': expected numbers in the column {name}, got {table[name].iloc[0]!r}"
            )
    table["device"] = table.device.astype(str)
    return table.sort_values("time", kind="stable", ignore_index=True)


def _watch(table: pd.DataFrame, announce: Announce | None) -> Monitor:
    """Train on the first two weeks, then judge sample by sample and update at midnight."""
    day = (table.time - table.time.iloc[0].normalize()).dt.days
    if day.iloc[-1] < TRAINING_DAYS:
        raise ValueError(
            f"expected more than {TRAINING_DAYS} days, as the first {TRAINING_DAYS} train the "
            f"model, got {day.iloc[-1] + 1}"
        )
    training = battery_features(table[day < TRAINING_DAYS]).dropna()
    ensemble, limits = train(training)
    monitor = Monitor(ensemble, make_learner(ensemble, limits), announce)
    monitor._say(f"Trained on {len(training)} samples of {TRAINING_DAYS} days.\n")
    later = day >= TRAINING_DAYS
    today = TRAINING_DAYS
    with ProgressBar("Monitoring") as progress:
        for row, number in zip(table[later].itertuples(), day[later], strict=True):
            if number != today:
                today = number
                monitor.learn(row.time)
                if announce is None:  # a bar would be mixed with the lines
                    progress(len(monitor.history), int(later.sum()), f"{row.time:%m-%d}")
            monitor.push(row.device, row.time, row.voltage, row.current, row.temperature)
    return monitor


def _rank(record: EnsembleRecord) -> int:
    return 0 if record.severity is None else SEVERITIES.index(record.severity)


def _n_accepted(nights: Sequence[Night]) -> int:
    return sum(night.outcome == "accepted" for night in nights)


def _visible(table: pd.DataFrame, faults: list[Fault]) -> list[Fault]:
    """Return the faults that changed a reading clearly, in the monitored days."""
    return [
        fault
        for fault in faults
        if (
            (table.device == fault.device)
            & table.time.between(fault.begin, fault.end)
            & (table.fault != "")
        ).any()
    ]


def _meets(alert: Alert, fault: Fault) -> bool:
    late = fault.end + AFTER_EFFECTS
    return bool(alert.device == fault.device and alert.begin <= late and alert.end >= fault.begin)
