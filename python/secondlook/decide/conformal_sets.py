"""Sets of classes that contain the true one with a guarantee, for each class and group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from secondlook import _core
from secondlook._shared.arguments import as_number, as_text, as_whole_number
from secondlook._shared.random_state import seed_of
from secondlook._shared.shown import Result, ShownTable
from secondlook._shared.table import read_table
from secondlook.decide._groups import indices_of, named_groups
from secondlook.decide._scores import as_classes, as_mask
from secondlook.decide.binomial_interval import Estimate

_REFER = "refer"
_SUM_TOLERANCE = 1e-3  # of a row of probabilities, as in the core
_COLUMNS = ("cases", "coverage", "classes per set", "referred", "accuracy of those decided")


@dataclass(frozen=True, repr=False)
class CoverageReport(Result):
    """Results of sets on some labelled cases, with exact confidence intervals.

    Attributes
    ----------
    n_cases : int
    coverage : Estimate
        Cases whose set contains the true class / cases: what the guarantee bounds.
    mean_set_size : float
        Mean number of classes per set.
    referral_rate : Estimate
        Referred cases / cases.
    accuracy : Estimate
        Fraction of right decisions among the decided cases.
    """

    n_cases: int
    coverage: Estimate
    mean_set_size: float
    referral_rate: Estimate
    accuracy: Estimate

    def _row(self) -> tuple[Any, ...]:
        return (
            self.n_cases, self.coverage, self.mean_set_size, self.referral_rate, self.accuracy,
        )  # fmt: skip


@dataclass(frozen=True, repr=False)
class ConformalSetsReport(Result):
    """Results of sets on labelled cases: of all, of each true class and of each group.

    Attributes
    ----------
    all : CoverageReport
    by_class : dict of CoverageReport
        By class.
    by_group : dict of CoverageReport
        By group; empty if the sets were fitted without groups. Cases of unknown groups count only
        in the other two.
    """

    all: CoverageReport
    by_class: Mapping[Any, CoverageReport]
    by_group: Mapping[Any, CoverageReport]

    def __repr__(self) -> str:
        parts = self._parts()
        width = max(map(len, parts)) + 2
        heads = ("cases", "coverage", "set size", "referred", "accuracy")
        widths = (7, 24, 10, 24, 24)
        lines = [" " * width + "".join(f"{h:>{w}}" for h, w in zip(heads, widths, strict=True))]
        for name, part in parts.items():
            cells = (f"{part.n_cases:,}", str(part.coverage), f"{part.mean_set_size:.2f}",
                     str(part.referral_rate), str(part.accuracy))  # fmt: skip
            cells_shown = "".join(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
            lines.append(f"{name:{width}}{cells_shown}")
        return "\n".join(lines)

    def _parts(self) -> dict[str, CoverageReport]:
        return {
            "all": self.all,
            **{f"class {name}": part for name, part in self.by_class.items()},
            **{f"group {name}": part for name, part in self.by_group.items()},
        }

    def _shown(self) -> dict[str, Any]:
        return {}

    def _shown_tables(self) -> list[ShownTable]:
        return [
            ShownTable(_COLUMNS, [(name, *part._row()) for name, part in self._parts().items()])
        ]


class ConformalSets(BaseEstimator):
    """Decide among many classes where a guarantee allows it, and refer the other cases.

    Each case gets the set of the classes that are plausible. A set with exactly one class is a
    decision, every other case is referred to a person. The guarantee: the true class is in the set
    with probability at least ``1 - alpha``, so at most `alpha` of all cases are decided wrongly. It
    makes no assumption about the probabilities, which may come from any classifier. It requires
    calibration cases that the classifier was not trained on and that are exchangeable with new
    ones; ten images of one patient are not, so pass one case per patient. It holds on average over
    calibration sets.

    A class is in the set if its score is at most a threshold: the k-th smallest score of the true
    classes of n calibration cases, ``k = ceil((n + 1) * (1 - alpha))``. With one threshold for all
    cases the guarantee may be broken for a rare class or for one site, as others make up for it.
    Then use ``guarantee="class_conditional"``, ``fit(..., by=site)``, or both, by which there
    is a threshold per class, per group, or per class of each group, and the guarantee holds for
    each.

    Parameters
    ----------
    alpha : float, default=0.1
        Largest probability that the true class is not in the set, in (0, 1).
    method : {"lac", "aps", "raps"}, default="lac"
        The score of a class. ``"lac"``: 1 - its probability, which gives the smallest sets on
        average. ``"aps"``: the probability of all more probable classes and a random fraction of
        its own, which gives larger sets where the classifier is uncertain, instead of fewer
        covered cases. ``"raps"``: the same with a penalty on large sets, for dozens of classes.
    guarantee : {"marginal", "class_conditional"}, default="marginal"
        For which cases the guarantee holds: on average over all, or for the cases of each class.
    allow_empty : bool, default=False
        Whether a set may be empty, which says that no class fits as well as true classes do. An
        empty set is referred, since there is nothing to decide for. By default the most probable
        class is in every set, which keeps the guarantee.
    randomised : bool, default=True
        Whether ``"aps"`` and ``"raps"`` use a random fraction of the probability of a class. If
        not, they use all of it, and sets are larger than the guarantee needs. The fraction depends
        on `random_state` and the probabilities of the case alone, so the set of a case is always
        the same.
    penalty : float, default=0.01
        Added by ``"raps"`` for each class of a set beyond `n_unpenalised` (the authors' λ), at
        least 0. Choose it beforehand or on other cases.
    n_unpenalised : int, default=5
        Size of a set without a penalty (the authors' k_reg).
    classes : sequence, optional
        Names of the classes, in the order of the columns of the probabilities. The default is 0, 1,
        and so on.
    unknown_group : {"error", "refer"}, default="error"
        What happens to a case of a group without calibration cases, for which there is no
        guarantee: an error that names the group, or a set of all classes, which is referred.
    random_state : int, RandomState or None, default=0
        Seed of the random fractions.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    groups_ : ndarray of shape (n_groups,) or None
        Names of the groups; None if fitted without groups.
    thresholds_ : ndarray of shape (n_groups, n_classes)
        Largest score of a class in a set. One row without groups.
    n_calibration_ : ndarray of int of shape (n_groups, n_classes)
        Number of calibration cases.

    References
    ----------
    M. Sadinle, J. Lei, L. Wasserman, "Least Ambiguous Set-Valued Classifiers With Bounded Error
    Levels", Journal of the American Statistical Association 114, 2019, for ``"lac"``.

    Y. Romano, M. Sesia, E. J. Candès, "Classification with Valid and Adaptive Coverage", Advances
    in Neural Information Processing Systems 33, 2020, for ``"aps"``.

    A. N. Angelopoulos, S. Bates, J. Malik, M. I. Jordan, "Uncertainty Sets for Image Classifiers
    using Conformal Prediction", International Conference on Learning Representations, 2021, for
    ``"raps"``.

    V. Vovk, "Conditional Validity of Inductive Conformal Predictors", Asian Conference on Machine
    Learning, 2012, for guarantees per class and per group.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import ConformalSets
    >>> random = np.random.default_rng(0)
    >>> probabilities = random.dirichlet([0.3, 0.3, 0.3], size=500)
    >>> y = (probabilities.cumsum(axis=1) < random.random((500, 1))).sum(axis=1)
    >>> fitted = ConformalSets(alpha=0.1).fit(probabilities, y)
    >>> fitted.sets([[0.97, 0.02, 0.01], [0.4, 0.5, 0.1]])
    array([[ True, False, False],
           [ True,  True, False]])
    >>> fitted.decide([[0.97, 0.02, 0.01], [0.4, 0.5, 0.1]])
    array([0, 'refer'], dtype=object)
    """

    def __init__(
        self,
        alpha: float = 0.1,
        method: str = "lac",
        *,
        guarantee: str = "marginal",
        allow_empty: bool = False,
        randomised: bool = True,
        penalty: float = 0.01,
        n_unpenalised: int = 5,
        classes: Sequence[Any] | None = None,
        unknown_group: str = "error",
        random_state: Any = 0,
    ) -> None:
        self.alpha = alpha
        self.method = method
        self.guarantee = guarantee
        self.allow_empty = allow_empty
        self.randomised = randomised
        self.penalty = penalty
        self.n_unpenalised = n_unpenalised
        self.classes = classes
        self.unknown_group = unknown_group
        self.random_state = random_state

    def fit(self, probabilities: ArrayLike, y_true: ArrayLike, by: ArrayLike | None = None) -> Self:
        """Choose the thresholds on labelled cases that the classifier was not trained on.

        Parameters
        ----------
        probabilities : array-like of shape (n_samples, n_classes)
            As returned by ``predict_proba``: in [0, 1], each row with the sum 1 within 0.001.
        y_true : array-like of shape (n_samples,)
            True classes, by the names in `classes` or else the indices of the columns.
        by : array-like of shape (n_samples,), optional
            Group of each case, such as its site, camera or age class, for which the guarantee must
            hold on its own; no value may be missing. (The `groups` of
            `SuspiciousBand.fit` are cases that depend on each other.)

        Returns
        -------
        self : ConformalSets

        Raises
        ------
        ValueError
            If there are too few calibration cases, in each class or group with a threshold of its
            own: ``ceil(1 / alpha) - 1`` is the fewest with which a set may leave a class out. Or if
            the arguments do not match or are invalid.
        """
        who = "ConformalSets.fit"
        parameters = self._core_parameters()
        rows = _as_probabilities(who, probabilities)
        n, n_classes = rows.shape
        classes = self._class_names(who, n_classes)
        labels = _as_labels(who, y_true, n, classes, named=self.classes is not None)
        names, indices = None, np.empty(0, np.int64)
        if by is not None:
            names, indices = named_groups(who, by, n)
        self._require_enough(who, labels, indices, classes, names)
        self._fitted = _core.decide.ConformalSets(rows, labels, indices, parameters)
        self.classes_, self.groups_ = classes, names
        state = self._fitted.state
        self.thresholds_: NDArray[np.float64] = state["thresholds"]
        self.n_calibration_: NDArray[np.int64] = state["n_calibration"]
        return self

    def sets(self, probabilities: ArrayLike, by: ArrayLike | None = None) -> NDArray[np.bool_]:
        """Return the set of classes of each case.

        Parameters
        ----------
        probabilities : array-like of shape (n_samples, n_classes)
        by : array-like of shape (n_samples,), optional
            Group of each case; required if fitted with groups.

        Returns
        -------
        sets : ndarray of bool of shape (n_samples, n_classes)
            Whether the class is in the set.

        Raises
        ------
        ValueError
            If a group is unknown (see `unknown_group`), or the arguments do not match those of
            `fit`.
        """
        rows, indices = self._as_cases("ConformalSets.sets", probabilities, by)
        return cast("NDArray[np.bool_]", self._fitted.sets(rows, indices).view(np.bool_))

    def decide(
        self,
        probabilities: ArrayLike,
        by: ArrayLike | None = None,
        out_of_distribution: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """Decide the cases whose set has exactly one class, and refer the others.

        Parameters
        ----------
        probabilities, by
            As in `sets`.
        out_of_distribution : array-like of bool of shape (n_samples,), optional
            Cases to refer whatever their probabilities, because they are out of distribution
            (`FeatureDistance.is_out_of_distribution`).

        Returns
        -------
        decisions : ndarray of shape (n_samples,)
            The class or ``"refer"``; of str if all classes are strings, otherwise of object.
        """
        who = "ConformalSets.decide"
        rows, indices = self._as_cases(who, probabilities, by)
        mask = as_mask(who, out_of_distribution, len(rows))
        names = np.array([*self.classes_.tolist(), _REFER], dtype=object)  # -1 is the last
        if all(isinstance(name, str) for name in names):
            names = names.astype(str)
        return names[self._fitted.decide(rows, indices, mask)]

    def report(
        self,
        probabilities: ArrayLike,
        y_true: ArrayLike,
        by: ArrayLike | None = None,
        confidence: float = 0.95,
    ) -> ConformalSetsReport:
        """Evaluate the sets on labelled cases, which should not be those they were fitted on.

        Parameters
        ----------
        probabilities, y_true, by
            As in `fit`.
        confidence : float, default=0.95
            Confidence level of the intervals.

        Returns
        -------
        report : ConformalSetsReport
        """
        who = "ConformalSets.report"
        rows, indices = self._as_cases(who, probabilities, by)
        labels = _as_labels(who, y_true, len(rows), self.classes_, named=self.classes is not None)
        found = self._fitted.report(rows, labels, indices, as_number(who, "confidence", confidence))
        by_class = map(_report_of, found["by_class"])
        by_group = map(_report_of, found["by_group"])
        groups_named = [] if self.groups_ is None else self.groups_.tolist()
        return ConformalSetsReport(
            _report_of(found["all"]),
            dict(zip(self.classes_.tolist(), by_class, strict=True)),
            dict(zip(groups_named, by_group, strict=True)),
        )

    def _as_cases(
        self, who: str, probabilities: ArrayLike, by: ArrayLike | None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return checked probabilities and the group indices of the core."""
        check_is_fitted(self)
        rows = _as_probabilities(who, probabilities)
        if rows.shape[1] != len(self.classes_):
            raise ValueError(
                f"{who}: expected probabilities of {len(self.classes_)} classes, got "
                f"{rows.shape[1]}"
            )
        if self.groups_ is None:
            if by is not None:
                raise ValueError(f"{who}: expected no by, because fit got none")
            return rows, np.empty(0, np.int64)
        return rows, indices_of(who, self.groups_, by, len(rows), unknown=self.unknown_group)

    def _class_names(self, who: str, n_classes: int) -> NDArray[Any]:
        if self.classes is None:
            return np.arange(n_classes)
        given = list(self.classes)
        if len(given) != n_classes or len(set(given)) != n_classes or _REFER in given:
            raise ValueError(
                f"{who}: expected classes as {n_classes} different names, one per column of the "
                f"probabilities and none of them 'refer', got {given!r}"
            )
        strings = all(isinstance(name, str) for name in given)
        return np.array(given, dtype=str if strings else object)

    def _require_enough(
        self,
        who: str,
        labels: NDArray[np.int64],
        groups: NDArray[np.int64],
        classes: NDArray[Any],
        names: NDArray[Any] | None,
    ) -> None:
        """Refuse a class or group, by its name, that has too few cases for its threshold."""
        alpha = as_number("ConformalSets", "alpha", self.alpha)
        if not 0 < alpha < 1:
            raise ValueError(f"ConformalSets: alpha must lie in (0, 1), got {self.alpha}")
        needed = _core.decide.fewest_for_coverage(alpha)
        counts = np.zeros((1 if names is None else len(names), len(classes)), np.int64)
        np.add.at(counts, (groups if len(groups) else np.zeros_like(labels), labels), 1)
        by_class = self.guarantee == "class_conditional"
        if not by_class:
            counts = counts.sum(axis=1, keepdims=True)
        if (counts >= needed).all():
            return
        group, label = np.unravel_index(np.argmin(counts), counts.shape)
        whose = [f"class {classes.tolist()[label]!r}"] * by_class
        ways_out = ['use guarantee="marginal"'] * by_class
        if names is not None:
            whose.append(f"group {names.tolist()[group]!r}")
            ways_out += ['merge groups, or leave its cases out and pass unknown_group="refer"']
        raise ValueError(
            f"{who}: expected at least {needed} calibration cases"
            f"{''.join(f' of {one}' for one in whose)} for alpha={self.alpha}, got "
            f"{counts[group, label]}; {', '.join([*ways_out, 'or raise alpha'])}"
        )

    def _core_parameters(self) -> dict[str, Any]:
        who = "ConformalSets"
        return {
            "alpha": as_number(who, "alpha", self.alpha),
            "method": as_text(who, "method", self.method),
            "guarantee": as_text(who, "guarantee", self.guarantee),
            "allow_empty": self.allow_empty,
            "randomised": self.randomised,
            "penalty": as_number(who, "penalty", self.penalty),
            "n_unpenalised": as_whole_number(who, "n_unpenalised", self.n_unpenalised, 0),
            "unknown_group": as_text(who, "unknown_group", self.unknown_group),
            "seed": seed_of(self.random_state),
        }


def _as_probabilities(who: str, probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return rows of probabilities in the core's type; errors name the first bad row."""
    values = read_table(who, probabilities, "probabilities").values
    if len(values) == 0 or values.shape[1] < 2:
        raise ValueError(
            f"{who}: expected probabilities of at least 1 case and 2 classes, got shape "
            f"{values.shape}"
        )
    rows = np.ascontiguousarray(values, dtype=np.float64)
    wrong = ~((rows >= 0) & (rows <= 1 + _SUM_TOLERANCE))
    if wrong.any():
        i, j = np.argwhere(wrong)[0]
        raise ValueError(
            f"{who}: expected probabilities in [0, 1], got {rows[i, j]} in row {i}, column {j}"
        )
    sums = rows.sum(axis=1)
    off = np.abs(sums - 1) > _SUM_TOLERANCE
    if off.any():
        i = int(np.flatnonzero(off)[0])
        raise ValueError(
            f"{who}: expected probabilities with the sum 1 in each row, got {sums[i]:.4g} in row "
            f"{i}; pass predict_proba, not scores or logits"
        )
    return rows


def _as_labels(
    who: str, y_true: ArrayLike, n: int, classes: NDArray[Any], *, named: bool
) -> NDArray[np.int64]:
    """Return the column of the true class of each case."""
    if not named:
        return as_classes(who, y_true, n, len(classes), f"labels from 0 to {len(classes) - 1}")
    array = np.asarray(y_true)
    if array.shape != (n,):
        raise ValueError(f"{who}: expected y_true of shape ({n},), got shape {array.shape}")
    index_of = {name: index for index, name in enumerate(classes.tolist())}
    labels = np.array([index_of.get(value, -1) for value in array.tolist()], np.int64)
    if (labels < 0).any():
        first = int(np.flatnonzero(labels < 0)[0])
        raise ValueError(
            f"{who}: expected labels among the classes {', '.join(map(repr, index_of))}, got "
            f"{array.tolist()[first]!r} at index {first}"
        )
    return labels


def _report_of(found: dict[str, Any]) -> CoverageReport:
    values = {
        name: Estimate(*value) if isinstance(value, tuple) else value
        for name, value in found.items()
    }
    return CoverageReport(**cast("dict[str, Any]", values))
