"""Decisions of a rule on the cases that it is to be fitted on, each by a rule without that case."""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold

from secondlook.decide.decision_rule import DecisionRule

__all__ = ["cross_fitted_decisions", "fewest_groups"]

_N_PARTS = 5


def cross_fitted_decisions(
    rule: DecisionRule,
    score: NDArray[np.float64],
    abnormal: NDArray[np.bool_],
    groups: NDArray[np.str_],
    out_of_distribution: NDArray[np.bool_] | None,
    seed: int,
) -> NDArray[np.str_] | None:
    """Return the decision on each case by a rule that was fitted on cases of other groups.

    The cases are divided by groups into five parts, or fewer if a class has fewer groups; a rule
    fitted on the other parts decides each. So a decision is as good as that of a rule fitted on a
    little less than all cases. None if there are too few groups to fit a rule on some of them.
    """
    n_parts = min(_N_PARTS, fewest_groups(abnormal, groups)[1])
    if n_parts < 2:
        return None
    decisions = np.full(len(score), "refer", dtype="<U8")
    parts = StratifiedGroupKFold(n_parts, shuffle=True, random_state=seed)
    for others, part in parts.split(score, abnormal, groups):
        with warnings.catch_warnings():  # those about all cases come from the rule that is kept
            warnings.simplefilter("ignore")
            try:
                fitted = clone(rule).fit(score[others], abnormal[others], groups[others])
            except ValueError:  # a class is missing among these, or among one case per group
                return None
            far = None if out_of_distribution is None else out_of_distribution[part]
            decisions[part] = fitted.decide(score[part], far)
    return decisions


def fewest_groups(labels: NDArray[np.generic], groups: NDArray[np.str_]) -> tuple[object, int]:
    """Return the label with the fewest groups, and their number."""
    n_groups = {name: len(np.unique(groups[labels == name])) for name in np.unique(labels).tolist()}
    fewest = min(n_groups, key=lambda name: n_groups[name])
    return fewest, n_groups[fewest]
