"""Confusion matrix of two classes and the measures derived from it."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from secondlook import _core
from secondlook._shared.arguments import as_number
from secondlook._shared.shown import Result, ShownTable
from secondlook.decide._scores import as_labelled


@dataclass(frozen=True, repr=False)
class ConfusionMatrix(Result):
    """Counts of cases by true class and decision; positive means abnormal.

    Measures are NaN where there is nothing to divide by.

    Attributes
    ----------
    true_negatives, false_positives, false_negatives, true_positives : int
        False positives are false alarms, false negatives are misses.
    accuracy, recall, specificity, precision, f1, balanced_accuracy : float
        In [0, 1].
    matthews : float
        Correlation between true class and decision, in [-1, 1].
    """

    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int
    accuracy: float
    recall: float
    specificity: float
    precision: float
    f1: float
    balanced_accuracy: float
    matthews: float

    def __repr__(self) -> str:
        n, f = (
            (self.true_negatives, self.false_positives),
            (self.false_negatives, self.true_positives),
        )
        width = max(8, *(len(f"{count:,}") + 1 for count in (*n, *f)))
        return (
            f"{'':10}{'negative':>{width}}  {'positive':>{width}}\n"
            f"{'normal':10}{n[0]:>{width},}  {n[1]:>{width},}\n"
            f"{'abnormal':10}{f[0]:>{width},}  {f[1]:>{width},}"
        )

    def _shown(self) -> dict[str, float]:
        return {name: value for name, value in vars(self).items() if isinstance(value, float)}

    def _shown_tables(self) -> list[ShownTable]:
        rows = [
            ("normal", self.true_negatives, self.false_positives),
            ("abnormal", self.false_negatives, self.true_positives),
        ]
        return [ShownTable(("negative", "positive"), rows)]


def confusion_matrix(
    y_true: ArrayLike, score: ArrayLike, threshold: float = 0.5
) -> ConfusionMatrix:
    """Count the right and wrong decisions that a threshold makes on labelled scores.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 is abnormal, 0 normal.
    score : array-like of shape (n_samples,)
        Higher is more abnormal; finite.
    threshold : float, default=0.5
        A score equal to it is positive.

    Returns
    -------
    confusion : ConfusionMatrix

    Raises
    ------
    ValueError
        If labels and scores do not match, or an argument is invalid.

    Examples
    --------
    >>> from secondlook import confusion_matrix
    >>> print(confusion_matrix([0, 0, 0, 1, 1], [0.1, 0.2, 0.7, 0.4, 0.9]))
              negative  positive
    normal           2         1
    abnormal         1         1
    """
    who = "confusion_matrix"
    scores, labels = as_labelled(who, y_true, score)
    threshold = as_number(who, "threshold", threshold)
    return ConfusionMatrix(**_core.decide.confusion_matrix(scores, labels, threshold))
