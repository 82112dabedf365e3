"""The picture of a report."""

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from secondlook.plot.display import ABNORMAL, Display, pyplot
from secondlook.plot.scores import scores

if TYPE_CHECKING:
    from secondlook.reports.frame_report import Report

_MAX_EXPLAINED = 3
_LINE = 130  # characters


def draw(report: "Report") -> Display:
    """Draw the scores of each detector, and below them the reasons of the top rows."""
    judgements = report._judgements
    explained = _explained(report)
    heights = [2.4] * len(judgements) + [0.5 + 0.55 * len(explained)]
    figure, axes = pyplot("Report.plot").subplots(
        len(heights), 1, figsize=(9, sum(heights)), height_ratios=heights, layout="constrained"
    )
    index = report._frame.index
    time = index if report._frame.is_series else np.arange(len(index))
    for ax, (name, judgement) in zip(axes, judgements.items(), strict=False):
        scores(judgement.score, threshold=judgement.threshold, time=time, ax=ax)
        ax.set_title(name, fontsize="medium", loc="left")
        if not report._frame.is_series:
            ax.set(xlabel="row")
    limits = np.array([ax.get_xlim() for ax in axes[:-1]])
    for ax in axes[:-1]:  # a forecaster has no scores at the beginning
        ax.set_xlim(limits[:, 0].min(), limits[:, 1].max())
    reasons = axes[-1]
    reasons.set_axis_off()
    for k, (title, words) in enumerate(explained):
        text = "\n".join(wrap(words, _LINE, max_lines=2, placeholder=" …"))
        y = 1 - (k + 0.5) / len(explained)
        reasons.text(0, y, title, weight="bold", va="bottom", color=ABNORMAL)
        reasons.text(0, y, text, va="top", fontsize="small")
    return Display(axes[0], figure)


def _explained(report: "Report") -> list[tuple[str, str]]:
    """Return title and reasons of the worst episodes, or of the worst rows."""
    none = "no single feature stands out"
    if len(report.episodes):
        rows = report.episodes.head(_MAX_EXPLAINED)
        return [
            (f"{_span(row['begin'], row['end'])}  {row['severity']}", row["reasons"] or none)
            for _, row in rows.iterrows()
        ]
    rows = report.top.head(_MAX_EXPLAINED)
    return [
        (f"{label}  {row['severity']}", row["reasons"] or none) for label, row in rows.iterrows()
    ]


def _span(begin: Any, end: Any) -> str:
    return str(begin) if begin == end else f"{begin} to {end}"
