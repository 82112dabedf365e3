"""A guarded update of a full-size autoencoder: 1,000 rows of 14 features.

    python benchmarks/incremental_learning.py [--rounds 30]

No other library offers this, so the comparison is with a plain `partial_fit` on the same rows.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from _rounds import machine, median_seconds, print_table

import secondlook as sl


def plant(rows, random):
    hidden = random.normal(size=(rows, 3))
    mixing = np.random.default_rng(1).normal(size=(3, 14))
    return hidden @ mixing + 0.1 * random.normal(size=(rows, 14))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    model = sl.Autoencoder(random_state=0).fit(plant(5000, random))
    calibration = plant(3000, random)
    with tempfile.TemporaryDirectory() as folder:
        on_disk = sl.IncrementalLearner(model, calibration, Path(folder) / "site", random_state=0)
        in_memory = sl.IncrementalLearner(model, calibration, random_state=0)
        contenders = {
            "update, with its version on the disk": lambda: on_disk.update(plant(1000, random)),
            "update, in memory": lambda: in_memory.update(plant(1000, random)),
            "partial_fit alone": lambda: model.partial_fit(plant(1000, random)),
        }
        medians = median_seconds(contenders, arguments.rounds)
        reports = on_disk.reports_
    print(machine())
    print_table("1,000 rows of 14 features", medians, "ms", 1e3)
    slowest = max(report.seconds for report in reports)
    print(
        f"\n{sum(report.accepted for report in reports)} of {len(reports)} accepted, "
        f"{sum(report.drift for report in reports)} with drift, slowest {slowest * 1e3:.0f} ms"
    )


if __name__ == "__main__":
    main()
