"""SKAB: two votes over eight sensors of a water loop, beside the published detectors.

    python benchmarks/skab.py [--results DIR]

Normal is the first 400 rows of each file, of which some are not; nothing else is learned, and every
limit is fixed beforehand. Both votes judge the means of the last 15 rows, and a row is anomalous
where they agree:

- level: a sensor is far from its median, against how far its level wanders by itself while normal;
- autoencoder: the eight sensors no longer go together as they did.

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
WINDOW = 15  # seconds: what passes sooner is noise here
WANDER_LIMIT = 4.0
RECONSTRUCTION_LIMIT = 1.25  # of the largest error in training
# As SKAB's leaderboard prints them, over all 34 labelled files; ours are over those we develop on.
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
    """How far a series' level is from normal, against how far it wanders by itself.

    A sensor that drifts slowly while all is well has a small standard deviation over a minute and
    a large one over an hour; neither says how far its level may go. Its change over half the
    training does: the longest lag of which the training holds as many pairs as it skips rows.
    Medians, as some training rows are anomalous.
    """

    centre: Readings
    wander: Readings

    @classmethod
    def fit(cls, rows: Readings, level: Readings) -> Self:
        """Learn from normal rows and their levels, both of shape (n_rows, n_sensors)."""
        lag = len(rows) // 2
        settled = level[WINDOW - 1 :]
        wander = 1.4826 * np.median(np.abs(settled[lag:] - settled[:-lag]), axis=0)
        # A sensor of few values may not wander at all by the median.
        return cls(np.median(rows, axis=0), np.maximum(wander, 0.03 * rows.std(axis=0) + 1e-12))

    def score(self, level: Readings) -> Readings:
        """Return the distance of the sensor furthest away, in its own wander."""
        worst: Readings = (np.abs(level - self.centre) / self.wander).max(axis=1)
        return worst


def moving_mean(rows: Readings, window: int) -> Readings:
    """Return the mean of each row and those before it, `window` in all or as many as there are."""
    sums = np.cumsum(np.vstack([np.zeros(rows.shape[1]), rows]), axis=0)
    last = np.arange(1, len(rows) + 1)
    first = np.maximum(last - window, 0)
    means: Readings = (sums[last] - sums[first]) / (last - first)[:, None]
    return means


def wander_vote(rows: Readings, level: Readings) -> NDArray[np.bool_]:
    model = LevelWander.fit(rows[:N_TRAINING], level[:N_TRAINING])
    return model.score(level) >= WANDER_LIMIT


def reconstruction_vote(level: Readings) -> NDArray[np.bool_]:
    # Settings by the error over the last 100 training rows after training on those before them: of
    # layers that end in half as many units as there are sensors, the single one generalises best,
    # and dropout only harms a network that narrow.
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
        print(f"skipped: {DATA} is not there (set SECONDLOOK_DATA)")
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
