"""Report of the commissioning check as one self-contained HTML page."""

import html
from collections.abc import Sequence

import numpy as np

from secondlook._shared.html_page import can_draw, page
from secondlook.jobs.site_exports import Cluster, Finding

__all__ = ["render"]


def render(clusters: Sequence[Cluster], findings: Sequence[Finding], simulated: bool) -> str:
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
        parts += _pictures_of_cluster(cluster)
    by_name = {cluster.name: cluster for cluster in clusters}
    for rank, finding in enumerate(findings, start=1):
        parts.append(
            f'<h2 id="f{rank}">{rank}. {html.escape(finding.cluster)}, {finding.name}</h2>'
            f"<p>{html.escape(finding.reason)}.</p>"
        )
        parts += _pictures_of_finding(by_name[finding.cluster], finding)
    return page(title, parts)


def _pictures_of_cluster(cluster: Cluster) -> list[str]:
    if not can_draw():
        return []
    from secondlook.jobs.site_pictures import heat_map, overview

    return [draw(cluster, kind) for kind in cluster.readings for draw in (overview, heat_map)]


def _pictures_of_finding(cluster: Cluster, finding: Finding) -> list[str]:
    if not can_draw():
        return []
    from secondlook.jobs.site_pictures import close_look

    return [close_look(cluster, finding)]


def _table(findings: Sequence[Finding]) -> str:
    rows = [
        f'<tr><td>{rank}</td><td class="n">{html.escape(finding.cluster)}</td>'
        f'<td class="n"><a href="#f{rank}">{finding.name}</a></td>'
        f"<td>{html.escape(finding.reason)}</td></tr>"
        for rank, finding in enumerate(findings, start=1)
    ]
    head = "<tr><th>#</th><th>Cluster</th><th>Sensor</th><th>Why</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _minute(instant: np.datetime64) -> str:
    return str(instant.astype("datetime64[m]")).replace("T", " ")
