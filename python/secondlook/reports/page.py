"""A report as HTML: in a notebook, and as a page of its own."""

import os
from html import escape
from typing import TYPE_CHECKING, Any

from secondlook._shared.html_page import can_draw, page, picture
from secondlook._shared.shown import html_table
from secondlook._shared.whole_file import write_text

if TYPE_CHECKING:
    import pandas as pd

    from secondlook.reports.frame_report import Report


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
    write_text(path, page(escape(report.headline), ["<h1>What is odd</h1>", *parts]))


def _picture(report: "Report") -> str:
    if not can_draw():
        return ""
    import matplotlib.pyplot as plt

    figure = report.plot().figure_
    drawn = picture(figure, "Scores over time, and the reasons of the top rows")
    plt.close(figure)
    return drawn


def _top_rows(top: "pd.DataFrame") -> str:
    rows = [
        (
            str(label),
            row["score"],
            row["severity"],
            row["feature"],
            row["value"] if row["feature"] else "",
            f"{row['usual_low']:.4g} to {row['usual_high']:.4g}" if row["feature"] else "",
            row["reasons"],
        )
        for label, row in top.iterrows()
    ]
    columns = ("score", "severity", "feature", "value", "usual", "reasons")
    return html_table(columns, rows, _name_of(top.index))


def _episodes(episodes: "pd.DataFrame") -> str:
    rows = [
        (str(row["begin"]), str(row["end"]), row["n_samples"], row["severity"], row["reasons"])
        for _, row in episodes.head(20).iterrows()
    ]
    return html_table(("end", "samples", "severity", "reasons"), rows, "begin")


def _name_of(index: "pd.Index[Any]") -> str:
    return "" if index.name is None else str(index.name)
