"""Renders the commissioning check as one self-contained HTML page with plots."""

import base64
import html
import io

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np

UNITS = {"voltage": "mV", "temperature": "°C"}
COLOURS = plt.get_cmap("tab10").colors
PEERS, BAND, CURRENT = "#1f4e79", "#9db8d2", "#666666"

PAGE_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1080px; margin: 2em auto;
       padding: 0 1em; }
h1 { margin-bottom: 0; } h2 { border-bottom: 2px solid #1f4e79; margin-top: 2em; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .35em .7em;
       border-bottom: 1px solid #ddd; vertical-align: top; } th { background: #f2f5f8; }
td.n { white-space: nowrap; } img { width: 100%; } .note { background: #fff6dd; padding: .5em 1em; }
"""


def render(clusters, findings, simulated):
    """Return the page: the table, then each cluster, then each sensor to look at."""
    title = "Commissioning check" + (" of a simulated site" if simulated else "")
    n_sensors = sum(len(numbers) for cluster in clusters for numbers in cluster.numbers.values())
    parts = [
        f"<h1>{title}</h1>",
        f"<p>{len(clusters)} clusters, {n_sensors} sensors, "
        f"{_minute(clusters[0].time[0])} to {_minute(clusters[0].time[-1])}. "
        f"<b>{len(findings)} sensors to look at.</b></p>",
    ]
    if simulated:
        parts.append('<p class="note">This is a simulation with injected faults.</p>')
    parts.append(_table(findings))
    for cluster in clusters:
        parts.append(f"<h2>{html.escape(cluster.name)}</h2>")
        parts += [f'<p class="note">{html.escape(note)}</p>' for note in cluster.notes]
        for kind in cluster.readings:
            parts += [picture(_overview(cluster, kind)), picture(_heat_map(cluster, kind))]
    by_name = {cluster.name: cluster for cluster in clusters}
    for rank, finding in enumerate(findings, start=1):
        parts.append(
            f'<h2 id="f{rank}">{rank}. {html.escape(finding.cluster)}, {finding.name}</h2>'
            f"<p>{html.escape(finding.reason)}.</p>"
        )
        parts.append(picture(_close_look(by_name[finding.cluster], finding)))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{PAGE_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _table(findings):
    rows = [
        f'<tr><td>{rank}</td><td class="n">{html.escape(finding.cluster)}</td>'
        f'<td class="n"><a href="#f{rank}">{finding.name}</a></td>'
        f"<td>{html.escape(finding.reason)}</td></tr>"
        for rank, finding in enumerate(findings, start=1)
    ]
    head = "<tr><th>#</th><th>Cluster</th><th>Sensor</th><th>Why</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _minute(instant):
    return str(instant.astype("datetime64[m]")).replace("T", " ")


def picture(figure):
    """Return a figure as an image inside the page, and close it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=95)
    plt.close(figure)
    return (
        f'<img alt="" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
    )


def _time_axis(axes):
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))


# Fixed, as computing them for each figure takes as long as drawing it.
_MARGINS = {"left": 0.08, "right": 0.985, "top": 0.92, "bottom": 0.13, "hspace": 0.08}


def _with_current(cluster, height=4.4):
    """Make two panels over one time axis: the readings, and the current below them."""
    figure, (upper, lower) = plt.subplots(
        2, 1, sharex=True, figsize=(11, height), height_ratios=(4, 1), gridspec_kw=_MARGINS
    )
    lower.plot(cluster.time, cluster.current, color=CURRENT, lw=1)
    lower.axhline(0, color="#bbbbbb", lw=0.5)
    lower.set_ylabel("current (A)\n+ discharge", fontsize=8)
    _time_axis(lower)
    return figure, upper, lower


def _draw_band(axes, cluster, kind, where=slice(None)):
    centre, half_width = cluster.bands[kind][where].T
    time = cluster.time[where]
    axes.fill_between(
        time, centre - half_width, centre + half_width, color=BAND, alpha=0.6, lw=0, label="band"
    )
    axes.plot(time, centre, color=PEERS, lw=1.2, label="mean of all")
    axes.set_ylabel(f"{kind} ({UNITS[kind]})")


def _overview(cluster, kind):
    figure, axes, _ = _with_current(cluster)
    readings = cluster.readings[kind]
    centre, half_width = cluster.bands[kind].T
    axes.fill_between(
        cluster.time, -half_width, half_width, color=BAND, alpha=0.6, lw=0, label="band"
    )
    axes.axhline(0, color=PEERS, lw=1.2, label="mean of all")
    axes.set_ylabel(f"{kind}, deviation ({UNITS[kind]})")
    offenders = [finding for finding in cluster.findings if finding.kind == kind]
    for i, finding in enumerate(offenders):
        axes.plot(
            cluster.time, readings[:, finding.column] - centre, lw=1.2, color=COLOURS[(i + 1) % 10],
            label=f"{finding.number:03d}",
        )  # fmt: skip
    axes.set_title(
        f"{cluster.name}: {readings.shape[1]} {kind} sensors, their band, and sensors outside it"
    )
    axes.legend(fontsize=8, ncols=2, loc="best")
    return figure


def _heat_map(cluster, kind):
    readings = cluster.readings[kind]
    deviation = readings - cluster.bands[kind][:, :1]
    finite = np.abs(deviation[np.isfinite(deviation)])
    limit = np.quantile(finite, 0.998) if finite.size else 1.0
    figure, axes = plt.subplots(figsize=(11, 3.4))
    figure.subplots_adjust(left=0.08, right=1.07, top=0.9, bottom=0.14)
    first, last = mdates.date2num(cluster.time[[0, -1]])
    picture = axes.imshow(
        deviation.T, aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest",
        extent=(first, last, readings.shape[1] + 0.5, 0.5),
    )  # fmt: skip
    axes.xaxis_date()
    _time_axis(axes)
    axes.set_ylabel("sensor")
    axes.set_facecolor("#dddddd")
    figure.colorbar(picture, label=f"deviation from the mean ({UNITS[kind]})", pad=0.01)
    offenders = [finding.column + 1 for finding in cluster.findings if finding.kind == kind]
    axes.plot(np.full(len(offenders), last), offenders, "<", color="black", ms=6, clip_on=False)
    axes.set_title(f"{cluster.name}: all {kind} sensors over time (grey: no reading)")
    return figure


def _close_look(cluster, finding):
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
    return figure
