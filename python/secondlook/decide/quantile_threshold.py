"""A threshold that keeps a false-alarm rate."""

from numpy.typing import ArrayLike

from secondlook import _core
from secondlook.decide._scores import as_scores


def quantile_threshold(
    scores: ArrayLike, false_alarm_rate: float = 0.01, *, confidence: float | None = None
) -> float:
    """Return the least threshold that keeps a false-alarm rate, from normal samples alone.

    An order statistic, whatever the scores' distribution: a score at or above it is abnormal.
    Without `confidence` the rate holds on average over calibrations; with it, this very threshold's
    rate is at most `false_alarm_rate` with that probability. Both need exchangeable scores: of
    consecutive instants that resemble each other, fewer count than there are.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Of normal samples, higher is more abnormal; finite.
    false_alarm_rate : float, default=0.01
        Share of normal samples that may be called abnormal, in (0, 1).
    confidence : float, optional
        In (0, 1), such as 0.95.

    Returns
    -------
    threshold : float

    Raises
    ------
    ValueError
        If there are too few scores to promise this, or an argument is none of the above.

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
