"""Confidence interval of a fraction."""

import math
from typing import NamedTuple

from secondlook import _core
from secondlook._shared.arguments import as_number, as_whole_number


class Estimate(NamedTuple):
    """An estimated value with its confidence interval.

    NaN where there is nothing to divide by. It is shown as ``0.953 (0.941 to 0.963)``, or ``nan``.

    Attributes
    ----------
    value, low, high : float
    """

    value: float
    low: float
    high: float

    def __repr__(self) -> str:
        if math.isnan(self.value):
            return "nan"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def binomial_interval(
    n_successes: int, n_trials: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the exact confidence interval of a binomial proportion.

    It covers the true fraction with probability at least `confidence`, whatever that fraction is.
    Each side errs with at most half of the remaining probability, so one side alone is a bound at
    confidence ``(1 + confidence) / 2``. Without any trial the interval is (0, 1).

    Parameters
    ----------
    n_successes, n_trials : int
        Number of successes among the trials.
    confidence : float, default=0.95
        In (0, 1).

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If there are more successes than trials, or an argument is out of range.

    References
    ----------
    C. J. Clopper, E. S. Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case
    of the Binomial", Biometrika 26, 1934.

    Examples
    --------
    >>> from secondlook import binomial_interval
    >>> low, high = binomial_interval(0, 60)
    >>> low, round(high, 3)
    (0.0, 0.06)
    """
    who = "binomial_interval"
    return _core.decide.binomial_interval(
        as_whole_number(who, "n_successes", n_successes, 0),
        as_whole_number(who, "n_trials", n_trials, 0),
        as_number(who, "confidence", confidence),
    )
