"""Monitor a fleet of batteries: judge every sample as it arrives, and update the model every night.

    python examples/fleet_monitor.py [FILE.csv] [--days N] [--report FILE]

FILE.csv has the columns device, time, voltage, current and temperature, in order of time; the first
two weeks are assumed to be normal. Without FILE.csv, a fleet is simulated, and the result is
compared with the injected faults. Alerts are printed as they occur, updates every night, and
finally a report is written.
"""

import argparse
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
from fleet_report import render
from simulated_fleet import RULES, simulate_fleet

import secondlook as sl

FEATURES = list(sl.BATTERY_FEATURES)
TRAINING_DAYS = 14
HELD_OUT_EVERY = 4  # one of this many training days sets the limits
# An alert ends after this time without an anomaly.
QUIET = pd.Timedelta("2h")


def make_ensemble(seed: int = 0) -> sl.DetectorEnsemble:
    """Return the untrained ensemble.

    Without dropout, the autoencoder learns finer relations; with these levels, less than 1 % of the
    normal samples are judged anomalous. Both were chosen on simulated fleets.
    """
    members = [
        (
            "autoencoder",
            sl.Autoencoder(hidden=(64, 32, 12), dropout=0.0, learning_rate=2e-3, random_state=seed),
        ),
        ("isolation_forest", sl.IsolationForest(random_state=seed)),
    ]
    return sl.DetectorEnsemble(members, limit_level=0.998, recent_level=0.99, rules=RULES)


def train(features: pd.DataFrame, seed: int = 0) -> tuple[sl.DetectorEnsemble, pd.DataFrame]:
    """Return a trained ensemble, and the rows of every fourth day, which only set its limits."""
    day = (features.time - features.time.iloc[0].normalize()).dt.days
    held_out = day % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    limits = features[FEATURES][held_out]
    return make_ensemble(seed).fit(features[FEATURES][~held_out]).fit_offset(limits), limits


def make_learner(
    ensemble: sl.DetectorEnsemble, calibration: pd.DataFrame, seed: int = 0
) -> sl.IncrementalLearner:
    """Return the learner that guards the updates, for about 1,500 samples per day.

    The model has to follow an ageing fleet, so more rows are replayed, and the mean score may fall
    further, than by default. With a suspicion rate of 2 in 1,000, the rarest normal samples would
    be excluded from every update and the limits would tighten, so fewer samples are suspected than
    the few hundred samples of a small fleet allow. All values were chosen on simulated fleets.
    """
    return sl.IncrementalLearner(
        ensemble,
        calibration,
        suspicion_rate=max(0.001, min(0.01, 4 / len(calibration))),
        replay_ratio=4.0,
        tolerance=0.75,
        replay_size=8000,
        held_out_size=4000,
        random_state=seed,
    )


@dataclass
class Alert:
    """Anomalies of a device without a long pause between them."""

    device: str
    begin: pd.Timestamp
    end: pd.Timestamp
    worst: sl.EnsembleRecord
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
    """State of the monitored fleet: one stream per device, one model for all."""

    ensemble: sl.DetectorEnsemble
    learner: sl.IncrementalLearner
    features: dict[str, sl.BatteryFeatures] = field(default_factory=dict)
    streams: dict[str, sl.EnsembleStream] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    nights: list[Night] = field(default_factory=list)
    history: list[tuple] = field(default_factory=list)  # device, time, score, severity
    today: list[np.ndarray] = field(default_factory=list)
    open_alerts: dict[str, Alert] = field(default_factory=dict)

    def push(self, device: str, time: pd.Timestamp, voltage: float, current: float,
             temperature: float) -> sl.EnsembleRecord:  # fmt: skip
        """Judge one sample; print an alert when it starts or becomes more severe."""
        if device not in self.streams:
            self.features[device] = sl.BatteryFeatures()
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
            warnings.simplefilter("ignore", sl.DriftWarning)  # the line of the night states it
            report = self.learner.update(rows)
        night = Night(time, report.outcome, report.reason, report.n_suspected, report.drift)
        self.nights.append(night)
        drift = ", drift" if report.drift else ""
        print(f"{time:%m-%d %H:%M}  night    {report.outcome}{drift}: {report.reason}")
        if report.accepted:
            self.ensemble = self.learner.detector_
            for stream in self.streams.values():
                stream.use(self.ensemble)

    def _alert(self, device: str, record: sl.EnsembleRecord) -> None:
        alert = self.open_alerts.get(device)
        if alert is None or record.time - alert.end > QUIET:
            alert = Alert(device, record.time, record.time, record)
            self.open_alerts[device] = alert
            self.alerts.append(alert)
        else:
            alert.end = record.time
            alert.n_samples += 1
            if rank(record.severity) <= rank(alert.worst.severity):
                return
            alert.worst = record
        print(f"{record.time:%m-%d %H:%M}  {record.severity:8} {device}: {record.reasons}")


def rank(severity: str) -> int:
    """Return the rank of a severity; "normal" is 0."""
    return ("normal", "medium", "high", "critical").index(severity)


def main() -> int:
    arguments = parse_arguments()
    faults = None
    if arguments.file is None:
        print("No file given: using a simulated fleet of ten packs with injected faults.")
        table, faults = simulate_fleet(n_days=TRAINING_DAYS + arguments.days)
    else:
        table = read_fleet(arguments.file)
    try:
        monitor = watch(table)
    except ValueError as error:
        stop(str(error))
    n_devices = len(monitor.streams)
    print(
        f"\n{len(monitor.history)} samples of {n_devices} devices, {len(monitor.alerts)} alerts, "
        f"{sum(night.outcome == 'accepted' for night in monitor.nights)} of "
        f"{len(monitor.nights)} nightly updates accepted."
    )
    if faults is not None:
        check_against(table, faults, monitor)
    arguments.report.write_text(render(monitor, faults), "utf-8")
    print(f"Report: {arguments.report}")
    return 0


def watch(table: pd.DataFrame) -> Monitor:
    """Train on the first two weeks, then judge sample by sample and update at midnight."""
    day = (table.time - table.time.iloc[0].normalize()).dt.days
    if day.iloc[-1] < TRAINING_DAYS:
        stop(f"expected more than {TRAINING_DAYS} days, got {day.iloc[-1] + 1}")
    training = sl.battery_features(table[day < TRAINING_DAYS]).dropna()
    ensemble, limits = train(training)
    monitor = Monitor(ensemble, make_learner(ensemble, limits))
    print(f"Trained on {len(training)} samples of {TRAINING_DAYS} days.\n")
    today = TRAINING_DAYS
    for row, number in zip(
        table[day >= TRAINING_DAYS].itertuples(), day[day >= TRAINING_DAYS], strict=True
    ):
        if number != today:
            today = number
            monitor.learn(row.time)
        monitor.push(row.device, row.time, row.voltage, row.current, row.temperature)
    return monitor


def read_fleet(path: Path) -> pd.DataFrame:
    """Read a recorded fleet."""
    wanted = ["device", "time", "voltage", "current", "temperature"]
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        stop(f"cannot read '{path}': {error}")
    if missing := [name for name in wanted if name not in table.columns]:
        stop(f"'{path}': expected the columns {wanted}, got none named {missing}")
    try:
        table["time"] = pd.to_datetime(table.time)
    except ValueError as error:
        stop(f"'{path}': {error}")
    if table.empty:
        stop(f"'{path}': expected samples, got none")
    for name in ("voltage", "current", "temperature"):
        if not pd.api.types.is_numeric_dtype(table[name]):
            stop(f"'{path}': expected numbers in the column {name}, got {table[name].iloc[0]!r}")
    table["device"] = table.device.astype(str)
    return table.sort_values("time", kind="stable", ignore_index=True)


def check_against(table: pd.DataFrame, faults: list, monitor: Monitor) -> None:
    """Print how many of the visible faults were found, and how many alerts were false."""
    shown = [
        fault
        for fault in faults
        if ((table.device == fault.device) & table.time.between(fault.begin, fault.end)
            & (table.fault != "")).any()
    ]  # fmt: skip

    def meets(alert: Alert, fault) -> bool:
        # Temperature and charge take hours to return to normal.
        late = fault.end + pd.Timedelta("6h")
        return alert.device == fault.device and alert.begin <= late and alert.end >= fault.begin

    n_found = sum(any(meets(alert, fault) for alert in monitor.alerts) for fault in shown)
    n_false = sum(not any(meets(alert, fault) for fault in faults) for alert in monitor.alerts)
    n_days = len(monitor.nights) + 1
    print(
        f"Against the simulation: {n_found} of {len(shown)} faults found; {n_false} false alerts, "
        f"{n_false / n_days / len(monitor.streams):.2f} per device and day."
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help="samples of a fleet as CSV")
    parser.add_argument("--days", type=int, default=14, help="to simulate after the training")
    parser.add_argument("--report", type=Path, default=Path("report_fleet.html"))
    arguments = parser.parse_args()
    if arguments.days < 1:
        parser.error(f"--days: expected at least 1, got {arguments.days}")
    return arguments


def stop(message: str) -> NoReturn:
    """End with a message for the user."""
    print(f"fleet_monitor: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    sys.exit(main())
