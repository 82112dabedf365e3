"""A threshold that guarantees a false-alarm rate."""

from numpy.typing import ArrayLike

from secondlook import _core
from secondlook.decide._scores import as_scores


def quantile_threshold(
    scores: ArrayLike, false_alarm_rate: float = 0.01, *, confidence: float | None = None
) -> float:
    """Return the lowest threshold that keeps a false-alarm rate, from scores of normal samples.

    The threshold is an order statistic and makes no assumption about the distribution of the
    scores; a score at or above it is abnormal. Without `confidence` the rate holds on average over
    calibration sets. With `confidence`, the rate of the returned threshold is at most
    `false_alarm_rate` with that probability. Both require exchangeable scores: consecutive samples
    that resemble each other are worth fewer independent ones.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores of normal samples; higher is more abnormal; finite.
    false_alarm_rate : float, default=0.01
        Fraction of normal samples that may be called abnormal, in (0, 1).
    confidence : float, optional
        In (0, 1), such as 0.95.

    Returns
    -------
    threshold : float

    Raises
    ------
    ValueError
        If there are too few scores for the rate, or an argument is out of range.

    References
    ----------
    V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", Springer 2005.

    S. S. Wilks, "Determination of Sample Sizes for Setting Tolerance Limits", Annals of
    Mathematical Statistics 12, 1941, for `confidence`.

    Examples
    --------
    >>> from secondlook import quantile_threshold
    >>> round(quantile_threshold(range(1, 100), false_alarm_rate=0.05), 6)
    95.0
    """
    return _core.decide.quantile_threshold(
        as_scores("quantile_threshold", scores), false_alarm_rate, confidence
    )
