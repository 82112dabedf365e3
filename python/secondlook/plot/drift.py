"""Pictures of change: of scores, and of a model that learns."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from secondlook.decide._scores import as_finite_scores
from secondlook.learn.drift import kolmogorov_smirnov
from secondlook.plot.display import ABNORMAL, DOUBTFUL, NORMAL, Display, axes_of, shown_in

if TYPE_CHECKING:
    from secondlook.learn.incremental_learner import IncrementalLearner


def drift(calibration: ArrayLike, score: ArrayLike, *, ax: Any = None) -> Display:
    """Draw the distribution of scores beside that of the calibration scores.

    Each curve is the fraction of scores up to a value. The title states the largest distance
    between them and its p-value (`kolmogorov_smirnov`).

    Parameters
    ----------
    calibration : array-like of shape (n,)
        Scores that thresholds were chosen on.
    score : array-like of shape (m,)
        Scores of now.
    ax : matplotlib Axes, optional
    """
    before = as_finite_scores("plot.drift", calibration)
    now = as_finite_scores("plot.drift", score)
    statistic, p_value = kolmogorov_smirnov(before, now)
    ax = axes_of("plot.drift", ax)
    for values, name, colour in ((before, "calibration", NORMAL), (now, "now", ABNORMAL)):
        ax.ecdf(values, color=colour, label=f"{name}, {len(values):,}")
    ax.set(xlabel="score", ylabel="fraction of scores up to it")
    ax.set_title(f"distance {statistic:.3f}, p = {p_value:.2g}", fontsize="medium")
    ax.legend(frameon=False)
    return shown_in(ax)


def versions(learner: "IncrementalLearner", *, ax: Any = None) -> Display:
    """Draw the updates of a learner: the mean score of fresh and of older rows by each candidate.

    Parameters
    ----------
    learner : IncrementalLearner
        After at least one update.
    ax : matplotlib Axes, optional
    """
    history = learner.history_
    n_updates = len(history["outcome"])
    if not n_updates:
        raise ValueError("plot.versions: expected a learner with updates, got one without any")
    ax = axes_of("plot.versions", ax)
    numbers = np.arange(1, n_updates + 1)
    for rows, name, colour in (("fresh", "fresh", NORMAL), ("replay", "older", ABNORMAL)):
        for when, marker in (("before", "_"), ("after", "^")):
            values = history[f"{rows}_{when}"]
            ax.plot(numbers, values, marker, color=colour, label=f"{name}, {when}")
    for number in numbers[~history["accepted"]]:
        ax.axvspan(number - 0.5, number + 0.5, color=DOUBTFUL, alpha=0.35, zorder=0)
    outcomes = np.where(
        history["accepted"],
        [f"v{version}" for version in history["version"]],
        np.strings.replace(history["outcome"], "_", " "),
    )
    ax.set_xticks(numbers, outcomes, rotation=30 if n_updates > 6 else 0)
    ax.set(xlabel="update", ylabel="mean score")
    ax.legend(frameon=False, ncols=2, fontsize="small")
    return shown_in(ax)
