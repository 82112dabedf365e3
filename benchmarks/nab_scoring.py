"""Computes scores of the Numenta Anomaly Benchmark from its labels and a detector's results.

    python benchmarks/nab_scoring.py RESULTS/<detector> [--threshold 0.5]

Result files are ``<detector>/<category>/<detector>_<file>.csv`` with the columns timestamp, value,
anomaly_score (0 to 1) and label, which NAB's own scorer can read, too. Scoring is that of NAB 1.1
(Lavin & Ahmad 2015, "Evaluating Real-time Anomaly Detection Algorithms"). An alarm is a row whose
score is at least the threshold. The earliest alarm in a labelled window earns up to 1, a window
without an alarm costs a missed alarm, and each alarm outside costs a false alarm, less if it is
soon after a window. A detector that never alarms scores 0; one that alarms exactly at the first row
of every window scores 100.
"""

import argparse
import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

PROBATION_SHARE = 0.15
PROBATION_LONGEST = 750  # 15 % of 5,000 rows, for longer files, too
OUTSIDE = -1
NEVER = 1.1  # a threshold that no score reaches


@dataclass(frozen=True)
class Profile:
    """Reward and costs of an alarm."""

    true_alarm: float = 1.0
    missed_alarm: float = 1.0
    false_alarm: float = 0.11


@dataclass(frozen=True)
class Series:
    """One file: its rows, and the first and last row of each labelled window."""

    name: str
    timestamps: Sequence[str]
    values: Scores
    windows: Sequence[tuple[int, int]]

    @property
    def probation(self) -> int:
        """Number of rows at the start that are not scored."""
        return min(int(PROBATION_SHARE * len(self.values)), PROBATION_LONGEST)

    @property
    def label(self) -> NDArray[np.int64]:
        """1 in a window, otherwise 0."""
        label = np.zeros(len(self.values), dtype=np.int64)
        for first, last in self.windows:
            label[first : last + 1] = 1
        return label


@dataclass(frozen=True)
class Sweep:
    """The score, 0 to 100, at each threshold that matters, highest threshold first."""

    thresholds: Scores
    scores: Scores

    def best(self) -> tuple[float, float]:
        """Return the best score and the highest threshold that reaches it."""
        best = int(np.argmax(self.scores))
        return float(self.scores[best]), float(self.thresholds[best])

    def at(self, threshold: float) -> float:
        """Return the score if every row with at least `threshold` is an alarm."""
        n_reached = int(np.count_nonzero(self.thresholds >= threshold))
        return float(self.scores[max(n_reached, 1) - 1])


def sweep(
    series: Iterable[Series], scores: Mapping[str, Scores], profile: Profile | None = None
) -> Sweep:
    """Score one threshold common to all files, for every value it can take.

    Parameters
    ----------
    series : iterable of Series
    scores : mapping from a series' name to its anomaly scores, shape (n_rows,), 0 to 1
    profile : Profile, default=Profile()
    """
    profile = profile or Profile()
    n_windows = 0
    reached, gains = [], []
    for one in series:
        score = np.asarray(scores[one.name], dtype=np.float64)
        if score.shape != (len(one.values),):
            raise ValueError(f"{one.name}: expected {len(one.values)} scores, got {score.shape}")
        worth, window = row_worth(one, profile)
        for number in range(len(one.windows)):
            rows = np.flatnonzero(window == number)
            if rows.size == 0:
                continue
            n_windows += 1
            rows = rows[np.argsort(-score[rows], kind="stable")]
            best_so_far = np.maximum.accumulate(worth[rows])
            reached.append(score[rows])
            gains.append(np.diff(best_so_far, prepend=-profile.missed_alarm))
        rows = np.flatnonzero(window == OUTSIDE)
        rows = rows[rows >= one.probation]
        reached.append(score[rows])
        gains.append(worth[rows])
    if n_windows == 0:
        raise ValueError("expected at least one labelled window")
    thresholds, first = np.unique(-np.concatenate(reached), return_inverse=True)
    gain = np.bincount(first, weights=np.concatenate(gains))
    # No alarm: n · −missed_alarm. All windows found: n · true_alarm.
    per_point = n_windows * (profile.true_alarm + profile.missed_alarm) / 100
    return Sweep(
        np.concatenate(([NEVER], -thresholds)),
        np.concatenate(([0.0], np.cumsum(gain))) / per_point,
    )


def row_worth(series: Series, profile: Profile) -> tuple[Scores, NDArray[np.int64]]:
    """Return the worth of an alarm at each row, and the number of the row's window or `OUTSIDE`.

    Rows of a window that are in probation are `OUTSIDE`, too, and do not count.
    """
    n_rows = len(series.values)
    position = np.full(n_rows, np.inf)
    window = np.full(n_rows, OUTSIDE)
    earliest = scaled_sigmoid(np.array([-1.0]))[0]
    for number, (first, last) in enumerate(series.windows):
        width = last - first + 1
        inside = np.arange(first, last + 1)
        position[inside] = (inside - last - 1) / width
        window[inside] = number
        # Rows up to the next window, which overwrites its rows.
        position[last + 1 :] = np.arange(1, n_rows - last) / (width - 1)
        window[last + 1 :] = OUTSIDE
    worth = scaled_sigmoid(position)
    is_inside = window != OUTSIDE
    worth[is_inside] *= profile.true_alarm / earliest
    worth[~is_inside] *= profile.false_alarm
    window[: series.probation] = OUTSIDE
    return worth, window


def scaled_sigmoid(position: Scores) -> Scores:
    """Return about 1 at the window's start (−1), 0 at its end (0), −1 from three widths past it."""
    value: Scores = 2 / (1 + np.exp(5 * np.minimum(position, 3.0))) - 1
    value[position >= 3] = -1
    return value


def read_profiles(nab: Path) -> dict[str, Profile]:
    """Read the weights of ``config/profiles.json``."""
    profiles = json.loads((nab / "config" / "profiles.json").read_text())
    costs = {name: profile["CostMatrix"] for name, profile in profiles.items()}
    return {
        name: Profile(cost["tpWeight"], cost["fnWeight"], cost["fpWeight"])
        for name, cost in costs.items()
    }


def read_corpus(nab: Path) -> list[Series]:
    """Read every file of ``data/<category>`` and its windows of ``labels``."""
    windows = json.loads((nab / "labels" / "combined_windows.json").read_text())
    return [
        read_series(path, windows[f"{path.parent.name}/{path.name}"])
        for path in sorted((nab / "data").glob("*/*.csv"))
    ]


def read_series(path: Path, windows: Sequence[tuple[str, str]]) -> Series:
    """Read one file; window limits are time stamps of rows, the first row if two are equal."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    timestamps = [row["timestamp"] for row in rows]
    limits = [tuple(timestamps.index(limit.partition(".")[0]) for limit in one) for one in windows]
    values = np.array([float(row["value"]) for row in rows])
    name = f"{path.parent.name}/{path.name}"
    return Series(name, timestamps, values, [(first, last) for first, last in limits])


def result_path(folder: Path, name: str) -> Path:
    """Return the path of the results for the series `name` in a detector's folder."""
    category, _, file = name.partition("/")
    return folder / category / f"{folder.name}_{file}"


def write_results(folder: Path, series: Iterable[Series], scores: Mapping[str, Scores]) -> None:
    """Write a detector's result files; the folder's name is the detector's."""
    for one in series:
        path = result_path(folder, one.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["timestamp", "value", "anomaly_score", "label"])
            score = scores[one.name].tolist()
            writer.writerows(
                zip(one.timestamps, one.values.tolist(), score, one.label.tolist(), strict=True)
            )


def read_results(folder: Path, series: Iterable[Series]) -> dict[str, Scores]:
    """Read the anomaly scores of a detector's result files."""
    scores = {}
    for one in series:
        with result_path(folder, one.name).open(newline="") as file:
            score = [float(row["anomaly_score"]) for row in csv.DictReader(file)]
        scores[one.name] = np.array(score)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="folder of one detector's result files")
    parser.add_argument("--threshold", type=float, help="fixed beforehand, common to all files")
    default = Path(os.environ.get("SECONDLOOK_DATA", "../shared/data")) / "nab"
    parser.add_argument("--nab", type=Path, default=default, help="folder of data and labels")
    arguments = parser.parse_args()

    corpus = read_corpus(arguments.nab)
    scores = read_results(arguments.results, corpus)
    n_windows = sum(len(one.windows) for one in corpus)
    print(f"{arguments.results.name}: {len(corpus)} files, {n_windows} windows\n")
    fixed = arguments.threshold
    print("| profile | best | its threshold |" + (f" at {fixed:g} |" if fixed is not None else ""))
    print("|---|---|---|" + ("---|" if fixed is not None else ""))
    for name, profile in read_profiles(arguments.nab).items():
        swept = sweep(corpus, scores, profile)
        best, threshold = swept.best()
        at_fixed = f" {swept.at(fixed):.1f} |" if fixed is not None else ""
        print(f"| {name} | {best:.1f} | {threshold:.4g} |{at_fixed}")


if __name__ == "__main__":
    main()
