"""Renders the alerts and updates of a fleet as one self-contained HTML page with plots."""

import html

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from site_report import PAGE_STYLE, picture

COLOURS = {"normal": "#9db8d2", "medium": "#e0a030", "high": "#d0582a", "critical": "#8b0000"}
N_TIMELINES = 3


def render(monitor, faults=None) -> str:
    """Return the page: severity by device, timelines of the worst, alerts and updates."""
    history = pd.DataFrame(monitor.history, columns=["device", "time", "score", "severity"])
    title = "Fleet monitor" + (" of a simulated fleet" if faults is not None else "")
    begin, end = history.time.min(), history.time.max()
    learned = sum(night.outcome == "accepted" for night in monitor.nights)
    parts = [
        f"<h1>{title}</h1>",
        f"<p>{history.device.nunique()} devices, {len(history)} samples, {begin:%Y-%m-%d %H:%M} to "
        f"{end:%Y-%m-%d %H:%M}. <b>{len(monitor.alerts)} alerts</b>; "
        f"{learned} of {len(monitor.nights)} nightly updates were accepted.</p>",
    ]
    if faults is not None:
        parts.append('<p class="note">This is a simulation with injected faults; grey '
                     "bands show them.</p>")  # fmt: skip
    parts += ["<h2>Severity by device</h2>", picture(_severity(history))]
    order = (
        history[history.severity.isin(("medium", "high", "critical"))]
        .device.value_counts()
        .index[:N_TIMELINES]
    )
    parts.append("<h2>Score timelines of the devices with most anomalies</h2>")
    for device in order:
        parts.append(picture(_timeline(history[history.device == device], monitor, faults or [])))
    parts += ["<h2>Alerts</h2>", _alerts(monitor.alerts), "<h2>Nightly updates</h2>"]
    parts.append(_nights(monitor.nights))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{PAGE_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _severity(history: pd.DataFrame) -> plt.Figure:
    counts = pd.crosstab(history.device, history.severity)
    figure, axes = plt.subplots(figsize=(10.5, 0.9 + 0.28 * len(counts)), layout="constrained")
    left = np.zeros(len(counts))
    for severity in ("medium", "high", "critical"):
        values = counts.get(severity, pd.Series(0, counts.index)).to_numpy()
        axes.barh(counts.index, values, left=left, color=COLOURS[severity], label=severity)
        left += values
    axes.invert_yaxis()
    axes.set_xlabel("anomalous samples")
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _timeline(own: pd.DataFrame, monitor, faults) -> plt.Figure:
    device = own.device.iloc[0]
    figure, axes = plt.subplots(figsize=(10.5, 2.9), layout="constrained")
    for fault in faults:
        if fault.device == device and fault.end >= own.time.min():
            axes.axvspan(fault.begin, fault.end, color="#dddddd", lw=0)
            axes.annotate(fault.kind, (fault.begin, 1.0), xycoords=("data", "axes fraction"),
                          fontsize=7, color="#555555", va="bottom")  # fmt: skip
    for severity, group in own.groupby("severity"):
        size = 3 if severity == "normal" else 14
        axes.scatter(group.time, -group.score, s=size, color=COLOURS[severity], label=severity)
    axes.axhline(1, color="#444444", lw=0.8, ls="--")
    for night in monitor.nights:
        if night.outcome == "accepted":
            axes.axvline(night.time, ymax=0.05, color="#2f7d32", lw=1.2)
    axes.set_yscale("symlog", linthresh=2)
    top = max(4.0, -1.6 * own.score.min())
    axes.set_ylim(0, top)
    axes.set_yticks([tick for tick in (0, 1, 2, 5, 10, 100, 1000) if tick < top])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("anomaly score\n(1: the vote's limit)")
    axes.set_title(device, loc="left", fontsize=10, pad=14)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    shown = [name for name in COLOURS if name in handles]
    axes.legend([handles[name] for name in shown], shown, loc="upper left",
                bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)  # fmt: skip
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _alerts(alerts) -> str:
    rows = [
        f'<tr><td class="n">{alert.begin:%m-%d %H:%M}</td>'
        f'<td class="n">{alert.end:%m-%d %H:%M}</td>'
        f'<td class="n">{html.escape(str(alert.device))}</td><td>{alert.worst.severity}</td>'
        f"<td>{alert.n_samples}</td><td>{html.escape(alert.worst.reasons)}</td></tr>"
        for alert in alerts
    ]
    head = "<th>From</th><th>To</th><th>Device</th><th>Worst</th><th>Samples</th><th>Why</th>"
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _nights(nights) -> str:
    rows = [
        f'<tr><td class="n">{night.time:%m-%d}</td><td class="n">{night.outcome}</td>'
        f"<td>{night.n_suspected}</td><td>{'yes' if night.drift else ''}</td>"
        f"<td>{html.escape(night.reason)}</td></tr>"
        for night in nights
    ]
    head = "<th>Night</th><th>Update</th><th>Kept out</th><th>Drift</th><th>Why</th>"
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"
