"""The best threshold for labelled scores."""

import inspect
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from secondlook import _core
from secondlook._shared.arguments import (
    as_number,
    as_numbers,
    as_optional_number,
    as_text,
)
from secondlook._shared.shown import Result, ShownTable
from secondlook.decide._scores import as_labelled_of_both
from secondlook.decide.confusion_matrix import ConfusionMatrix


@dataclass(frozen=True, repr=False)
class ThresholdTuning(Result):
    """The best threshold, with its results on the cases that it was chosen on.

    Attributes
    ----------
    threshold : float
        A score at or above it is positive; infinity if nothing should be positive.
    objective : float
        Value of the maximised measure; for costs, the mean over cases.
    confusion : ConfusionMatrix
        Counts by true class and decision.
    """

    threshold: float
    objective: float
    confusion: ConfusionMatrix

    def __repr__(self) -> str:
        return f"threshold {self.threshold:.6g}, objective {self.objective:.4g}\n{self.confusion}"

    def _shown(self) -> dict[str, float]:
        return {"threshold": self.threshold, "objective": self.objective}

    def _shown_tables(self) -> list[ShownTable]:
        return self.confusion._shown_tables()


def tune_threshold(
    y_true: ArrayLike,
    score: ArrayLike,
    maximize: str = "accuracy",
    *,
    beta: float = 1.0,
    costs: tuple[float, float] = (1.0, 1.0),
    min_recall: float | None = None,
    min_precision: float | None = None,
    min_specificity: float | None = None,
    floor_confidence: float | None = None,
) -> ThresholdTuning:
    """Return the best threshold, by an exact search over every distinct score.

    Of several equally good thresholds the lowest is returned, which has the fewest misses. The cost
    is O(n log n).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 is abnormal, 0 normal; at least one of each.
    score : array-like of shape (n_samples,)
        Higher is more abnormal; finite.
    maximize : {"accuracy", "f_beta", "balanced_accuracy", "negative_cost"}, default="accuracy"
        Measure to maximise.
    beta : float, default=1.0
        Recall weighs `beta` times as much as precision in ``"f_beta"``.
    costs : (float, float), default=(1.0, 1.0)
        Costs of a miss and of a false alarm, for ``"negative_cost"``.
    min_recall, min_precision, min_specificity : float, optional
        Floors in [0, 1] that the threshold must keep.
    floor_confidence : float, optional
        In (0, 1), such as 0.95: the exact lower confidence bounds must keep the floors, for each
        measure on its own. Recall and specificity are monotonic in the threshold, so choosing the
        threshold does not reduce their confidence; that of precision may be somewhat lower.

    Returns
    -------
    tuning : ThresholdTuning

    Raises
    ------
    ValueError
        If labels and scores do not match, an argument is invalid, or no threshold keeps the floors;
        the message then names the threshold that comes nearest (by its lower bounds, with
        `floor_confidence`).

    Examples
    --------
    >>> from secondlook import tune_threshold
    >>> y, score = [0, 0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.9]
    >>> tune_threshold(y, score).threshold
    0.4
    >>> tune_threshold(y, score, min_precision=0.9).threshold
    0.9
    """
    scores, labels = as_labelled_of_both("tune_threshold", y_true, score)
    parameters = core_parameters(
        maximize=maximize,
        beta=beta,
        costs=costs,
        min_recall=min_recall,
        min_precision=min_precision,
        min_specificity=min_specificity,
        floor_confidence=floor_confidence,
    )
    threshold, objective, confusion = _core.decide.tune_threshold(scores, labels, **parameters)
    return ThresholdTuning(threshold, objective, ConfusionMatrix(**confusion))


def core_parameters(**given: Any) -> dict[str, Any]:
    """Return the core's parameters for arguments of `tune_threshold`, with its defaults."""
    bound = inspect.signature(tune_threshold).bind(None, None, **given)
    bound.apply_defaults()
    who = "tune_threshold"
    asked = bound.arguments
    miss, false_alarm = as_numbers(who, "costs", asked["costs"], 2)
    return {
        "maximize": as_text(who, "maximize", asked["maximize"]),
        "beta": as_number(who, "beta", asked["beta"]),
        "costs": (miss, false_alarm),
        **{
            name: as_optional_number(who, name, asked[name])
            for name in ("min_recall", "min_precision", "min_specificity", "floor_confidence")
        },
    }
