"""A report as HTML: in a notebook, and as a page of its own."""

import base64
import io
import os
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING

from secondlook._shared.shown import html_table
from secondlook._shared.whole_file import write_text

if TYPE_CHECKING:
    import pandas as pd

    from secondlook.reports.frame_report import Report

_STYLE = (
    "body{font-family:system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}"
    "th,td{padding:.3em .7em;text-align:left;border-bottom:1px solid #ddd;vertical-align:top}"
    "img{max-width:100%}"
)


def html_fragment(report: "Report") -> str:
    """Return headline, choice and top rows."""
    why = "".join(f"<li>{escape(line)}</li>" for line in report.why)
    chosen = f"<ul>{why}</ul>" if why else ""
    return f"<div><strong>{escape(report.headline)}</strong>{chosen}{_top_rows(report.top)}</div>"


def write_page(report: "Report", path: str | os.PathLike[str]) -> None:
    """Write a page of its own; a file of that name is replaced once the page is complete."""
    parts = [html_fragment(report), _picture(report)]
    if len(report.episodes):
        parts.append(f"<h2>Episodes</h2>{_episodes(report.episodes)}")
    page = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{escape(report.headline)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>What is odd</h1>{''.join(parts)}</body></html>"
    )
    write_text(path, page)


def _picture(report: "Report") -> str:
    if find_spec("matplotlib") is None:
        return ""
    import matplotlib.pyplot as plt

    figure = report.plot().figure_
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    plt.close(figure)
    data = base64.b64encode(picture.getvalue()).decode("ascii")
    said = "Scores over time, and the reasons of the top rows"
    return f"<img alt='{said}' src='data:image/png;base64,{data}'>"


def _top_rows(top: "pd.DataFrame") -> str:
    rows = [
        (
            str(label),
            f"{row['score']:.4g}",
            row["verdict"],
            str(row["severity"]),
            row["feature"],
            f"{row['value']:.4g}",
            f"{row['usual_low']:.4g} to {row['usual_high']:.4g}",
            row["reasons"],
        )
        for label, row in top.iterrows()
    ]
    columns = ("score", "verdict", "severity", "feature", "value", "usual", "reasons")
    return html_table(columns, rows)


def _episodes(episodes: "pd.DataFrame") -> str:
    columns = ("end", "n_samples", "severity", "reasons")
    rows = [
        (str(row["begin"]), *(str(row[name]) for name in columns))
        for _, row in episodes.head(20).iterrows()
    ]
    return html_table(("end", "samples", "severity", "reasons"), rows)
