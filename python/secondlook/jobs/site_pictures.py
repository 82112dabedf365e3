"""Pictures of the commissioning check's report; need matplotlib."""

from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
import numpy as np
from matplotlib.figure import Figure

from secondlook._shared.html_page import picture
from secondlook.jobs.site_exports import UNITS, Cluster, Finding

__all__ = ["close_look", "heat_map", "overview"]

# Figures are made without pyplot, which has one current figure and one backend for the process.
_COLOURS = mpl.color_sequences["tab10"]
_PEERS, _BAND, _CURRENT = "#1f4e79", "#9db8d2", "#666666"
# Fixed, as computing them for each figure takes as long as drawing it.
_MARGINS = {"left": 0.08, "right": 0.985, "top": 0.92, "bottom": 0.13, "hspace": 0.08}


def overview(cluster: Cluster, kind: str) -> str:
    """Show the band around the mean of all sensors, and the course of each sensor named."""
    figure, axes, _ = _with_current(cluster)
    readings = cluster.readings[kind]
    centre, half_width = cluster.bands[kind].T
    axes.fill_between(
        cluster.time, -half_width, half_width, color=_BAND, alpha=0.6, lw=0, label="band"
    )
    axes.axhline(0, color=_PEERS, lw=1.2, label="mean of all")
    axes.set_ylabel(f"{kind}, deviation ({UNITS[kind]})")
    offenders = [finding for finding in cluster.findings if finding.kind == kind]
    for i, finding in enumerate(offenders):
        axes.plot(
            cluster.time,
            readings[:, finding.column] - centre,
            lw=1.2,
            color=_COLOURS[(i + 1) % 10],
            label=f"{finding.number:03d}",
        )
    axes.set_title(
        f"{cluster.name}: {readings.shape[1]} {kind} sensors, their band, and sensors outside it"
    )
    axes.legend(fontsize=8, ncols=2, loc="best")
    return picture(figure)


def heat_map(cluster: Cluster, kind: str) -> str:
    """Show the deviation of every sensor over time."""
    readings = cluster.readings[kind]
    deviation = readings - cluster.bands[kind][:, :1]
    finite = np.abs(deviation[np.isfinite(deviation)])
    limit = np.quantile(finite, 0.998) if finite.size else 1.0
    figure = Figure(figsize=(11, 3.4))
    axes = figure.subplots()
    figure.subplots_adjust(left=0.08, right=1.07, top=0.9, bottom=0.14)
    first, last = mdates.date2num(cluster.time[[0, -1]])
    image = axes.imshow(
        deviation.T, aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest",
        extent=(first, last, readings.shape[1] + 0.5, 0.5),
    )  # fmt: skip
    axes.xaxis_date()
    _time_axis(axes)
    axes.set_ylabel("sensor")
    axes.set_facecolor("#dddddd")
    figure.colorbar(image, label=f"deviation from the mean ({UNITS[kind]})", pad=0.01)
    offenders = [finding.column + 1 for finding in cluster.findings if finding.kind == kind]
    axes.plot(np.full(len(offenders), last), offenders, "<", color="black", ms=6, clip_on=False)
    axes.set_title(f"{cluster.name}: all {kind} sensors over time (grey: no reading)")
    return picture(figure)


def close_look(cluster: Cluster, finding: Finding) -> str:
    """Show the sensor against its peers, around the worst instant, if there is one."""
    n = len(cluster.time)
    around = slice(0, n)
    if finding.worst is not None:
        step = (cluster.time[1] - cluster.time[0]) / np.timedelta64(1, "m")
        reach = int(45 / step)
        around = slice(max(0, finding.worst - reach), min(n, finding.worst + reach + 1))
    figure, axes, lower = _with_current(cluster, height=3.8)
    readings = cluster.readings[finding.kind]
    axes.plot(cluster.time[around], readings[around, ::5], color="#cccccc", lw=0.5)
    _draw_band(axes, cluster, finding.kind, around)
    axes.plot(
        cluster.time[around], readings[around, finding.column], color="#c0392b", lw=1.8,
        label=finding.name,
    )  # fmt: skip
    if finding.worst is not None:
        axes.axvline(cluster.time[finding.worst], color="#c0392b", lw=0.7, ls=":")
    lower.set_xlim(cluster.time[around][0], cluster.time[around][-1])
    axes.legend(fontsize=8, loc="best")
    return picture(figure)


def _time_axis(axes: Any) -> None:
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))


def _with_current(cluster: Cluster, height: float = 4.4) -> tuple[Figure, Any, Any]:
    """Make two panels over one time axis: the readings, and the current below them."""
    figure = Figure(figsize=(11, height))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1), gridspec_kw=_MARGINS)
    lower.plot(cluster.time, cluster.current, color=_CURRENT, lw=1)
    lower.axhline(0, color="#bbbbbb", lw=0.5)
    lower.set_ylabel("current (A)\n+ discharge", fontsize=8)
    _time_axis(lower)
    return figure, upper, lower


def _draw_band(axes: Any, cluster: Cluster, kind: str, where: slice) -> None:
    centre, half_width = cluster.bands[kind][where].T
    time = cluster.time[where]
    axes.fill_between(
        time, centre - half_width, centre + half_width, color=_BAND, alpha=0.6, lw=0, label="band"
    )
    axes.plot(time, centre, color=_PEERS, lw=1.2, label="mean of all")
    axes.set_ylabel(f"{kind} ({UNITS[kind]})")
