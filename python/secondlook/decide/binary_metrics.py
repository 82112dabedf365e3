"""How good scores and the decisions on them are, and how sure that is."""

from dataclasses import dataclass, fields
from typing import Any

from numpy.typing import ArrayLike

from secondlook import _core
from secondlook._shared.arguments import as_number, as_whole_number
from secondlook._shared.random_state import seed_of
from secondlook._shared.threads import requested_threads
from secondlook.decide._scores import as_labelled
from secondlook.decide.binomial_interval import Estimate
from secondlook.decide.confusion_matrix import ConfusionMatrix


@dataclass(frozen=True)
class BinaryMetrics:
    """How good scores and the decisions on them are.

    Attributes
    ----------
    confusion : ConfusionMatrix
    accuracy, recall, precision, specificity : Estimate
        With exact intervals.
    f_beta, balanced_accuracy, matthews : Estimate
        With bootstrap intervals, as the areas and the Brier score.
    roc_auc, average_precision : Estimate
        Areas of `RocCurve` and `PrecisionRecallCurve`.
    brier : Estimate
        Mean squared error of the scores as probabilities; NaN if one is none.
    expected_calibration_error : Estimate
        Mean distance of score and frequency over 15 equal bins of [0, 1]; NaN if a score is no
        probability. Noise inflates it: honest scores show some too. Its interval is of the error
        without noise, and begins at 0 where honest scores could have shown as much.
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

    def __str__(self) -> str:
        lines = [
            f"{field.name.replace('_', ' '):28}{getattr(self, field.name)}"
            for field in fields(self)
            if field.name != "confusion"
        ]
        return f"{self.confusion}\n" + "\n".join(lines)


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
    """Measure labelled scores, each measure with an interval.

    Shares of counts have exact (Clopper-Pearson) intervals, the others percentile intervals of a
    bootstrap over cases; but the expected calibration error, which a bootstrap inflates twice,
    has those true errors inside that may show as found, by tests on draws of the noise. That
    interval is cautious. Cases must be independent: several images of a patient are not as many.

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
        Of the intervals, in (0, 1).
    n_bootstrap : int, default=1000
        Resamples, and draws of noise, behind the intervals that are not exact; 0 leaves these
        NaN.
    n_jobs : int, optional
        Threads; the result does not depend on it.
    random_state : int, RandomState or None, default=0
        Of the resamples.

    Returns
    -------
    metrics : BinaryMetrics

    Raises
    ------
    ValueError
        If labels and scores do not match, or an argument is none of the above.

    References
    ----------
    B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7, 1979.

    J. Bröcker, L. A. Smith, "Increasing the Reliability of Reliability Diagrams", Weather and
    Forecasting 22, 2007, for the noise of honest scores in the calibration error.

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
