"""Pictures of scores over time, and of what a score consists of."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook._shared.table import index_of, read_column
from secondlook.plot.display import ABNORMAL, LINE, NORMAL, Display, axes_of, shown_in, tidy_times

_FAR = 10  # times the distance from the median to the threshold


def scores(
    score: ArrayLike,
    *,
    threshold: float | None = None,
    time: Any = None,
    anomalies: ArrayLike | None = None,
    ax: Any = None,
) -> Display:
    """Draw scores over time, with the threshold and the episodes beyond it.

    Parameters
    ----------
    score : array-like of shape (n_samples,)
        As of ``score_samples``: lower is more abnormal. NaN is left out.
    threshold : float, optional
        Scores below it are anomalies, such as ``detector.offset_``.
    time : array-like of shape (n_samples,), optional
        Times; by default the index of a pandas Series, otherwise the number of the sample.
    anomalies : array-like of bool of shape (n_samples,), optional
        Samples to mark; by default those below the threshold.
    ax : matplotlib Axes, optional
    """
    values = read_column("plot.scores", score, "score")
    if time is None:
        time = index_of(score)
    times = np.arange(len(values)) if time is None else time
    if len(times) != len(values):
        raise ValueError(f"plot.scores: expected {len(values)} times, got {len(times)}")
    ax = axes_of("plot.scores", ax)
    ax.plot(times, values, color=NORMAL, linewidth=0.8)
    marked = np.zeros(len(values), bool)
    if threshold is not None:
        ax.axhline(threshold, color=LINE, linewidth=1, linestyle="--", label="threshold")
        marked = values < threshold
        ax.legend(frameon=False)
    if anomalies is not None:
        marked = np.asarray(anomalies, dtype=bool)
    for begin, end in episodes_of(marked):
        ax.axvspan(times[begin], times[end - 1], color=ABNORMAL, alpha=0.2, zorder=0)
    ax.plot(np.asarray(times)[marked], values[marked], ".", color=ABNORMAL, markersize=4)
    ax.set(ylabel="score")
    _show_far_scores(ax, values[~np.isnan(values)], threshold)
    tidy_times(ax, times)
    return shown_in(ax)


def _show_far_scores(ax: Any, values: NDArray[np.float64], threshold: float | None) -> None:
    """Draw far scores on a logarithmic scale, so that the others stay visible."""
    if threshold is None or not len(values):
        return
    usual = float(np.median(values))
    width = abs(usual - threshold)
    if width > 0 and threshold - values.min() > _FAR * width:
        from matplotlib.ticker import SymmetricalLogLocator

        linear = max(2 * width, abs(threshold), abs(usual))
        ax.set_yscale("symlog", linthresh=linear)
        # By default there are decades in the linear part, too, whose labels would overlap.
        first_decade = 10 ** np.ceil(np.log10(linear))
        ax.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=first_decade))


def contributions(
    parts: ArrayLike, names: Sequence[str] | None = None, *, n: int = 10, ax: Any = None
) -> Display:
    """Draw the largest contributions of features to one anomaly.

    Parameters
    ----------
    parts : array-like of shape (n_features,)
        A row of ``feature_contributions``.
    names : sequence of str, optional
        Names of the features; by default the index of a pandas Series.
    n : int, default=10
        Largest number of features to draw.
    ax : matplotlib Axes, optional
    """
    values = read_column("plot.contributions", parts, "contributions")
    if names is None:
        index = index_of(parts)
        names = [f"feature {j}" for j in range(len(values))] if index is None else list(index)
    if len(names) != len(values):
        raise ValueError(f"plot.contributions: expected {len(values)} names, got {len(names)}")
    order = np.argsort(-values, kind="stable")[:n]
    ax = axes_of("plot.contributions", ax, (7, 0.8 + 0.3 * len(order)))
    ax.barh([str(names[j]) for j in order], values[order], color=ABNORMAL)
    ax.invert_yaxis()
    ax.set(xlabel="contribution")
    return shown_in(ax)


def episodes_of(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and end (exclusive) of each run of marked samples."""
    edges = np.flatnonzero(np.diff(marked.astype(np.int8), prepend=0, append=0))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
