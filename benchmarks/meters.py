"""Simulated meters: the forecaster compared with forest, autoencoder and naive forecasts.

    python benchmarks/meters.py [--seeds 0 1 2 3 4] [--meters 20]

Each meter has its own model, trained without labels on the first half-year, which contains a few
short unlabelled anomalies. Every fifth week is held out from training, for the thresholds. All
models get the logarithm of the consumption, the calendar and the weather, and are judged twice:

- hour: by their evidence for the hour itself;
- hour or day: by that or by the mean over the last day, to which theft and drift add up.

Everything here was chosen on simulations of the seeds 100 to 103.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from _rounds import machine
from numpy.typing import NDArray
from simulated_meter import (
    DAY,
    KINDS,
    N_HOURS,
    N_TRAINING,
    WEEK,
    Meter,
    Series,
    simulate_meters,
)
from sklearn.metrics import average_precision_score, roc_auc_score

import secondlook as sl

FALSE_ALARM_RATE = 0.01  # of hours, and again of the means of a day
# In the mean of a day, the evidence of an hour is clipped to this many standard deviations, so that
# the few outages in the held-out weeks do not determine the threshold of the day.
CLIP = 2.0
CONTEXT = 2 * DAY  # hours that warm up the forecaster before it forecasts a day
BLOCK = 5  # weeks: the last of each is held out

_HOURS = np.arange(N_HOURS)
_HELD_OUT = (_HOURS < N_TRAINING) & (_HOURS // WEEK % BLOCK == BLOCK - 1)
_TRAINED = (_HOURS < N_TRAINING) & ~_HELD_OUT
_TESTED = _HOURS >= N_TRAINING


class Detector(NamedTuple):
    """A model and the evidence for anomalies that it computes from the hours of a meter."""

    name: str
    inputs: Callable[[Meter], Series]
    fit: Callable[[Series], Any]
    evidence: Callable[[Any, Series], Series]
    is_residual: bool  # both signs are anomalous, otherwise only high values


class Scores(NamedTuple):
    """Scores of all meters, concatenated; the threshold is 1."""

    hour: Series
    hour_or_day: Series
    fit_s: float  # per meter
    score_s: float  # per sample


def log_consumption(meter: Meter) -> Series:
    """Take the logarithm: theft by a factor becomes a constant, and noise uniform over the day."""
    floor = 0.05 * np.median(meter.consumption_kwh[_TRAINED])
    logarithm: Series = np.log(meter.consumption_kwh + floor)
    return logarithm


def circumstances(meter: Meter) -> Series:
    """Return the calendar and the weather of each hour."""
    day, week = 2 * np.pi * _HOURS / DAY, 2 * np.pi * _HOURS / WEEK
    waves = (np.sin(day), np.cos(day), np.sin(week), np.cos(week))
    return np.column_stack((*waves, meter.temperature_c))


def steps(meter: Meter) -> Series:
    """Return the forecaster's rows: consumption, calendar and weather of the next hour."""
    following = np.roll(circumstances(meter), -1, axis=0)
    following[-1] = following[-2]
    return np.column_stack((log_consumption(meter), following))


def single_hours(meter: Meter) -> Series:
    return np.column_stack((log_consumption(meter), circumstances(meter)))


def last_days(meter: Meter) -> Series:
    """Return rows of the last 24 hours' consumption, and calendar and weather of the last hour."""
    consumption = log_consumption(meter)
    before = np.concatenate((np.full(DAY - 1, consumption[0]), consumption))
    windows = np.lib.stride_tricks.sliding_window_view(before, DAY)
    return np.column_stack((windows, circumstances(meter)))


def fit_forecaster(rows: Series, **training: Any) -> sl.LSTMForecaster:
    begins = range(0, N_TRAINING, BLOCK * WEEK)
    learned = [rows[i : min(i + (BLOCK - 1) * WEEK, N_TRAINING)] for i in begins]
    return sl.LSTMForecaster(
        window=24,
        hidden=32,
        weight_decay=1e-4,
        max_gap=CONTEXT,
        random_state=0,
        **training,
    ).fit(learned)


def fit_in_small_batches(rows: Series) -> sl.LSTMForecaster:
    """Train with a small batch: with the default size, an epoch would be three updates."""
    return fit_forecaster(rows, learning_rate=5e-3, batch_size=8, max_epochs=100, patience=15)


def day_ahead_residual(model: sl.LSTMForecaster, rows: Series) -> Series:
    """Return the residuals of forecasts of whole days, made at midnight without any reading.

    During a theft, recent readings would lower the forecast. They are therefore passed as missing,
    and the network continues with its own forecasts, the calendar and the weather.
    """
    withheld = rows.copy()
    withheld[:, 0] = np.nan
    residual = np.zeros(len(rows))
    for midnight in range(CONTEXT, len(rows), DAY):
        forecast = model.forecast(withheld[midnight - CONTEXT : midnight], DAY)[:, 0]
        residual[midnight : midnight + DAY] = rows[midnight : midnight + DAY, 0] - forecast
    return residual


def hour_ahead_residual(model: sl.LSTMForecaster, rows: Series) -> Series:
    """Return the residuals of forecasts of each hour, made from all earlier readings."""
    return np.nan_to_num(model.residuals(rows)[:, 0])  # 0 in the warm-up


def own_score(model: sl.LSTMForecaster, rows: Series) -> Series:
    # Only the part of the consumption: the calendar is not anomalous.
    return np.sqrt(np.maximum(model.feature_contributions(rows)[:, 0], 0))


def fit_autoencoder(hidden: tuple[int, ...]) -> Callable[[Series], sl.Autoencoder]:
    return lambda rows: sl.Autoencoder(
        hidden, dropout=0, learning_rate=3e-3, max_epochs=300, patience=20, random_state=0
    ).fit(rows[_TRAINED])


def fit_forest(rows: Series) -> sl.IsolationForest:
    return sl.IsolationForest(n_estimators=200, random_state=0).fit(rows[_TRAINED])


def fit_profile(rows: Series) -> Series:
    """Return the median of each hour of the week."""
    of_week = _HOURS[_TRAINED] % WEEK
    learned = rows[_TRAINED, 0]
    return np.array([np.median(learned[of_week == hour]) for hour in range(WEEK)])


def change_over_a_week(_: None, rows: Series) -> Series:
    change = np.zeros(len(rows))
    change[WEEK:] = rows[WEEK:, 0] - rows[:-WEEK, 0]
    return change


DETECTORS = [
    Detector("LSTM forecaster, a day ahead", steps, fit_in_small_batches, day_ahead_residual, True),
    Detector(
        "LSTM forecaster, a day ahead, default training",
        steps,
        fit_forecaster,
        day_ahead_residual,
        True,
    ),
    Detector(
        "LSTM forecaster, an hour ahead", steps, fit_in_small_batches, hour_ahead_residual, True
    ),
    Detector("LSTM forecaster, its own score", steps, fit_in_small_batches, own_score, False),
    Detector(
        "autoencoder, consumption of the hour",
        single_hours,
        fit_autoencoder((32, 16, 3)),
        lambda model, rows: rows[:, 0] - model.reconstruct(rows)[:, 0],
        True,
    ),
    Detector(
        "autoencoder, last 24 hours",
        last_days,
        fit_autoencoder((32, 16, 8)),
        lambda model, rows: np.sqrt(model.anomaly_score(rows)),
        False,
    ),
    Detector(
        "isolation forest, last 24 hours",
        last_days,
        fit_forest,
        lambda model, rows: model.anomaly_score(rows),
        False,
    ),
    Detector("seasonal naive, last week", single_hours, lambda _: None, change_over_a_week, True),
    Detector(
        "median of the hour of the week",
        single_hours,
        fit_profile,
        lambda profile, rows: rows[:, 0] - profile[_HOURS % WEEK],
        True,
    ),
]


def standardised(evidence: Series) -> Series:
    """Return the evidence in units of its robust deviation over the held-out weeks."""
    centre = np.median(evidence[_HELD_OUT])
    deviation = 1.4826 * np.median(np.abs(evidence[_HELD_OUT] - centre))
    scaled: Series = (evidence - centre) / deviation
    return scaled


def mean_of_the_last_day(values: Series) -> Series:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    last = np.arange(1, len(values) + 1)
    first = np.maximum(last - DAY, 0)
    means: Series = (sums[last] - sums[first]) / (last - first)
    return means


def hour_threshold(fleet: list[Series]) -> float:
    """Return the lower quartile of the thresholds of the single meters.

    An anomaly in the held-out weeks can only raise a threshold, and half of the meters may have
    one.
    """
    own = [sl.quantile_threshold(score[_HELD_OUT], FALSE_ALARM_RATE) for score in fleet]
    return float(np.quantile(own, 0.25))


def day_threshold(fleet: list[Series]) -> float:
    """Return a common threshold from the held-out weeks of all meters; one has too few days."""
    together = np.concatenate([score[_HELD_OUT] for score in fleet])
    return sl.quantile_threshold(together, FALSE_ALARM_RATE)


def score_fleet(detector: Detector, meters: list[Meter]) -> Scores:
    hours, days = [], []
    fit_s = score_s = 0.0
    for meter in meters:
        rows = detector.inputs(meter)
        start = time.perf_counter()
        model = detector.fit(rows)
        fitted = time.perf_counter()
        evidence = standardised(detector.evidence(model, rows))
        score_s += time.perf_counter() - fitted
        fit_s += fitted - start
        level = standardised(mean_of_the_last_day(np.clip(evidence, -CLIP, CLIP)))
        hours.append(np.abs(evidence) if detector.is_residual else evidence)
        days.append(np.abs(level) if detector.is_residual else level)
    hour = np.concatenate([score[_TESTED] for score in hours]) / hour_threshold(hours)
    day = np.concatenate([score[_TESTED] for score in days]) / day_threshold(days)
    n_samples = len(meters) * N_HOURS
    return Scores(hour, np.maximum(hour, day), fit_s / len(meters), score_s / n_samples)


def quality(label: NDArray[np.bool_], score: Series) -> list[float]:
    """Return precision, recall, F1, AUC-ROC, AUC-PR and the false-alarm rate."""
    alarm = score >= 1
    hits, n_alarms, n_anomalous = int(np.sum(alarm & label)), int(np.sum(alarm)), int(np.sum(label))
    return [
        hits / max(n_alarms, 1),
        hits / n_anomalous,
        2 * hits / (n_alarms + n_anomalous),
        roc_auc_score(label, score),
        average_precision_score(label, score),
        float(np.mean(alarm[~label])),
    ]


def kind_of_each_hour(meter: Meter) -> NDArray[np.str_]:
    kind = np.full(N_HOURS, "", dtype="U10")
    for one in meter.anomalies:
        kind[one.begin : one.end] = one.kind
    return kind[_TESTED]


def print_table(heading: list[str], rows: dict[str, list[list[float]]], form: str) -> None:
    """Print the mean and the standard deviation over seeds of each row's numbers."""
    print(f"\n| {' | '.join(heading)} |\n|{'---|' * len(heading)}")
    for name, of_seeds in rows.items():
        means, deviations = np.mean(of_seeds, axis=0), np.std(of_seeds, axis=0, ddof=1)
        cells = [
            f"{mean:{form}} ± {deviation:{form}}"
            for mean, deviation in zip(means, deviations, strict=True)
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--meters", type=int, default=20, help="a simulation")
    arguments = parser.parse_args()
    if len(arguments.seeds) < 2:
        parser.error("expected two seeds at least, to tell how results vary")

    hour: dict[str, list[list[float]]] = {one.name: [] for one in DETECTORS}
    hour_or_day: dict[str, list[list[float]]] = {one.name: [] for one in DETECTORS}
    recalls: dict[str, list[list[float]]] = {one.name: [] for one in DETECTORS}
    seconds: dict[str, list[list[float]]] = {one.name: [] for one in DETECTORS}
    fractions = []
    for seed in arguments.seeds:
        meters = simulate_meters(arguments.meters, seed)
        kind = np.concatenate([kind_of_each_hour(meter) for meter in meters])
        label = kind != ""
        fractions.append([float(np.mean(kind == name)) for name in KINDS])
        for one in DETECTORS:
            scores = score_fleet(one, meters)
            hour[one.name].append(quality(label, scores.hour))
            hour_or_day[one.name].append(quality(label, scores.hour_or_day))
            alarm = scores.hour_or_day >= 1
            recalls[one.name].append([float(np.mean(alarm[kind == name])) for name in KINDS])
            seconds[one.name].append([scores.fit_s, scores.score_s])

    fraction = np.mean(fractions, axis=0)
    print(
        f"{machine()}; {arguments.meters} meters of {N_HOURS} hours, "
        f"{len(arguments.seeds)} simulations\n"
        f"anomalous: {fraction.sum():.1%} of the tested hours ("
        + ", ".join(f"{name} {part:.1%}" for name, part in zip(KINDS, fraction, strict=True))
        + ")"
    )
    measures = ["precision", "recall", "F1", "AUC-ROC", "AUC-PR", "false alarms"]
    print_table(["hour or day", *measures], hour_or_day, ".3f")
    f1 = np.array([[measured[2] for measured in of_seeds] for of_seeds in hour_or_day.values()])
    of_others = [not one.name.startswith("LSTM") for one in DETECTORS]
    ahead = ", ".join(f"{lead:+.3f}" for lead in f1[0] - f1[of_others].max(axis=0))
    print(f"\nF1 of the first minus the best F1 of the others, per simulation: {ahead}")
    print_table(["hour alone", *measures], hour, ".3f")
    print_table(["recall, hour or day", *KINDS], recalls, ".2f")
    print("\n| | fit per meter, s | scoring per sample, µs |\n|---|---|---|")
    for name, of_seeds in seconds.items():
        fit_s, score_s = np.median(of_seeds, axis=0)
        print(f"| {name} | {fit_s:.2g} | {1e6 * score_s:.2g} |")


if __name__ == "__main__":
    main()
