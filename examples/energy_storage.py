"""Check an energy-storage site at commissioning: name the sensors that a person should look at.

    python examples/energy_storage.py [DIR] [--report FILE]

DIR contains one folder for each cluster ("cluster 1", "cluster 2", ...), each with the folders
`voltage`, `temperature` and `total state` of hourly exports by the battery-management system.
Without DIR, a site is simulated, and the result is compared with the injected faults.
"""

import argparse
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np

import secondlook as sl

# In the exports, times are in the first column, milliseconds in another, and readings are integers.
MILLISECOND_COLUMN = "MCGS_TIMEMS"
CURRENT_COLUMN, CURRENT_PER_A = "Current", 10  # suffix of its name; positive while discharging
UNITS = {"voltage": "mV", "temperature": "°C"}
PER_UNIT = {"voltage": 1, "temperature": 10}

STEP = "30s"  # step of the slowest export; faster ones are averaged to it
LONGEST_GAP = "2min"  # interpolated linearly; longer gaps are reported
LONGEST_SPAN = np.timedelta64(31, "D")  # a longer span means a wrong clock
IDLE_UP_TO_A = 20.0
# The voltage of a weak cell drops under load, so only low readings count. The limit is that of the
# published check of this data: three standard deviations, but at least the sensor's 5 mV.
VOLTAGE_CHECK = sl.PeerDeviation(3.0, floor=5.0, side="low", while_state="discharging")
TEMPERATURE_CHECK = sl.PeerDeviation(bound=10.0)  # °C
# Isolation forest score (0 to 1) from which a sensor behaves unlike all others; 0.5 is usual.
# Chosen only on simulated sites, see docs/energy_storage.md.
UNLIKE_OTHERS = 0.75
FEWEST_TO_COMPARE = 20


@dataclass
class Finding:
    """A sensor to look at, and why."""

    cluster: str
    kind: str
    number: int
    reason: str
    weight: float
    column: int
    worst: int | None = None  # most informative instant, if there is one

    @property
    def name(self) -> str:
        """Name of the sensor, such as ``voltage 052``."""
        return f"{self.kind} {self.number:03d}"


@dataclass
class Cluster:
    """Exports of a cluster on one grid, with the findings in them."""

    name: str
    time: np.ndarray
    readings: dict[str, np.ndarray]  # mV, °C; shape (n_instants, n_sensors)
    numbers: dict[str, list[int]]
    current: np.ndarray  # A, positive while discharging
    state: np.ndarray
    bands: dict[str, np.ndarray] = field(default_factory=dict)  # centre, half width per instant
    isolation: dict[str, np.ndarray] = field(default_factory=dict)  # score; NaN where not compared
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def main() -> int:
    arguments = parse_arguments()
    started = time.perf_counter()
    faults = None
    if arguments.directory is None:
        from simulated_site import simulate_site

        print("No folder given: this is a SIMULATED site with injected faults.")
        exports, faults = simulate_site()
    else:
        exports = read_site(arguments.directory)
    clusters = [examine(name, tables) for name, tables in exports.items()]
    print_table(clusters)
    write_report(arguments.report, clusters, simulated=faults is not None)
    print(f"\nReport with plots: {arguments.report}")
    print(f"Done in {time.perf_counter() - started:.1f} s.")
    return 0 if faults is None else check_against(faults, clusters)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, metavar="DIR", help="the site's folder")
    parser.add_argument("--report", type=Path, default=Path("report.html"), metavar="FILE")
    return parser.parse_args()


def stop(message: str) -> NoReturn:
    sys.exit(f"energy_storage: {message}")


# --- reading


def read_site(directory: Path) -> dict[str, dict[str, sl.TimeTable]]:
    """Read every cluster's exports."""
    if not directory.is_dir():
        stop(f"expected a folder, got '{directory}'")
    folders = sorted((f for f in directory.iterdir() if f.is_dir()), key=natural_order)
    folders = [f for f in folders if any((f / kind).is_dir() for kind in (*UNITS, "total state"))]
    if not folders:
        stop(
            f"expected folders of clusters in '{directory}', each with the folders voltage, "
            "temperature and total state; found none"
        )
    return {folder.name: read_cluster(folder) for folder in folders}


def read_cluster(folder: Path) -> dict[str, sl.TimeTable]:
    """Read the exports of a cluster; malformed fields become missing readings and are reported."""
    tables = {}
    for kind in (*UNITS, "total state"):
        files = sorted((folder / kind).glob("*.csv"))
        if not files:
            stop(f"expected CSV files in '{folder / kind}', found none")
        print(f"reading {folder.name}, {kind}: {len(files)} files", flush=True)
        try:
            table = sl.read_csv(files, millisecond_column=MILLISECOND_COLUMN, strict=False)
        except (ValueError, OSError) as error:
            stop(str(error))
        if len(table) == 0:
            stop(f"expected readings in '{folder / kind}', got none")
        tables[kind] = table
    return tables


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Sort cluster 2 before cluster 10."""
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def onto_one_grid(name: str, tables: dict[str, sl.TimeTable]) -> Cluster:
    """Resample the exports of a cluster to one grid; fill short gaps and note long ones."""
    first = min(table.time[0] for table in tables.values())
    last = max(table.time[-1] for table in tables.values())
    if last - first > LONGEST_SPAN:
        stop(f"{name}: expected at most {LONGEST_SPAN}, got {clock(first, 0)} to {clock(last, 0)}")
    aligned = dict(zip(tables, sl.align(list(tables.values()), STEP, span="whole"), strict=True))
    aligned = {kind: table.interpolate(LONGEST_GAP) for kind, table in aligned.items()}
    states = aligned["total state"]
    if len(states) < 2:
        stop(f"{name}: expected readings over at least two steps of {STEP}, got one")
    current = states[current_column(name, states)] / CURRENT_PER_A
    cluster = Cluster(
        name,
        states.time,
        {kind: aligned[kind].values / PER_UNIT[kind] for kind in UNITS},
        {kind: sensor_numbers(name, kind, aligned[kind]) for kind in UNITS},
        current,
        sl.plant_state(current, IDLE_UP_TO_A),
    )
    for kind, table in tables.items():
        cluster.notes += [f"{kind}: {note}" for note in notes(table, aligned[kind])]
    return cluster


def current_column(name: str, states: sl.TimeTable) -> str:
    found = [column for column in states.columns if column.endswith(CURRENT_COLUMN)]
    if len(found) != 1:
        stop(f"{name}, total state: expected one column ...{CURRENT_COLUMN}, got {found}")
    return found[0]


def sensor_numbers(name: str, kind: str, table: sl.TimeTable) -> list[int]:
    """Take the last number in each column's name."""
    numbers = [re.findall(r"\d+", column) for column in table.columns]
    if len(numbers) < 3 or not all(numbers):
        stop(f"{name}, {kind}: expected three numbered columns or more, got {table.columns}")
    return [int(found[-1]) for found in numbers]


def notes(table: sl.TimeTable, aligned: sl.TimeTable) -> list[str]:
    """Describe what is missing or wrong in an export."""
    found = gaps(aligned) + silences(aligned)
    if table.n_problems:
        file, line, column, message = table.problems[0]
        found.append(
            f"{table.n_problems} malformed fields are taken as missing, "
            f"first '{file}', line {line}, field {column}: {message}"
        )
    if table.n_repeated_times:
        found.append(f"{table.n_repeated_times} repeated time stamps, the later line counts")
    if table.n_spread_times:
        found.append(f"{table.n_spread_times} times without seconds, spread over their minute")
    return found


def gaps(table: sl.TimeTable) -> list[str]:
    """List the spans in which no sensor has a reading."""
    missing = np.isnan(table.values).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]])))
    step = table.time[1] - table.time[0]
    return [
        f"no readings from {clock(table.time[begin])} to {clock(table.time[end - 1] + step)}"
        for begin, end in edges.reshape(-1, 2)
    ]


def silences(table: sl.TimeTable) -> list[str]:
    """List the sensors that had no readings for a while, although others had."""
    missing = np.isnan(table.values)
    alone = (missing & ~missing.all(axis=1, keepdims=True)).sum(axis=0)
    minutes = alone * ((table.time[1] - table.time[0]) / np.timedelta64(1, "m"))
    return [
        f"{table.columns[i]} has no readings for {minutes[i]:g} min while others do"
        for i in np.flatnonzero((alone > 0) & ~missing.all(axis=0))
    ]


def clock(instant: np.datetime64, begin: int = 5) -> str:
    return str(instant.astype("datetime64[m]"))[begin:].replace("T", " ")


# --- examining


def examine(name: str, tables: dict[str, sl.TimeTable]) -> Cluster:
    """Find the sensors of a cluster that a person should look at."""
    cluster = onto_one_grid(name, tables)
    print(f"examining {name}: {len(cluster.time)} instants", flush=True)
    for kind, check in (("voltage", VOLTAGE_CHECK), ("temperature", TEMPERATURE_CHECK)):
        known = compare_with_peers(cluster, kind, check)
        compare_behaviour(cluster, kind, known)
    cluster.findings.sort(key=lambda finding: -finding.weight)
    return cluster


def compare_with_peers(cluster: Cluster, kind: str, check: sl.PeerDeviation) -> set[int]:
    """Add the sensors that leave the band of their peers, and dead ones; return both."""
    readings = cluster.readings[kind]
    verdicts = check.judge(readings, cluster.state)
    cluster.bands[kind] = check.bands(readings)
    minutes = verdicts.n_beyond * ((cluster.time[1] - cluster.time[0]) / np.timedelta64(1, "m"))
    for i in verdicts.deviating:
        deviation = verdicts.worst_deviation[i]
        reason = (
            f"{abs(deviation):.0f} {UNITS[kind]} {'below' if deviation < 0 else 'above'} its peers "
            f"({sigmas(verdicts.worst_sigma[i])}) "
            f"at {clock(cluster.time[verdicts.worst[i]])} while {verdicts.state[i]}; "
            f"outside the band for {minutes[i]:g} min, "
            f"first at {clock(cluster.time[verdicts.first[i]])}"
        )
        weight = minutes[i] * verdicts.worst_ratio[i] + 1
        add(cluster, kind, int(i), reason, weight, int(verdicts.worst[i]))
    dead = np.flatnonzero(np.isnan(readings).all(axis=0))
    for i in dead:
        add(cluster, kind, int(i), "no reading at all: dead sensor or broken line", 1e6)
    return set(verdicts.deviating) | set(dead)


def sigmas(deviation: float) -> str:
    # Peers with almost equal readings have hardly any spread.
    return f"{abs(deviation):.1f} sigma" if abs(deviation) < 100 else "over 100 sigma"


def compare_behaviour(cluster: Cluster, kind: str, known: set[int]) -> None:
    """Add the sensors whose day differs from that of all others, which limits cannot find."""
    names, features = describe(cluster, kind)
    cluster.isolation[kind] = np.full(len(features), np.nan)
    compared = ~np.isnan(features).any(axis=1)
    compared[list(known)] = False
    if compared.sum() < FEWEST_TO_COMPARE:
        cluster.notes.append(f"{kind}: too few sensors with readings to compare their behaviour")
        return
    centre = np.median(features[compared], axis=0)
    spread = np.median(np.abs(features[compared] - centre), axis=0) * 1.4826 + 1e-9
    # Random splits cover the range of the data; on this scale an extreme sensor does not hide
    # others.
    scaled = np.arcsinh((features - centre) / spread)
    forest = sl.IsolationForest(200, random_state=0).fit(scaled[compared])
    cluster.isolation[kind][compared] = forest.anomaly_score(scaled[compared])
    for i in np.flatnonzero(cluster.isolation[kind] >= UNLIKE_OTHERS):
        contributions = forest.feature_contributions(scaled[i : i + 1])[0]
        told = " and ".join(
            f"{names[k]} {features[i, k]:.3g} (usual {centre[k]:.3g} ± {spread[k]:.2g})"
            for k in np.argsort(-contributions)[:2]
        )
        score = cluster.isolation[kind][i]
        reason = f"behaves unlike the others (isolation score {score:.2f}): {told}"
        add(cluster, kind, int(i), reason, score)


def describe(cluster: Cluster, kind: str) -> tuple[list[str], np.ndarray]:
    """Describe each sensor's day by a few numbers, of shape (n_sensors, n_features)."""
    unit = UNITS[kind]
    values = cluster.readings[kind]
    present = ~np.isnan(values).all(axis=1)
    values, state, current = values[present], cluster.state[present], cluster.current[present]
    deviation = values - np.nanmedian(values, axis=1, keepdims=True)
    names, columns = [], []

    def feature(name: str, column: np.ndarray) -> None:
        names.append(name)
        columns.append(column)

    for when in ("charging", "discharging", "idle"):
        if (state == when).sum() >= 10:
            feature(f"mean deviation while {when} ({unit})", mean(deviation[state == when]))
    rest = np.flatnonzero(state == "idle")
    if len(rest) >= 20:  # in the same state, early and late readings should agree
        early, late = np.array_split(deviation[rest], 2)
        feature(f"drift from rest to rest ({unit})", mean(late) - mean(early))
    early, late = np.array_split(deviation, 2)
    feature(f"drift over the day ({unit})", mean(late) - mean(early))
    feature("fraction of unchanged readings", mean(np.diff(values, axis=0) == 0))
    feature(f"jitter ({unit})", np.sqrt(mean(np.diff(deviation, axis=0) ** 2)))
    load = np.nan_to_num(current - mean(current))
    if (load**2).sum() > 0:
        against_load = np.nansum(load[:, None] * deviation, axis=0) / (load**2).sum()
        feature(f"deviation per current ({unit}/A)", against_load)
    return names, np.column_stack(columns)


def mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the present readings of each sensor; NaN if it has none."""
    count = (~np.isnan(values)).sum(axis=0)
    return np.where(count > 0, np.nansum(values, axis=0) / np.maximum(count, 1), np.nan)


def add(
    cluster: Cluster, kind: str, column: int, reason: str, weight: float, worst: int | None = None
) -> None:
    number = cluster.numbers[kind][column]
    cluster.findings.append(Finding(cluster.name, kind, number, reason, weight, column, worst))


# --- reporting


def ranked(clusters: list[Cluster]) -> list[Finding]:
    findings = [finding for cluster in clusters for finding in cluster.findings]
    return sorted(findings, key=lambda finding: -finding.weight)


def print_table(clusters: list[Cluster]) -> None:
    findings = ranked(clusters)
    n_sensors = sum(len(numbers) for cluster in clusters for numbers in cluster.numbers.values())
    print(f"\n{len(findings)} of {n_sensors} sensors to look at, the most urgent first:\n")
    for rank, finding in enumerate(findings, start=1):
        print(f"{rank:3d}  {finding.cluster:<10s} {finding.name:<16s} {finding.reason}")
    for cluster in clusters:
        for note in cluster.notes:
            print(f"note: {cluster.name}, {note}")


def write_report(path: Path, clusters: list[Cluster], simulated: bool) -> None:
    from site_report import render

    try:
        path.write_text(render(clusters, ranked(clusters), simulated), "utf-8")
    except OSError as error:
        stop(f"cannot write the report: {error}")


def check_against(faults: list, clusters: list[Cluster]) -> int:
    """Compare the findings with the injected faults."""
    found = {(f.cluster, f.kind, f.number) for f in ranked(clusters)}
    injected = {(f.cluster, f.kind, f.number): f.what for f in faults}
    missed = [
        f"{' '.join(map(str, key))}: {what}" for key, what in injected.items() if key not in found
    ]
    false = [" ".join(map(str, key)) for key in sorted(found - injected.keys())]
    print(
        f"\nOf {len(injected)} injected faults {len(injected) - len(missed)} were found, "
        f"{len(missed)} missed; {len(false)} sensors without a fault were named."
    )
    for line in missed:
        print(f"  missed: {line}")
    for line in false:
        print(f"  named without a fault: {line}")
    return 1 if missed or false else 0


if __name__ == "__main__":
    sys.exit(main())
