"""Rejection of hypotheses at a controlled false-discovery rate."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook.decide._scores import as_scores


def benjamini_hochberg(
    p_values: ArrayLike, false_discovery_rate: float = 0.1, *, null_fraction: float = 1.0
) -> NDArray[np.bool_]:
    """Return which hypotheses to reject at a given false-discovery rate.

    Rejects the i smallest p-values for the largest i with
    ``p_(i) <= i * false_discovery_rate / (m * null_fraction)``. Valid for independent p-values, and
    for positively dependent ones, such as conformal p-values from one calibration set.

    Parameters
    ----------
    p_values : array-like of shape (m,)
        In [0, 1].
    false_discovery_rate : float, default=0.1
        Largest expected fraction of rejections that are wrong, in (0, 1).
    null_fraction : float, default=1.0
        Fraction of true null hypotheses (normal samples): 1, or `storey_null_fraction`.

    Returns
    -------
    rejected : ndarray of bool of shape (m,)

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate: A Practical and Powerful
    Approach to Multiple Testing", Journal of the Royal Statistical Society B 57, 1995.

    Examples
    --------
    >>> from secondlook import benjamini_hochberg
    >>> benjamini_hochberg([0.001, 0.04, 0.03, 0.8], false_discovery_rate=0.05)
    array([ True, False, False, False])
    """
    p = as_scores("benjamini_hochberg", p_values, "p-values")
    return _core.decide.benjamini_hochberg(p, false_discovery_rate, null_fraction).view(np.bool_)


def storey_null_fraction(p_values: ArrayLike, *, cut: float = 0.5) -> float:
    """Estimate the fraction of true null hypotheses: ``(1 + #{p > cut}) / (m * (1 - cut))``.

    With this estimate, `benjamini_hochberg` finds more if many samples are abnormal.

    Parameters
    ----------
    p_values : array-like of shape (m,)
        In [0, 1].
    cut : float, default=0.5
        In (0, 1).

    Returns
    -------
    null_fraction : float
        Above 0; may exceed 1.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    J. D. Storey, J. E. Taylor, D. Siegmund, "Strong control, conservative point estimation and
    simultaneous conservative consistency of false discovery rates", Journal of the Royal
    Statistical Society B 66, 2004.

    Examples
    --------
    >>> from secondlook import storey_null_fraction
    >>> storey_null_fraction([0.01, 0.02, 0.03, 0.7])
    1.0
    """
    return _core.decide.storey_null_fraction(
        as_scores("storey_null_fraction", p_values, "p-values"), cut
    )
