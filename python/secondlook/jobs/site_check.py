"""Check of an energy-storage site at commissioning: names the sensors to look at."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.plain_values import plain
from secondlook._shared.progress import ProgressBar
from secondlook._shared.written_results import WrittenAsPage
from secondlook.detect.isolation_forest import IsolationForest
from secondlook.detect.peer_deviation import PeerDeviation
from secondlook.jobs.simulated_site import Fault, simulate_site
from secondlook.jobs.site_exports import UNITS, Cluster, Finding, clock, onto_one_grid, read_site
from secondlook.jobs.site_report import render
from secondlook.series import TimeTable

__all__ = ["UNLIKE_OTHERS", "SiteCheck", "check_simulated_site", "check_site", "examine"]

# The voltage of a weak cell drops under load, so only low readings count. The limit is that of the
# published check of this data: three standard deviations, but at least the sensor's 5 mV.
VOLTAGE_CHECK = PeerDeviation(3.0, floor=5.0, side="low", while_state="discharging")
TEMPERATURE_CHECK = PeerDeviation(bound=10.0)  # °C
# Isolation forest score (0 to 1) from which a sensor behaves unlike all others; 0.5 is usual.
# Chosen only on simulated sites, see docs/energy_storage.md.
UNLIKE_OTHERS = 0.75
FEWEST_TO_COMPARE = 20


@dataclass
class SiteCheck(WrittenAsPage):
    """Result of a check: the clusters, and the sensors to look at.

    ``str`` formats the findings as a table.

    Attributes
    ----------
    clusters : list of Cluster
    faults : list of Fault or None
        The injected faults if the site is simulated, otherwise None.
    findings : list of Finding
        Of all clusters, the most urgent first.
    """

    clusters: list[Cluster]
    faults: list[Fault] | None = None
    findings: list[Finding] = field(init=False)

    def __post_init__(self) -> None:
        found = [finding for cluster in self.clusters for finding in cluster.findings]
        self.findings = sorted(found, key=lambda finding: -finding.weight)

    @property
    def n_sensors(self) -> int:
        """Number of sensors of the site."""
        return sum(len(numbers) for c in self.clusters for numbers in c.numbers.values())

    @property
    def missed(self) -> list[Fault]:
        """Injected faults that were not found."""
        named = {(f.cluster, f.kind, f.number) for f in self.findings}
        return [f for f in self.faults or () if (f.cluster, f.kind, f.number) not in named]

    @property
    def false_alarms(self) -> list[Finding]:
        """Findings without a fault, in a simulated site."""
        faulty = {(f.cluster, f.kind, f.number) for f in self.faults or ()}
        if self.faults is None:
            return []
        return [f for f in self.findings if (f.cluster, f.kind, f.number) not in faulty]

    def __str__(self) -> str:
        lines = [
            f"{len(self.findings)} of {self.n_sensors} sensors to look at, the most urgent first:",
            "",
        ]
        for rank, finding in enumerate(self.findings, start=1):
            lines.append(f"{rank:3d}  {finding.cluster:<10s} {finding.name:<16s} {finding.reason}")
        for cluster in self.clusters:
            lines += [f"note: {cluster.name}, {note}" for note in cluster.notes]
        if self.faults is not None:
            lines += ["", *self._against_the_faults()]
        return "\n".join(lines)

    def _against_the_faults(self) -> list[str]:
        """Compare the findings with the injected faults."""
        n_faults = len(self.faults or ())
        return [
            f"Of {n_faults} injected faults {n_faults - len(self.missed)} were found, "
            f"{len(self.missed)} missed; {len(self.false_alarms)} sensors without a fault "
            "were named.",
            *(f"  missed: {f.cluster} {f.kind} {f.number}: {f.what}" for f in self.missed),
            *(f"  named without a fault: {f.cluster} {f.name}" for f in self.false_alarms),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        document: dict[str, Any] = {
            "simulated": self.faults is not None,
            "n_sensors": self.n_sensors,
            "clusters": [
                {
                    "name": cluster.name,
                    "begin": cluster.time[0],
                    "end": cluster.time[-1],
                    "notes": cluster.notes,
                }
                for cluster in self.clusters
            ],
            "findings": [
                {
                    "cluster": finding.cluster,
                    "sensor": finding.name,
                    "kind": finding.kind,
                    "number": finding.number,
                    "reason": finding.reason,
                    "weight": finding.weight,
                }
                for finding in self.findings
            ],
        }
        if self.faults is not None:
            document["faults"] = self.faults
            document["missed"] = self.missed
        result: dict[str, Any] = plain(document)
        return result

    def _page(self) -> str:
        return render(self.clusters, self.findings, simulated=self.faults is not None)


def check_site(directory: str | os.PathLike[str]) -> SiteCheck:
    """Check a site: read its exports, and find the sensors that a person should look at.

    Parameters
    ----------
    directory : str or os.PathLike
        The site's folder, with a folder per cluster; see `secondlook.jobs.site_exports`.

    Returns
    -------
    SiteCheck

    Raises
    ------
    ValueError
        If the folder is not that of a site, or its exports cannot be read.
    OSError
        If a file cannot be opened.
    """
    return _check(read_site(directory), None)


def check_simulated_site(seed: int = 0) -> SiteCheck:
    """Check a simulated site of two clusters, and compare the result with its injected faults.

    Parameters
    ----------
    seed : int, default=0
        Seed of the simulation.

    Returns
    -------
    SiteCheck

    Examples
    --------
    >>> from secondlook.jobs import check_simulated_site
    >>> check = check_simulated_site()
    >>> len(check.findings), len(check.missed), len(check.false_alarms)
    (12, 0, 0)
    """
    return _check(*simulate_site(seed))


def _check(exports: Mapping[str, dict[str, TimeTable]], faults: list[Fault] | None) -> SiteCheck:
    clusters: list[Cluster] = []
    with ProgressBar("Examining") as progress:
        for name, tables in exports.items():
            progress(len(clusters), len(exports), name)
            clusters.append(examine(name, tables))
    return SiteCheck(clusters, faults)


def examine(name: str, tables: dict[str, TimeTable]) -> Cluster:
    """Find the sensors of a cluster that a person should look at.

    Parameters
    ----------
    name : str
    tables : dict of str to TimeTable
        The exports "voltage", "temperature" and "total state".

    Returns
    -------
    Cluster
    """
    cluster = onto_one_grid(name, tables)
    for kind, check in (("voltage", VOLTAGE_CHECK), ("temperature", TEMPERATURE_CHECK)):
        known = _compare_with_peers(cluster, kind, check)
        _compare_behaviour(cluster, kind, known)
    cluster.findings.sort(key=lambda finding: -finding.weight)
    return cluster


def _compare_with_peers(cluster: Cluster, kind: str, check: PeerDeviation) -> set[int]:
    """Add the sensors that leave the band of their peers, and dead ones; return both."""
    readings = cluster.readings[kind]
    verdicts = check.judge(readings, cluster.state)
    cluster.bands[kind] = check.bands(readings)
    minutes = verdicts.n_beyond * ((cluster.time[1] - cluster.time[0]) / np.timedelta64(1, "m"))
    state = verdicts.state
    assert state is not None  # as the states were given
    for i in verdicts.deviating:
        deviation = verdicts.worst_deviation[i]
        reason = (
            f"{abs(deviation):.0f} {UNITS[kind]} {'below' if deviation < 0 else 'above'} its peers "
            f"({_sigmas(verdicts.worst_sigma[i])}) "
            f"at {clock(cluster.time[verdicts.worst[i]])} while {state[i]}; "
            f"outside the band for {minutes[i]:g} min, "
            f"first at {clock(cluster.time[verdicts.first[i]])}"
        )
        weight = minutes[i] * verdicts.worst_ratio[i] + 1
        _add(cluster, kind, int(i), reason, weight, int(verdicts.worst[i]))
    dead = np.flatnonzero(np.isnan(readings).all(axis=0))
    for i in dead:
        _add(cluster, kind, int(i), "no reading at all: dead sensor or broken line", 1e6)
    return set(verdicts.deviating) | set(dead)


def _sigmas(deviation: float) -> str:
    # Peers with almost equal readings have hardly any spread.
    return f"{abs(deviation):.1f} sigma" if abs(deviation) < 100 else "over 100 sigma"


def _compare_behaviour(cluster: Cluster, kind: str, known: set[int]) -> None:
    """Add the sensors whose day differs from that of all others, which limits cannot find."""
    names, features = _describe(cluster, kind)
    cluster.isolation[kind] = np.full(len(features), np.nan)
    compared = np.logical_not(np.isnan(features).any(axis=1))
    compared[list(known)] = False
    if compared.sum() < FEWEST_TO_COMPARE:
        cluster.notes.append(f"{kind}: too few sensors with readings to compare their behaviour")
        return
    centre = np.median(features[compared], axis=0)
    spread = np.median(np.abs(features[compared] - centre), axis=0) * 1.4826 + 1e-9
    # Random splits cover the range of the data; on this scale an extreme sensor does not hide
    # others.
    scaled = np.arcsinh((features - centre) / spread)
    forest = IsolationForest(200, random_state=0).fit(scaled[compared])
    cluster.isolation[kind][compared] = forest.anomaly_score(scaled[compared])
    for i in np.flatnonzero(cluster.isolation[kind] >= UNLIKE_OTHERS):
        contributions = forest.feature_contributions(scaled[i : i + 1])[0]
        told = " and ".join(
            f"{names[k]} {features[i, k]:.3g} (usual {centre[k]:.3g} ± {spread[k]:.2g})"
            for k in np.argsort(-contributions)[:2]
        )
        score = cluster.isolation[kind][i]
        reason = f"behaves unlike the others (isolation score {score:.2f}): {told}"
        _add(cluster, kind, int(i), reason, score)


def _describe(cluster: Cluster, kind: str) -> tuple[list[str], NDArray[np.float64]]:
    """Describe each sensor's day by a few numbers, of shape (n_sensors, n_features)."""
    unit = UNITS[kind]
    values = cluster.readings[kind]
    present = ~np.isnan(values).all(axis=1)
    values, state, current = values[present], cluster.state[present], cluster.current[present]
    deviation = values - np.nanmedian(values, axis=1, keepdims=True)
    names, columns = [], []

    def feature(name: str, column: NDArray[np.float64]) -> None:
        names.append(name)
        columns.append(column)

    for when in ("charging", "discharging", "idle"):
        if (state == when).sum() >= 10:
            feature(f"mean deviation while {when} ({unit})", _mean(deviation[state == when]))
    rest = np.flatnonzero(state == "idle")
    if len(rest) >= 20:  # in the same state, early and late readings should agree
        early, late = np.array_split(deviation[rest], 2)
        feature(f"drift from rest to rest ({unit})", _mean(late) - _mean(early))
    early, late = np.array_split(deviation, 2)
    feature(f"drift over the day ({unit})", _mean(late) - _mean(early))
    feature("fraction of unchanged readings", _mean(np.diff(values, axis=0) == 0))
    feature(f"jitter ({unit})", np.sqrt(_mean(np.diff(deviation, axis=0) ** 2)))
    load = np.nan_to_num(current - _mean(current))
    if (load**2).sum() > 0:
        against_load = np.nansum(load[:, None] * deviation, axis=0) / (load**2).sum()
        feature(f"deviation per current ({unit}/A)", against_load)
    return names, np.column_stack(columns)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the present readings of each sensor; NaN if it has none."""
    count = (~np.isnan(values)).sum(axis=0)
    return np.where(count > 0, np.nansum(values, axis=0) / np.maximum(count, 1), np.nan)


def _add(
    cluster: Cluster, kind: str, column: int, reason: str, weight: float, worst: int | None = None
) -> None:
    number = cluster.numbers[kind][column]
    cluster.findings.append(Finding(cluster.name, kind, number, reason, weight, column, worst))
