"""Pictures of a suspicious band: what it refers, and what a guarantee costs."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from secondlook.decide._scores import as_labelled
from secondlook.plot.display import ABNORMAL, DOUBTFUL, LINE, NORMAL, Display, axes_of, shown_in

if TYPE_CHECKING:
    from secondlook.decide.suspicious_band import BandPrice, SuspiciousBand


def band(
    fitted: "SuspiciousBand", score: ArrayLike, y_true: ArrayLike, *, bins: int = 40, ax: Any = None
) -> Display:
    """Draw the scores of both classes with the thresholds and the referred cases between them.

    Parameters
    ----------
    fitted : SuspiciousBand
    score : array-like of shape (n_samples,)
    y_true : array-like of shape (n_samples,)
        1 is abnormal, 0 normal.
    bins : int, default=40
        Number of bins of the histograms.
    ax : matplotlib Axes, optional
    """
    scores, labels = as_labelled("plot.band", y_true, score)
    ax = axes_of("plot.band", ax)
    edges = np.histogram_bin_edges(scores, bins)
    for label, name, colour in ((0, "normal", NORMAL), (1, "abnormal", ABNORMAL)):
        ax.hist(scores[labels == label], edges, alpha=0.65, color=colour, label=name)
    left, right = float(edges[0]), float(edges[-1])
    lower, upper = max(fitted.lower_, left), min(fitted.upper_, right)
    if lower < upper:
        referred = fitted.report(scores, labels).referral_rate.value
        ax.axvspan(
            lower, upper, color=DOUBTFUL, alpha=0.35, zorder=0, label=f"referred, {referred:.1%}"
        )
    for threshold in {fitted.lower_, fitted.upper_}:
        if math.isfinite(threshold):
            ax.axvline(threshold, color=LINE, linewidth=1)
    ax.set(xlabel="score", ylabel="cases", yscale="log", xlim=(left, right))
    ax.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    return shown_in(ax)


def prices(price_list: "Sequence[BandPrice]", *, ax: Any = None) -> Display:
    """Draw the fraction of referred cases against the error rates that it buys.

    Parameters
    ----------
    price_list : sequence of BandPrice
        See `SuspiciousBand.price_list`.
    ax : matplotlib Axes, optional
    """
    if not len(price_list):
        raise ValueError("plot.prices: expected at least one price, got none")
    ax = axes_of("plot.prices", ax)
    rates = [price.rate for price in price_list]
    referred = [price.referral_rate for price in price_list]
    ax.plot(rates, referred, "o-", color=NORMAL)
    for rate, share in zip(rates, referred, strict=True):
        ax.annotate(f"{share:.1%}", (rate, share), xytext=(4, 5), textcoords="offset points")
    ax.set(xscale="log", xlabel="largest rate of misses and of false alarms", ylabel="referred")
    ax.set_ylim(0, max(0.01, 1.15 * max(referred)))
    ax.set_xticks(rates, [f"{rate:.1%}" for rate in rates])
    ax.minorticks_off()
    return shown_in(ax)
