"""Picture of right, wrong and referred decisions."""

from typing import TYPE_CHECKING, Any

import numpy as np

from secondlook.decide.suspicious_band import DECISIONS, BandReport
from secondlook.plot.display import Display, axes_of, shown_in

if TYPE_CHECKING:
    from secondlook.decide.confusion_matrix import ConfusionMatrix


def confusion(result: "ConfusionMatrix | BandReport", *, ax: Any = None) -> Display:
    """Draw the cases by true class and decision; of a band, with a column of referred cases.

    Parameters
    ----------
    result : ConfusionMatrix or BandReport
    ax : matplotlib Axes, optional
    """
    if isinstance(result, BandReport):
        counts, decisions = np.asarray(result.counts), list(DECISIONS)
    else:
        counts = np.array(
            [
                [result.true_negatives, result.false_positives],
                [result.false_negatives, result.true_positives],
            ]
        )
        decisions = [DECISIONS[0], DECISIONS[2]]
    ax = axes_of("plot.confusion", ax, (4.5, 3))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(counts.shape):
        ax.text(
            column,
            row,
            f"{counts[row, column]:,}\n{shares[row, column]:.1%}",
            ha="center",
            va="center",
            color="white" if shares[row, column] > 0.5 else "black",
        )
    ax.set_xticks(range(len(decisions)), decisions)
    ax.set_yticks(range(2), ["normal", "abnormal"])
    ax.set(xlabel="decision", ylabel="true class")
    return shown_in(ax)
