"""Simulates an ageing battery fleet, with an ensemble that is never updated, updated or retrained.

    python benchmarks/battery_fleet.py [--seeds 0 1 2 3 4]

Ten packs, one sample every ten minutes. The first two weeks, assumed to be normal, train the
ensemble and set its limits. Then every sample is judged as it arrives for six weeks, in which the
packs age, the season gets warmer, and faults come and go. Every night

- never: nothing is learned;
- update: an IncrementalLearner trains on the day's samples, unless that makes the model worse;
- retrain: a new ensemble is trained on all samples so far that were not judged anomalous.

None of the three uses labels. The settings were chosen on seeds from 100 on.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from _rounds import machine
from sklearn.metrics import average_precision_score

import secondlook as sl
from secondlook.jobs.fleet_monitor import FEATURES, TRAINING_DAYS, make_learner, train
from secondlook.jobs.simulated_fleet import simulate_fleet

N_DAYS = 56


class Never:
    """Keeps the first ensemble."""

    def __init__(self, training: pd.DataFrame, seed: int) -> None:
        self.ensemble, self.held_out = train(training, seed)

    def learn(self, rows: pd.DataFrame, normal: pd.Series) -> None:
        """Learn nothing."""


class Update(Never):
    """Updates the ensemble with the day's samples, guarded by a learner."""

    def __init__(self, training: pd.DataFrame, seed: int) -> None:
        super().__init__(training, seed)
        self.learner = make_learner(self.ensemble, self.held_out, seed)

    def learn(self, rows: pd.DataFrame, normal: pd.Series) -> None:
        """Update the learner, and use the new ensemble if it is accepted."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sl.DriftWarning)  # drift is part of the simulation
            if self.learner.update(rows[FEATURES]).accepted:
                self.ensemble = self.learner.detector_


class Retrain(Never):
    """Retrains on all samples that were judged normal."""

    def __init__(self, training: pd.DataFrame, seed: int) -> None:
        super().__init__(training, seed)
        self.seed = seed
        self.rows = [training]

    def learn(self, rows: pd.DataFrame, normal: pd.Series) -> None:
        """Train a new ensemble."""
        self.rows.append(rows[normal])
        self.ensemble, _ = train(pd.concat(self.rows), self.seed)


STRATEGIES = (Never, Update, Retrain)
LIMIT = 1.0  # threshold of the ensemble's anomaly score
LATE = "false positives, last 2 weeks"


def run(
    strategy: type[Never], features: pd.DataFrame, day: pd.Series, seed: int
) -> tuple[pd.Series, float]:
    """Return the anomaly scores of the judged days, and the seconds of training per night."""
    model = strategy(features[day < TRAINING_DAYS], seed)
    streams = {device: model.ensemble.stream() for device in features.device.unique()}
    scores, seconds = [], []
    for today in range(TRAINING_DAYS, N_DAYS):
        rows = features[day == today]
        today_scores = pd.Series(np.nan, index=rows.index)
        for device, own in rows.groupby("device"):
            streams[device].use(model.ensemble)
            records = map(streams[device].push, own[FEATURES].to_numpy())
            today_scores[own.index] = [-record.score for record in records]
        scores.append(today_scores)
        begin = time.perf_counter()
        model.learn(rows, today_scores <= LIMIT)
        seconds.append(time.perf_counter() - begin)
    return pd.concat(scores), float(np.mean(seconds))


def rates(scores: pd.Series, faulty: pd.Series) -> dict[str, float]:
    """Return precision, recall, F1, false-positive rate and average precision."""
    found = scores > LIMIT
    hits = (found & faulty).sum()
    precision, recall = hits / max(found.sum(), 1), hits / faulty.sum()
    return {
        "precision": precision,
        "recall": recall,
        "F1": 2 * precision * recall / max(precision + recall, 1e-12),
        "AUC-PR": average_precision_score(faulty, scores),
        "false positives": (found & ~faulty).sum() / (~faulty).sum(),
    }


def table_of(results: pd.DataFrame, columns: list[str], unit: str = "%") -> str:
    """Return a Markdown table of mean ± deviation over the simulations, one row per strategy."""
    lines = [f"| {unit} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for strategy in STRATEGIES:
        own = 100 * results[results.strategy == strategy.__name__][columns].astype(float)
        cells = [f"{own[name].mean():.1f} ± {own[name].std():.1f}" for name in columns]
        lines.append(f"| {strategy.__name__.lower()} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    results, kinds, n_faults, fractions = [], set(), 0, []
    for seed in parser.parse_args().seeds:
        table, faults = simulate_fleet(n_days=N_DAYS, faults_from_day=TRAINING_DAYS, seed=seed)
        features = sl.battery_features(table)
        day = (table.time - table.time.iloc[0]).dt.days
        judged = table[day >= TRAINING_DAYS]
        faulty = judged.fault != ""
        fractions.append(faulty.mean())
        n_faults += len(faults)
        for strategy in STRATEGIES:
            scores, seconds = run(strategy, features, day, seed)
            late = day[judged.index] >= N_DAYS - 14
            by_kind = (scores[faulty] > LIMIT).groupby(judged.fault[faulty]).mean()
            kinds |= set(by_kind.index)
            results.append(
                {
                    "strategy": strategy.__name__,
                    **rates(scores, faulty),
                    LATE: (scores[late & ~faulty] > LIMIT).mean(),
                    "seconds": seconds,
                    **by_kind,
                }
            )
    frame = pd.DataFrame(results)
    print(
        f"{machine()}; {len(fractions)} simulations of {table.device.nunique()} packs, "
        f"{N_DAYS} days, "
        f"{len(judged)} judged samples each; {n_faults} faults, showing in "
        f"{np.mean(fractions):.1%} of the samples\n"
    )
    names = ["precision", "recall", "F1", "AUC-PR", "false positives", LATE]
    print(table_of(frame, names), "\n")
    print(table_of(frame, sorted(kinds), "recall, %"), "\n")
    seconds = frame.groupby("strategy").seconds.mean()
    update, retrain = seconds["Update"], seconds["Retrain"]
    print(
        f"training per night: update {1e3 * update:.0f} ms, retrain {retrain:.2f} s "
        f"(ratio {update / retrain:.1%})"
    )


if __name__ == "__main__":
    main()
