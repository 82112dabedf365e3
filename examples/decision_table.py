"""Prints a table of the decisions of a classifier, at a threshold and with a suspicious band."""

import numpy as np
from numpy.typing import NDArray

import secondlook as sl

HEADER = ("recall", "accuracy", "")


def row(name: str, *cells: str) -> None:
    """Print a line of the table."""
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def header() -> None:
    """Print the head of the table."""
    row("", *HEADER)
    row("---", *["---"] * len(HEADER))


def percent(estimate: sl.Estimate) -> str:
    """Return a fraction with its exact interval."""
    if np.isnan(estimate.value):
        return "–"
    return f"{estimate.value:.1%} ({estimate.low:.1%}–{estimate.high:.1%})"


def judged(y: NDArray, p: NDArray, threshold: float) -> tuple[str, str, str]:
    """Return recall and accuracy at a threshold, and the area under the ROC curve."""
    metrics = sl.binary_metrics(y, p, threshold, n_bootstrap=0)
    return (
        percent(metrics.recall),
        percent(metrics.accuracy),
        f"area {metrics.roc_auc.value:.4f}",
    )


def banded(band: sl.SuspiciousBand, y: NDArray, p: NDArray) -> tuple[str, str, str]:
    """Return recall and accuracy of the decided cases, and the fraction that the band refers."""
    report = band.report(p, y)
    return (
        percent(report.recall),
        percent(report.accuracy),
        f"{report.referral_rate.value:.1%} referred",
    )
