"""Exports of an energy-storage site: folders of CSV files, read and put on one grid per cluster.

A site has one folder per cluster ("cluster 1", "cluster 2", ...), each with the folders `voltage`,
`temperature` and `total state` of hourly exports by the battery-management system. The constants
of this module depend on the exporter.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.progress import ProgressBar
from secondlook.detect.peer_deviation import plant_state
from secondlook.series import TimeTable, align, read_csv

__all__ = ["KINDS", "UNITS", "Cluster", "Finding", "clock", "onto_one_grid", "read_site"]

# In the exports, times are in the first column, milliseconds in another, and readings are integers.
MILLISECOND_COLUMN = "MCGS_TIMEMS"
CURRENT_COLUMN, CURRENT_PER_A = "Current", 10  # suffix of its name; positive while discharging
UNITS = {"voltage": "mV", "temperature": "°C"}
PER_UNIT = {"voltage": 1, "temperature": 10}
KINDS = (*UNITS, "total state")

STEP = "30s"  # step of the slowest export; faster ones are averaged to it
LONGEST_GAP = "2min"  # interpolated linearly; longer gaps are reported
LONGEST_SPAN = np.timedelta64(31, "D")  # a longer span means a wrong clock
IDLE_UP_TO_A = 20.0

Readings = NDArray[np.float64]


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
    time: NDArray[np.datetime64]
    readings: dict[str, Readings]  # mV, °C; shape (n_instants, n_sensors)
    numbers: dict[str, list[int]]
    current: Readings  # A, positive while discharging
    state: NDArray[np.str_]
    bands: dict[str, Readings] = field(default_factory=dict)  # centre, half width per instant
    isolation: dict[str, Readings] = field(default_factory=dict)  # score; NaN where not compared
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_site(directory: str | os.PathLike[str]) -> dict[str, dict[str, TimeTable]]:
    """Read every cluster's exports, one table per kind.

    Malformed fields become missing readings; each table counts them.

    Raises
    ------
    ValueError
        If the folder is not that of a site, or a file cannot be read as an export.
    OSError
        If a file cannot be opened.
    """
    site = Path(directory)
    if not site.is_dir():
        raise ValueError(f"expected a folder, got '{site}'")
    folders = sorted((f for f in site.iterdir() if f.is_dir()), key=_natural_order)
    folders = [f for f in folders if any((f / kind).is_dir() for kind in KINDS)]
    if not folders:
        raise ValueError(
            f"expected folders of clusters in '{site}', each with the folders voltage, "
            "temperature and total state; found none"
        )
    clusters: dict[str, dict[str, TimeTable]] = {folder.name: {} for folder in folders}
    with ProgressBar("Reading") as progress:
        for n_read, (folder, kind) in enumerate((f, kind) for f in folders for kind in KINDS):
            progress(n_read, len(KINDS) * len(folders), f"{folder.name}, {kind}")
            clusters[folder.name][kind] = _read_export(folder / kind)
    return clusters


def _read_export(folder: Path) -> TimeTable:
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise ValueError(f"expected CSV files in '{folder}', found none")
    table = read_csv(files, millisecond_column=MILLISECOND_COLUMN, strict=False)
    if len(table) == 0:
        raise ValueError(f"expected readings in '{folder}', got none")
    return table


def _natural_order(path: Path) -> list[tuple[int, str]]:
    """Sort cluster 2 before cluster 10."""
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def onto_one_grid(name: str, tables: dict[str, TimeTable]) -> Cluster:
    """Resample the exports of a cluster to one grid; fill short gaps and note long ones.

    Raises
    ------
    ValueError
        If the exports span too short or too long a time, or lack the columns of a site.
    """
    first = min(table.time[0] for table in tables.values())
    last = max(table.time[-1] for table in tables.values())
    if last - first > LONGEST_SPAN:
        raise ValueError(
            f"{name}: expected at most {LONGEST_SPAN}, got {clock(first, 0)} to {clock(last, 0)}"
        )
    aligned = dict(zip(tables, align(list(tables.values()), STEP, span="whole"), strict=True))
    aligned = {kind: table.interpolate(LONGEST_GAP) for kind, table in aligned.items()}
    states = aligned["total state"]
    if len(states) < 2:
        raise ValueError(f"{name}: expected readings over at least two steps of {STEP}, got one")
    current = states[_current_column(name, states)] / CURRENT_PER_A
    cluster = Cluster(
        name,
        states.time,
        {kind: aligned[kind].values / PER_UNIT[kind] for kind in UNITS},
        {kind: _sensor_numbers(name, kind, aligned[kind]) for kind in UNITS},
        current,
        plant_state(current, IDLE_UP_TO_A),
    )
    for kind, table in tables.items():
        cluster.notes += [f"{kind}: {note}" for note in _notes(table, aligned[kind])]
    return cluster


def _current_column(name: str, states: TimeTable) -> str:
    found = [column for column in states.columns if column.endswith(CURRENT_COLUMN)]
    if len(found) != 1:
        raise ValueError(
            f"{name}, total state: expected one column ...{CURRENT_COLUMN}, got {found}"
        )
    return found[0]


def _sensor_numbers(name: str, kind: str, table: TimeTable) -> list[int]:
    """Take the last number in each column's name."""
    numbers = [re.findall(r"\d+", column) for column in table.columns]
    if len(numbers) < 3 or not all(numbers):
        raise ValueError(
            f"{name}, {kind}: expected three numbered columns or more, got {table.columns}"
        )
    return [int(found[-1]) for found in numbers]


def _notes(table: TimeTable, aligned: TimeTable) -> Iterator[str]:
    """Describe what is missing or wrong in an export."""
    yield from _gaps(aligned)
    yield from _silences(aligned)
    if table.n_problems:
        file, line, column, message = table.problems[0]
        yield (
            f"{table.n_problems} malformed fields are taken as missing, "
            f"first '{file}', line {line}, field {column}: {message}"
        )
    if table.n_repeated_times:
        yield f"{table.n_repeated_times} repeated time stamps, the later line counts"
    if table.n_spread_times:
        yield f"{table.n_spread_times} times without seconds, spread over their minute"


def _gaps(table: TimeTable) -> list[str]:
    """List the spans in which no sensor has a reading."""
    missing = np.isnan(table.values).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]])))
    step = table.time[1] - table.time[0]
    return [
        f"no readings from {clock(table.time[begin])} to {clock(table.time[end - 1] + step)}"
        for begin, end in edges.reshape(-1, 2)
    ]


def _silences(table: TimeTable) -> list[str]:
    """List the sensors that had no readings for a while, although others had."""
    missing = np.isnan(table.values)
    alone = (missing & ~missing.all(axis=1, keepdims=True)).sum(axis=0)
    minutes = alone * ((table.time[1] - table.time[0]) / np.timedelta64(1, "m"))
    return [
        f"{table.columns[i]} has no readings for {minutes[i]:g} min while others do"
        for i in np.flatnonzero((alone > 0) & ~missing.all(axis=0))
    ]


def clock(instant: np.datetime64, begin: int = 5) -> str:
    """Return an instant to the minute, from the character `begin`: by default without the year."""
    return str(instant.astype("datetime64[m]"))[begin:].replace("T", " ")
