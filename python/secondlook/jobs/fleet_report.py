"""Report of the fleet monitor as one self-contained HTML page."""

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from secondlook._shared.html_page import can_draw, page
from secondlook.jobs.simulated_fleet import Fault

if TYPE_CHECKING:
    from secondlook.jobs.fleet_monitor import Alert, Monitor, Night

__all__ = ["render"]

_N_TIMELINES = 3


def render(monitor: "Monitor", faults: list[Fault] | None = None) -> str:
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
        parts.append(
            '<p class="note">This is a simulation with injected faults; grey bands show them.</p>'
        )
    if can_draw():
        parts += _pictures(history, monitor, faults or [])
    parts += ["<h2>Alerts</h2>", _alerts(monitor.alerts)]
    parts += ["<h2>Nightly updates</h2>", _nights(monitor.nights)]
    return page(title, parts)


def _pictures(history: pd.DataFrame, monitor: "Monitor", faults: Sequence[Fault]) -> list[str]:
    from secondlook.jobs.fleet_pictures import severities, timeline

    anomalous = history[history.severity.isin(("medium", "high", "critical"))]
    worst = anomalous.device.value_counts().index[:_N_TIMELINES]
    learned = [night.time for night in monitor.nights if night.outcome == "accepted"]
    return [
        "<h2>Severity by device</h2>",
        severities(history),
        "<h2>Score timelines of the devices with most anomalies</h2>",
        *(timeline(history[history.device == device], learned, faults) for device in worst),
    ]


def _alerts(alerts: Sequence["Alert"]) -> str:
    rows = [
        f'<tr><td class="n">{alert.begin:%m-%d %H:%M}</td>'
        f'<td class="n">{alert.end:%m-%d %H:%M}</td>'
        f'<td class="n">{html.escape(str(alert.device))}</td><td>{alert.worst.severity}</td>'
        f"<td>{alert.n_samples}</td><td>{html.escape('; '.join(alert.worst.reasons))}</td></tr>"
        for alert in alerts
    ]
    head = "<th>From</th><th>To</th><th>Device</th><th>Worst</th><th>Samples</th><th>Why</th>"
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _nights(nights: Sequence["Night"]) -> str:
    rows = [
        f'<tr><td class="n">{night.time:%m-%d}</td><td class="n">{night.outcome}</td>'
        f"<td>{night.n_suspected}</td><td>{'yes' if night.drift else ''}</td>"
        f"<td>{html.escape(night.reason)}</td></tr>"
        for night in nights
    ]
    head = "<th>Night</th><th>Update</th><th>Kept out</th><th>Drift</th><th>Why</th>"
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"
