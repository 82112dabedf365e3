"""The best threshold of labelled scores."""

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
from secondlook.decide._scores import as_labelled_of_both
from secondlook.decide.confusion_matrix import ConfusionMatrix


@dataclass(frozen=True)
class ThresholdTuning:
    """The best threshold, and what it does to the cases that it was chosen on.

    Attributes
    ----------
    threshold : float
        Positive from here on; infinity where nothing should be.
    objective : float
        What was made as large as it can be; the mean over cases for costs.
    confusion : ConfusionMatrix
    """

    threshold: float
    objective: float
    confusion: ConfusionMatrix


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
    """Return the best threshold, exact over every distinct score.

    Of thresholds that are equally good the lowest, which misses least, is taken. Time grows as
    n log n.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 is abnormal, 0 normal; some of both.
    score : array-like of shape (n_samples,)
        Higher is more abnormal; finite.
    maximize : {"accuracy", "f_beta", "balanced_accuracy", "negative_cost"}, default="accuracy"
    beta : float, default=1.0
        Recall weighs `beta` times as much as precision in ``"f_beta"``.
    costs : (float, float), default=(1.0, 1.0)
        Of a miss and of a false alarm, for ``"negative_cost"``.
    min_recall, min_precision, min_specificity : float, optional
        Floors in [0, 1] that the threshold must keep.
    floor_confidence : float, optional
        In (0, 1), such as 0.95: the floors then hold for the exact lower bounds, one measure at a
        time. For recall and specificity, which go one way with the threshold, choosing it costs
        nothing of that confidence; for precision it may cost some.

    Returns
    -------
    tuning : ThresholdTuning

    Raises
    ------
    ValueError
        If labels and scores do not match, an argument is none of the above, or no threshold keeps
        the floors; the message then names the one that comes nearest, at a confidence by its
        lower bounds.

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
    """Return arguments of `tune_threshold`, and its defaults for the others, for the core."""
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
