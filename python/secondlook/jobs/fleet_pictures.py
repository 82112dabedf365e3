"""Pictures of the fleet monitor's report; need matplotlib."""

from collections.abc import Sequence

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from secondlook._shared.html_page import picture
from secondlook.jobs.simulated_fleet import Fault

__all__ = ["severities", "timeline"]

_COLOURS = {"normal": "#9db8d2", "medium": "#e0a030", "high": "#d0582a", "critical": "#8b0000"}


def severities(history: pd.DataFrame) -> str:
    """Show how many samples of each device were anomalous, by severity."""
    counts = pd.crosstab(history.device, history.severity)
    figure = Figure(figsize=(10.5, 0.9 + 0.28 * len(counts)), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(counts))
    for severity in ("medium", "high", "critical"):
        values = counts.get(severity, pd.Series(0, counts.index)).to_numpy()
        axes.barh(counts.index, values, left=left, color=_COLOURS[severity], label=severity)
        left += values
    axes.invert_yaxis()
    axes.set_xlabel("anomalous samples")
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return picture(figure)


def timeline(own: pd.DataFrame, learned: Sequence[pd.Timestamp], faults: Sequence[Fault]) -> str:
    """Show the scores of a device, its faults if they are known, and the accepted updates."""
    device = own.device.iloc[0]
    figure = Figure(figsize=(10.5, 2.9), layout="constrained")
    axes = figure.subplots()
    for fault in faults:
        if fault.device == device and fault.end >= own.time.min():
            axes.axvspan(fault.begin, fault.end, color="#dddddd", lw=0)
            axes.annotate(fault.kind, (fault.begin, 1.0), xycoords=("data", "axes fraction"),
                          fontsize=7, color="#555555", va="bottom")  # fmt: skip
    for severity, group in own.groupby("severity"):
        size = 3 if severity == "normal" else 14
        axes.scatter(group.time, -group.score, s=size, color=_COLOURS[severity], label=severity)
    axes.axhline(1, color="#444444", lw=0.8, ls="--")
    for time in learned:
        axes.axvline(time, ymax=0.05, color="#2f7d32", lw=1.2)
    axes.set_yscale("symlog", linthresh=2)
    top = max(4.0, -1.6 * own.score.min())
    axes.set_ylim(0, top)
    axes.set_yticks([tick for tick in (0, 1, 2, 5, 10, 100, 1000) if tick < top])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("anomaly score\n(1: the vote's limit)")
    axes.set_title(device, loc="left", fontsize=10, pad=14)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    shown = [name for name in _COLOURS if name in handles]
    axes.legend([handles[name] for name in shown], shown, loc="upper left",
                bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)  # fmt: skip
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.spines[["top", "right"]].set_visible(False)
    return picture(figure)
