"""SKAB: two votes on eight sensors of a water loop, compared with the published detectors.

    python benchmarks/skab.py [--results DIR]

The first 400 rows of each file are treated as normal, although some are not. Nothing else is used
for training, and every limit is fixed beforehand. Both votes judge the means of the last 15 rows,
and a row is anomalous if both agree:

- level: a sensor is far from its median, relative to how far its level wanders in normal operation;
- autoencoder: the relation between the eight sensors has changed.

With --results, DIR gets result files in a folder named secondlook, which skab_scoring.py reads.
"""

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from _rounds import machine
from numpy.typing import NDArray
from skab_scoring import N_TRAINING, Confusion, confusion, read_corpus, write_results

import secondlook as sl

DATA = Path(os.environ.get("SECONDLOOK_DATA", Path(__file__).parents[2] / "shared/data")) / "skab"
WINDOW = 15  # seconds; shorter events are noise here
WANDER_LIMIT = 4.0
RECONSTRUCTION_LIMIT = 1.25  # multiple of the largest error in training
# From SKAB's leaderboard, over all 34 labelled files; secondlook's are over the development files.
PUBLISHED = {
    "Conv-AE": (0.78, 0.136, 0.280),
    "MSET": (0.78, 0.397, 0.141),
    "PCA T²+Q": (0.76, 0.266, 0.249),
    "LSTM-AE": (0.74, 0.300, 0.259),
    "LSTM": (0.54, 0.125, 0.595),
    "autoencoder": (0.39, 0.026, 0.752),
    "isolation forest": (0.29, 0.026, 0.829),
}

Readings = NDArray[np.float64]


@dataclass
class LevelWander:
    """Distance of a series' level from normal, relative to how far the level wanders by itself.

    A sensor that drifts slowly in normal operation has a small standard deviation over a minute and
    a large one over an hour; neither says how far its level may go. Its change over half of the
    training rows does, the longest lag with as many pairs of rows as the lag has rows. Medians are
    used, as some training rows are anomalous.
    """

    centre: Readings
    wander: Readings

    @classmethod
    def fit(cls, rows: Readings, level: Readings) -> Self:
        """Fit to normal rows and their levels, both of shape (n_rows, n_sensors)."""
        lag = len(rows) // 2
        settled = level[WINDOW - 1 :]
        wander = 1.4826 * np.median(np.abs(settled[lag:] - settled[:-lag]), axis=0)
        # The median change of a sensor with few distinct values may be 0.
        return cls(np.median(rows, axis=0), np.maximum(wander, 0.03 * rows.std(axis=0) + 1e-12))

    def score(self, level: Readings) -> Readings:
        """Return the largest distance of a sensor, in units of its own wander."""
        worst: Readings = (np.abs(level - self.centre) / self.wander).max(axis=1)
        return worst


def moving_mean(rows: Readings, window: int) -> Readings:
    """Return the mean over each row and the preceding ones, up to `window` rows."""
    sums = np.cumsum(np.vstack([np.zeros(rows.shape[1]), rows]), axis=0)
    last = np.arange(1, len(rows) + 1)
    first = np.maximum(last - window, 0)
    means: Readings = (sums[last] - sums[first]) / (last - first)[:, None]
    return means


def wander_vote(rows: Readings, level: Readings) -> NDArray[np.bool_]:
    model = LevelWander.fit(rows[:N_TRAINING], level[:N_TRAINING])
    return model.score(level) >= WANDER_LIMIT


def reconstruction_vote(level: Readings) -> NDArray[np.bool_]:
    # Chosen by the error on the last 100 training rows after training on the others: of networks
    # with half as many units in the middle as there are sensors, a single layer generalises best,
    # and dropout only harms such a narrow network.
    model = sl.Autoencoder(
        hidden=(4,), dropout=0.0, learning_rate=3e-3, max_epochs=1000, patience=60, random_state=0
    )
    normal = level[WINDOW - 1 : N_TRAINING]
    error = np.sqrt(-model.fit(normal).score_samples(level))
    is_anomalous: NDArray[np.bool_] = error >= RECONSTRUCTION_LIMIT * error[WINDOW:N_TRAINING].max()
    return is_anomalous


def isolation_vote(rows: Readings) -> NDArray[np.bool_]:
    model = sl.IsolationForest(contamination=0.01, random_state=0).fit(rows[:N_TRAINING])
    return model.predict(rows) < 0


def print_row(name: str, counts: Confusion) -> None:
    rates = f"{counts.false_alarm_rate:.1%} | {counts.missed_alarm_rate:.1%}"
    print(f"| {name} | {counts.f1:.3f} | {rates} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, help="folder for result files")
    arguments = parser.parse_args()
    if not DATA.is_dir():
        print(f"skipped: {DATA} does not exist (set SECONDLOOK_DATA)")
        return

    corpus = read_corpus(DATA)
    votes: dict[str, dict[str, NDArray[np.int64]]] = {}
    start = time.perf_counter()
    for one in corpus:
        level = moving_mean(one.readings, WINDOW)
        wander, reconstruction = wander_vote(one.readings, level), reconstruction_vote(level)
        for name, said in {
            "both votes": wander & reconstruction,
            "level alone": wander,
            "autoencoder alone": reconstruction,
            "isolation forest, single rows": isolation_vote(one.readings),
        }.items():
            votes.setdefault(name, {})[one.name] = said.astype(np.int64)
    seconds = time.perf_counter() - start
    if arguments.results:
        write_results(arguments.results / "secondlook", corpus, votes["both votes"])

    print(
        f"{machine()}; {len(corpus)} files, {seconds / len(corpus):.2f} s each, training included"
    )
    print("\n| | F1 | false alarms | missed alarms |\n|---|---|---|---|")
    for name, said in votes.items():
        print_row(f"secondlook, {name}", confusion(corpus, said))
    for name, (f1, false_alarms, missed) in PUBLISHED.items():
        print(f"| {name}, published | {f1:.2f} | {false_alarms:.1%} | {missed:.1%} |")


if __name__ == "__main__":
    main()
