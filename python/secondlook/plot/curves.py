"""Curves of the quality of scores."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from secondlook._shared.arguments import as_whole_number
from secondlook.decide._scores import as_labelled
from secondlook.decide.binomial_interval import binomial_interval
from secondlook.plot.display import LINE, NORMAL, Display, axes_of, shown_in

if TYPE_CHECKING:
    from secondlook.decide.ranking_curves import PrecisionRecallCurve, RocCurve


def roc(curve: "RocCurve", *, name: str | None = None, ax: Any = None) -> Display:
    """Draw recall against the false-alarm rate.

    Parameters
    ----------
    curve : RocCurve
        See `roc_curve`.
    name : str, optional
        Name of the detector in the legend, which also states the area.
    ax : matplotlib Axes, optional
        Axes of another curve to compare with.
    """
    ax = axes_of("plot.roc", ax, (4.5, 4))
    ax.plot(curve.false_alarm_rate, curve.recall, label=_label(name, "area", curve.area))
    ax.plot([0, 1], [0, 1], ":", color=LINE, linewidth=1)
    ax.set(xlabel="false-alarm rate", ylabel="recall", xlim=(-0.01, 1), ylim=(0, 1.01))
    ax.legend(frameon=False, loc="lower right")
    return shown_in(ax)


def precision_recall(
    curve: "PrecisionRecallCurve", *, name: str | None = None, ax: Any = None
) -> Display:
    """Draw precision against recall, as steps.

    Parameters
    ----------
    curve : PrecisionRecallCurve
        See `precision_recall_curve`.
    name : str, optional
        Name of the detector in the legend, which also states the average precision.
    ax : matplotlib Axes, optional
        Axes of another curve to compare with.
    """
    ax = axes_of("plot.precision_recall", ax, (4.5, 4))
    label = _label(name, "average precision", curve.area)
    ax.step(curve.recall, curve.precision, where="pre", label=label)
    ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
    ax.legend(frameon=False, loc="lower left")
    return shown_in(ax)


def reliability(
    y_true: ArrayLike, probability: ArrayLike, *, n_bins: int = 10, ax: Any = None
) -> Display:
    """Draw how often cases are abnormal against their probability, with exact 95 % intervals.

    Calibrated probabilities lie on the diagonal, within the intervals.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 is abnormal, 0 normal.
    probability : array-like of shape (n_samples,)
        In [0, 1].
    n_bins : int, default=10
        Number of equal bins of [0, 1].
    ax : matplotlib Axes, optional
    """
    who = "plot.reliability"
    scores, labels = as_labelled(who, y_true, probability)
    n_bins = as_whole_number(who, "n_bins", n_bins, 1)
    if scores.min() < 0 or scores.max() > 1:
        raise ValueError(
            f"{who}: expected probabilities in [0, 1], got {scores.min():.4g} to "
            f"{scores.max():.4g}; calibrate the scores first (Calibration)"
        )
    ax = axes_of(who, ax, (4.5, 4))
    bins = np.minimum((scores * n_bins).astype(int), n_bins - 1)
    ax.plot([0, 1], [0, 1], ":", color=LINE, linewidth=1)
    for number in np.unique(bins):
        inside = bins == number
        n, n_abnormal = int(inside.sum()), int(labels[inside].sum())
        low, high = binomial_interval(n_abnormal, n)
        at, share = scores[inside].mean(), n_abnormal / n
        errors = [[share - low], [high - share]]
        ax.errorbar(at, share, errors, fmt="o", color=NORMAL, capsize=3, markersize=5)
        ax.annotate(f"{n:,}", (at, share), xytext=(6, -9), textcoords="offset points", fontsize=8)
    ax.set(xlabel="probability", ylabel="fraction abnormal", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return shown_in(ax)


def _label(name: str | None, measure: str, value: float) -> str:
    return f"{name}: {measure} {value:.3f}" if name else f"{measure} {value:.3f}"
