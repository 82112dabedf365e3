"""Computes the scores of the Skoltech Anomaly Benchmark's outlier task.

    python benchmarks/skab_scoring.py RESULTS/<detector>

Result files are ``<detector>/<folder>/<file>.csv`` with the columns datetime and prediction (1 =
anomalous). A detector is trained on the first 400 rows of a file, without labels; all other rows of
all files are counted together, as on the benchmark's leaderboard (Katser & Kozitsin 2020).
"""

import argparse
import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

N_TRAINING = 400
SENSORS = (
    "Accelerometer1RMS",
    "Accelerometer2RMS",
    "Current",
    "Pressure",
    "Temperature",
    "Thermocouple",
    "Voltage",
    "Volume Flow RateRMS",
)


@dataclass(frozen=True)
class Recording:
    """One file: one row per second, and which rows are anomalous."""

    name: str
    timestamps: Sequence[str]
    readings: NDArray[np.float64]
    label: NDArray[np.int64]


@dataclass(frozen=True)
class Confusion:
    """Numbers of rows by label and prediction."""

    true_alarms: int
    false_alarms: int
    missed_alarms: int
    true_normals: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 without any true alarm."""
        wrong = self.false_alarms + self.missed_alarms
        return 2 * self.true_alarms / (2 * self.true_alarms + wrong) if self.true_alarms else 0.0

    @property
    def false_alarm_rate(self) -> float:
        """Fraction of the normal rows that alarm."""
        return self.false_alarms / (self.false_alarms + self.true_normals)

    @property
    def missed_alarm_rate(self) -> float:
        """Fraction of the anomalous rows that do not alarm."""
        return self.missed_alarms / (self.missed_alarms + self.true_alarms)


def confusion(
    recordings: Iterable[Recording], predictions: Mapping[str, NDArray[np.int64]]
) -> Confusion:
    """Count the rows after the training rows of all recordings together.

    Parameters
    ----------
    recordings : iterable of Recording
    predictions : mapping from a recording's name to 0 or 1 for each of its rows
    """
    counts = np.zeros((2, 2), dtype=np.int64)
    for one in recordings:
        said = np.asarray(predictions[one.name], dtype=np.int64)
        if said.shape != one.label.shape:
            raise ValueError(f"{one.name}: expected {len(one.label)} predictions, got {said.shape}")
        np.add.at(counts, (one.label[N_TRAINING:], said[N_TRAINING:]), 1)
    (true_normals, false_alarms), (missed_alarms, true_alarms) = counts.tolist()
    return Confusion(true_alarms, false_alarms, missed_alarms, true_normals)


def read_corpus(skab: Path) -> list[Recording]:
    """Read every labelled file of ``data``."""
    paths = sorted((skab / "data").glob("*/*.csv"))
    return [read_recording(path) for path in paths if path.parent.name != "anomaly-free"]


def read_recording(path: Path) -> Recording:
    """Read one labelled file."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return Recording(
        f"{path.parent.name}/{path.name}",
        [row["datetime"] for row in rows],
        np.array([[float(row[sensor]) for sensor in SENSORS] for row in rows]),
        np.array([int(float(row["anomaly"])) for row in rows]),
    )


def write_results(
    folder: Path, recordings: Iterable[Recording], predictions: Mapping[str, NDArray[np.int64]]
) -> None:
    """Write a detector's result files."""
    for one in recordings:
        path = folder / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["datetime", "prediction"])
            writer.writerows(zip(one.timestamps, predictions[one.name].tolist(), strict=True))


def read_results(folder: Path, recordings: Iterable[Recording]) -> dict[str, NDArray[np.int64]]:
    """Read the predictions of a detector's result files."""
    predictions = {}
    for one in recordings:
        with (folder / one.name).open(newline="") as file:
            said = [int(row["prediction"]) for row in csv.DictReader(file)]
        predictions[one.name] = np.array(said)
    return predictions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="folder of one detector's result files")
    default = Path(os.environ.get("SECONDLOOK_DATA", "../shared/data")) / "skab"
    parser.add_argument("--skab", type=Path, default=default, help="folder of the data")
    arguments = parser.parse_args()

    corpus = read_corpus(arguments.skab)
    predictions = read_results(arguments.results, corpus)
    print(f"{arguments.results.name}: {len(corpus)} files\n")
    print("| file | F1 | false alarms | missed alarms |\n|---|---|---|---|")
    for one in corpus:
        print_row(one.name, confusion([one], predictions))
    print_row("all", confusion(corpus, predictions))


def print_row(name: str, counts: Confusion) -> None:
    print(
        f"| {name} | {counts.f1:.3f} | {counts.false_alarm_rate:.1%} "
        f"| {counts.missed_alarm_rate:.1%} |"
    )


if __name__ == "__main__":
    main()
