"""Table of the decisions of a classifier, at a threshold and with a suspicious band."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.decide.binary_metrics import binary_metrics
from secondlook.decide.binomial_interval import Estimate
from secondlook.decide.suspicious_band import SuspiciousBand

__all__ = ["DecisionTable", "TableRow", "at_threshold", "percent", "with_band"]


@dataclass(frozen=True)
class TableRow:
    """How good the decisions on some images are; ``str`` formats it as a line of the table.

    Attributes
    ----------
    name : str
    recall, accuracy : Estimate
        Of the decided cases.
    roc_auc : float or None
        Area under the ROC curve, for decisions at a threshold.
    referral_rate : float or None
        Fraction that the band refers, for decisions with a band.
    training_minutes : float or None
    """

    name: str
    recall: Estimate
    accuracy: Estimate
    roc_auc: float | None = None
    referral_rate: float | None = None
    training_minutes: float | None = None

    def __str__(self) -> str:
        last = []
        if self.roc_auc is not None:
            last.append(f"area {self.roc_auc:.4f}")
        if self.referral_rate is not None:
            last.append(f"{self.referral_rate:.1%} referred")
        if self.training_minutes is not None:
            last.append(f"{self.training_minutes:.1f} min of training")
        return _line(self.name, percent(self.recall), percent(self.accuracy), ", ".join(last))


@dataclass
class DecisionTable:
    """Rows of a table in Markdown, announced line by line as they are added."""

    announce: Callable[[str], object]
    rows: list[TableRow] = field(default_factory=list)

    def add(self, row: TableRow) -> None:
        """Add a row; the head of the table comes with the first."""
        if not self.rows:
            self.announce(_line("", "recall", "accuracy", ""))
            self.announce(_line("---", "---", "---", "---"))
        self.rows.append(row)
        self.announce(str(row))


def at_threshold(
    name: str,
    y: NDArray[np.int64],
    p: NDArray[np.float64],
    threshold: float,
    training_minutes: float | None = None,
) -> TableRow:
    """Return the row of the decisions at a threshold."""
    metrics = binary_metrics(y, p, threshold, n_bootstrap=0)
    area = metrics.roc_auc.value
    return TableRow(
        name, metrics.recall, metrics.accuracy, roc_auc=area, training_minutes=training_minutes
    )


def with_band(
    name: str, band: SuspiciousBand, y: NDArray[np.int64], p: NDArray[np.float64]
) -> TableRow:
    """Return the row of the decisions with a band."""
    report = band.report(p, y)
    return TableRow(name, report.recall, report.accuracy, referral_rate=report.referral_rate.value)


def percent(estimate: Any) -> str:
    """Return a fraction with its exact interval."""
    if np.isnan(estimate.value):
        return "–"
    return f"{estimate.value:.1%} ({estimate.low:.1%}–{estimate.high:.1%})"


def _line(name: str, *cells: str) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"
