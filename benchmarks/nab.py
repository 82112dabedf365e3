"""NAB: the surprise stream on the benchmark's series, compared with the published detectors.

    python benchmarks/nab.py [--results DIR]

With --results, DIR gets NAB's result files in a folder named secondlook; nab_scoring.py and NAB's
own scorer read them. The detector is only told the number of samples per day.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
from _rounds import machine
from nab_scoring import Profile, Scores, Series, read_corpus, read_profiles, sweep, write_results

import secondlook as sl

DATA = Path(os.environ.get("SECONDLOOK_DATA", Path(__file__).parents[2] / "shared/data")) / "nab"
PRESET = 0.5  # a surprise of 1, whatever the profile
DAY_S = 86400
# Computed by NAB's own scorer from NAB's result files, on the 35 series of the four categories that
# were used for development; the threshold is optimised on them.
RIVALS = {
    "ARTime": 67.9,
    "Numenta HTM": 66.6,
    "CAD OSE": 62.2,
    "kNN-CAD": 53.0,
    "relative entropy": 50.0,
    "random cut forest": 49.5,
    "windowed Gaussian": 22.0,
}


def judge(corpus: Iterable[Series], times_season: float = 1.0) -> dict[str, Scores]:
    """Return each series' scores, with a season of a multiple of a day."""
    scores = {}
    for one in corpus:
        stream = sl.SurpriseStream(season=round(times_season * samples_a_day(one)))
        scores[one.name] = stream.push_many(one.values).score
    return scores


def samples_a_day(series: Series) -> int:
    """Return the number of samples per day, from the median step of the time stamps."""
    times = np.array([datetime.fromisoformat(stamp).timestamp() for stamp in series.timestamps])
    return max(2, round(DAY_S / float(np.median(np.diff(times)))))


def alarms_of(series: Series, score: Scores) -> tuple[int, int]:
    """Return the windows found and the false alarms after probation, at the preset threshold."""
    is_alarm = score >= PRESET
    is_alarm[: series.probation] = False
    n_found = sum(is_alarm[first : last + 1].any() for first, last in series.windows)
    return int(n_found), int(np.count_nonzero(is_alarm & (series.label == 0)))


def print_profiles(
    corpus: Iterable[Series], scores: Mapping[str, Scores], profiles: Mapping[str, Profile]
) -> None:
    """Print the scores of all profiles, and the standard scores of the published detectors."""
    print("\n| | " + " | ".join(profiles) + " |\n" + "|---" * (1 + len(profiles)) + "|")
    swept = [sweep(corpus, scores, profile) for profile in profiles.values()]
    print(f"| secondlook, preset {PRESET} | " + row(one.at(PRESET) for one in swept))
    print("| secondlook, threshold optimised | " + row(one.best()[0] for one in swept))
    for name, times_season in {"no season": 0.0, "season 30 % too long": 1.3}.items():
        wrong = judge(corpus, times_season)
        print(f"| secondlook, preset {PRESET}, {name} | ", end="")
        print(row(sweep(corpus, wrong, profile).at(PRESET) for profile in profiles.values()))
    for name, score in RIVALS.items():
        print(f"| {name}, threshold optimised | {score:.1f} |" + " |" * (len(profiles) - 1))


def print_categories(
    corpus: Iterable[Series], scores: Mapping[str, Scores], profiles: Mapping[str, Profile]
) -> None:
    """Print the windows found and the false alarms per category, at the preset threshold."""
    categories: dict[str, list[Series]] = {}
    for one in corpus:
        categories.setdefault(one.name.partition("/")[0], []).append(one)
    print("\n| category | files | windows | found | false alarms | per 1,000 rows |", end=" ")
    print(" | ".join(profiles) + " |\n" + "|---" * (6 + len(profiles)) + "|")
    for name, files in categories.items():
        n_windows = sum(len(one.windows) for one in files)
        n_rows = sum(len(one.values) - one.probation for one in files)
        found, false_alarms = np.sum([alarms_of(one, scores[one.name]) for one in files], axis=0)
        print(f"| {name} | {len(files)} | {n_windows} | {found} | {false_alarms} |", end=" ")
        print(f"{1000 * false_alarms / n_rows:.2f} |", end=" ")
        if n_windows:
            print(row(sweep(files, scores, one).at(PRESET) for one in profiles.values()))
        else:
            print("– | " * (len(profiles) - 1) + "– |")


def print_false_alarms() -> None:
    """Print how often the stream alarms on series without anomalies."""
    random = np.random.default_rng(0)
    n, day, n_streams = 6000, 288, 10
    wave = np.sin(2 * np.pi * np.arange(n) / day)

    def recursive(fraction: float, steps: Scores) -> Scores:
        values = np.zeros(n)
        for i in range(1, n):
            values[i] = fraction * values[i - 1] + steps[i]
        return values

    quiet: dict[str, Callable[[], Scores]] = {
        "uniform": lambda: random.random(n),
        "white noise": lambda: random.normal(size=n),
        "daily wave and noise": lambda: 10 * wave + random.normal(size=n),
        "daily counts (Poisson)": lambda: random.poisson(20 * np.exp(wave)).astype(float),
        "AR(0.95)": lambda: recursive(0.95, random.normal(size=n)),
        "random walk": lambda: np.cumsum(random.normal(size=n)),
        "lognormal(1.5)": lambda: random.lognormal(0, 1.5, n),
        "AR(0.9) of lognormal(1.2)": lambda: recursive(0.9, random.lognormal(0, 1.2, n)),
        "Pareto(2)": lambda: random.pareto(2, n),
        "noise with rare spikes": lambda: (
            np.where(random.random(n) < 0.005, random.uniform(5, 10, n), 0)
            + random.normal(0, 0.1, n)
        ),
    }
    print("\n| alarms in 1,000 rows without anomalies | threshold 1 | threshold 1.3 |")
    print("|---|---|---|")
    for name, make in quiet.items():
        streams = [make() for _ in range(n_streams)]
        rates = []
        for threshold in (1.0, 1.3):
            alarms = [
                sl.SurpriseStream(season=day, threshold=threshold).push_many(x).alarm
                for x in streams
            ]
            rates.append(1000 * np.mean([one[750:] for one in alarms]))
        print(f"| {name} | " + " | ".join(f"{rate:.2f}" for rate in rates) + " |")


def row(values: Iterable[float]) -> str:
    return " | ".join(f"{value:.1f}" for value in values) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, help="folder for NAB's result files")
    arguments = parser.parse_args()
    if not DATA.is_dir():
        print(f"skipped: {DATA} does not exist (set SECONDLOOK_DATA)")
        return

    corpus, profiles = read_corpus(DATA), read_profiles(DATA)
    start = time.perf_counter()
    scores = judge(corpus)
    seconds = time.perf_counter() - start
    if arguments.results:
        write_results(arguments.results / "secondlook", corpus, scores)

    n_rows = sum(len(one.values) for one in corpus)
    n_windows = sum(len(one.windows) for one in corpus)
    print(f"{machine()}; {len(corpus)} files, {n_windows} windows, {n_rows} rows")
    print(f"{seconds / n_rows * 1e6:.1f} µs per row, one thread")
    print_profiles(corpus, scores, profiles)
    print_categories(corpus, scores, profiles)
    print_false_alarms()


if __name__ == "__main__":
    main()
