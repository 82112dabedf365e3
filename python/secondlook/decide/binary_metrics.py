"""Quality of scores and of the decisions made on them, with confidence intervals."""

from dataclasses import dataclass, fields
from typing import Any

from numpy.typing import ArrayLike

from secondlook import _core
from secondlook._shared.arguments import as_number, as_whole_number
from secondlook._shared.random_state import seed_of
from secondlook._shared.shown import Result, ShownTable
from secondlook._shared.threads import requested_threads
from secondlook.decide._scores import as_labelled
from secondlook.decide.binomial_interval import Estimate
from secondlook.decide.confusion_matrix import ConfusionMatrix


@dataclass(frozen=True, repr=False)
class BinaryMetrics(Result):
    """Quality of scores and of the decisions made on them.

    Attributes
    ----------
    confusion : ConfusionMatrix
        Counts by true class and decision.
    accuracy, recall, precision, specificity : Estimate
        With exact intervals.
    f_beta, balanced_accuracy, matthews : Estimate
        With bootstrap intervals, like the areas and the Brier score.
    roc_auc, average_precision : Estimate
        Areas of `RocCurve` and `PrecisionRecallCurve`.
    brier : Estimate
        Mean squared error of the scores as probabilities; NaN if a score is outside [0, 1].
    expected_calibration_error : Estimate
        Mean distance between score and frequency over 15 equal bins of [0, 1]; NaN if a score is
        outside [0, 1]. Noise inflates it: perfectly calibrated scores show some error, too. The
        interval is for the error without noise, and starts at 0 if calibrated scores could have
        shown as much.
    """

    confusion: ConfusionMatrix
    accuracy: Estimate
    recall: Estimate
    precision: Estimate
    specificity: Estimate
    f_beta: Estimate
    balanced_accuracy: Estimate
    matthews: Estimate
    roc_auc: Estimate
    average_precision: Estimate
    brier: Estimate
    expected_calibration_error: Estimate

    def __repr__(self) -> str:
        lines = [f"{name.replace('_', ' '):28}{value}" for name, value in self._shown().items()]
        return f"{self.confusion}\n" + "\n".join(lines)

    def _shown(self) -> dict[str, Estimate]:
        names = [field.name for field in fields(self) if field.name != "confusion"]
        return {name: getattr(self, name) for name in names}

    def _shown_tables(self) -> list[ShownTable]:
        return self.confusion._shown_tables()


def binary_metrics(
    y_true: ArrayLike,
    score: ArrayLike,
    threshold: float = 0.5,
    *,
    beta: float = 1.0,
    confidence: float = 0.95,
    n_bootstrap: int = 1000,
    n_jobs: int | None = None,
    random_state: Any = 0,
) -> BinaryMetrics:
    """Compute metrics of labelled scores, each with a confidence interval.

    Fractions of counts have exact (Clopper-Pearson) intervals, the other metrics percentile
    intervals of a bootstrap over cases. The exception is the expected calibration error, which a
    bootstrap would inflate twice: its interval holds the true errors that are compatible with the
    one found, by tests on simulated noise, and is conservative. Cases must be independent: several
    images of one patient do not count as several cases.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 is abnormal, 0 normal.
    score : array-like of shape (n_samples,)
        Higher is more abnormal; finite.
    threshold : float, default=0.5
        A score equal to it is positive.
    beta : float, default=1.0
        Recall weighs `beta` times as much as precision in ``f_beta``.
    confidence : float, default=0.95
        Confidence level of the intervals, in (0, 1).
    n_bootstrap : int, default=1000
        Number of resamples (and of noise simulations) for the intervals that are not exact; with 0
        these are NaN.
    n_jobs : int, optional
        Number of threads; the result does not depend on it.
    random_state : int, RandomState or None, default=0
        Seed of the resamples.

    Returns
    -------
    metrics : BinaryMetrics

    Raises
    ------
    ValueError
        If labels and scores do not match, or an argument is invalid.

    References
    ----------
    B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7, 1979.

    J. Bröcker, L. A. Smith, "Increasing the Reliability of Reliability Diagrams", Weather and
    Forecasting 22, 2007, for the noise of calibrated scores in the calibration error.

    Examples
    --------
    >>> from secondlook import binary_metrics
    >>> metrics = binary_metrics([0, 0, 0, 1, 1], [0.1, 0.2, 0.7, 0.4, 0.9])
    >>> print(metrics.recall)
    0.500 (0.013 to 0.987)
    """
    who = "binary_metrics"
    scores, labels = as_labelled(who, y_true, score)
    found = _core.decide.binary_metrics(
        scores,
        labels,
        threshold=as_number(who, "threshold", threshold),
        beta=as_number(who, "beta", beta),
        confidence=as_number(who, "confidence", confidence),
        n_bootstrap=as_whole_number(who, "n_bootstrap", n_bootstrap, 0),
        seed=seed_of(random_state),
        n_jobs=requested_threads(who, n_jobs),
    )
    confusion = ConfusionMatrix(**found.pop("confusion"))
    return BinaryMetrics(confusion, **{name: Estimate(*found[name]) for name in found})
