"""A suspicious band for each group, so that its guarantee holds in every group."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from secondlook._shared.shown import Result, ShownTable
from secondlook._shared.warn_caller import warn_caller
from secondlook.decide._groups import indices_of, named_groups
from secondlook.decide._scores import as_finite_scores, as_labelled, as_mask
from secondlook.decide.suspicious_band import DECISIONS, BandReport, SuspiciousBand

_Value = TypeVar("_Value")
_COLUMNS = ("cases", "referred", "missed", "false alarms", "accuracy of those decided")


@dataclass(frozen=True, repr=False)
class BandPerGroupReport(Result):
    """Results of the bands on labelled cases: of all cases and of each group.

    Attributes
    ----------
    all : BandReport
    by_group : dict of BandReport
        By group. Cases of unknown groups, which are referred, count only in `all`.
    """

    all: BandReport
    by_group: Mapping[Any, BandReport]

    def __repr__(self) -> str:
        parts = {"all": self.all, **{f"group {name}": r for name, r in self.by_group.items()}}
        return "\n".join(f"{name}\n{part!r}" for name, part in parts.items())

    def _shown(self) -> dict[str, Any]:
        return {}

    def _shown_tables(self) -> list[ShownTable]:
        parts = {"all": self.all, **{f"group {name}": r for name, r in self.by_group.items()}}
        rows = [
            (name, r.counts.sum(), r.referral_rate, r.miss_rate, r.false_alarm_rate, r.accuracy)
            for name, r in parts.items()
        ]
        return [ShownTable(_COLUMNS, rows)]


class BandPerGroup(BaseEstimator):
    """Fit one suspicious band per group, such as a site, so that the guarantee holds in each.

    The guarantee of a single band holds for the mixture of groups that it was fitted on. Where the
    scores of one site are lower, it may miss far more there, while others make up for it. Here each
    group has a band of its own, whose guarantee holds with its `confidence`. For all of n groups at
    once, use a confidence of ``1 - (1 - confidence) / n``.

    Parameters
    ----------
    band : SuspiciousBand, optional
        The band that is cloned for each group; by default ``SuspiciousBand()``.
    unknown_group : {"error", "refer"}, default="error"
        What happens to a case of a group that `fit` did not get: an error that names the group, or
        a referral.

    Attributes
    ----------
    groups_ : ndarray of shape (n_groups,)
        Names of the groups.
    bands_ : dict of SuspiciousBand
        The fitted band of each group.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import BandPerGroup
    >>> random = np.random.default_rng(0)
    >>> y = np.arange(2000) % 2
    >>> site = np.repeat(["north", "south"], 1000)
    >>> score = random.normal(3.0 * y) + 2.0 * (site == "south")
    >>> bands = BandPerGroup().fit(score, y, site)
    >>> bands.decide([3.5, 3.5], ["north", "south"])
    array(['positive', 'refer'], dtype='<U8')
    """

    def __init__(self, band: SuspiciousBand | None = None, *, unknown_group: str = "error") -> None:
        self.band = band
        self.unknown_group = unknown_group

    def fit(
        self,
        score: ArrayLike,
        y_true: ArrayLike,
        by: ArrayLike,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Fit the band of each group on its labelled cases.

        Parameters
        ----------
        score, y_true
            As in `SuspiciousBand.fit`.
        by : array-like of shape (n_samples,)
            Group of each case, for which the guarantee must hold; no value may be missing. Each
            group needs cases of both classes.
        groups : array-like of shape (n_samples,), optional
            Cases with the same value, such as the images of one patient, are not independent, so
            only one of them counts: the `groups` of `SuspiciousBand.fit`.

        Returns
        -------
        self : BandPerGroup

        Warns
        -----
        TooFewCasesWarning
            If a group has too few cases for the guarantee. The message names the group.

        Raises
        ------
        ValueError
            If a group lacks a class, or the arguments do not match or are invalid.
        """
        who = "BandPerGroup.fit"
        self._require_parameters()
        scores, labels = as_labelled(who, y_true, score)
        names, indices = named_groups(who, by, len(scores))
        clusters = None
        if groups is not None:
            clusters = np.asarray(groups)
            if clusters.shape != scores.shape:
                raise ValueError(
                    f"{who}: expected groups of shape {scores.shape}, got shape {clusters.shape}"
                )
        bands = {}
        for index, name in enumerate(names.tolist()):
            own = indices == index
            n_positives = int(labels[own].sum())
            if n_positives in (0, int(own.sum())):
                raise ValueError(
                    f"{who}: expected labels of both classes in group {name!r}, got {n_positives} "
                    f"positive and {int(own.sum()) - n_positives} negative"
                )
            band = clone(self.band or SuspiciousBand())
            own_clusters = None if clusters is None else clusters[own]
            bands[name] = _naming(
                f"{who}: group {name!r}", partial(band.fit, scores[own], labels[own], own_clusters)
            )
        self.groups_, self.bands_ = names, bands
        return self

    def decide(
        self, score: ArrayLike, by: ArrayLike, out_of_distribution: ArrayLike | None = None
    ) -> NDArray[np.str_]:
        """Decide each case by the band of its group, or refer it.

        Parameters
        ----------
        score, out_of_distribution
            As in `SuspiciousBand.decide`.
        by : array-like of shape (n_samples,)
            Group of each case.

        Returns
        -------
        decisions : ndarray of str of shape (n_samples,)
            ``"negative"``, ``"refer"`` or ``"positive"``.

        Warns
        -----
        DriftWarning
            If the scores of a group differ from its calibration scores. The message names the
            group.

        Raises
        ------
        ValueError
            If a group is unknown (see `unknown_group`), a score is not finite, or the arguments do
            not match.
        """
        who = "BandPerGroup.decide"
        check_is_fitted(self)
        scores = as_finite_scores(who, score)
        indices = indices_of(who, self.groups_, by, len(scores), unknown=self.unknown_group)
        mask = as_mask(who, out_of_distribution, len(scores)).view(np.bool_)
        decisions = np.full(len(scores), "refer", dtype="<U8")
        for index, (name, band) in enumerate(self.bands_.items()):
            own = indices == index
            if not own.any():
                continue
            own_mask = mask[own] if len(mask) else None
            decisions[own] = _naming(
                f"{who}: group {name!r}", partial(band.decide, scores[own], own_mask)
            )
        return decisions

    def report(
        self, score: ArrayLike, y_true: ArrayLike, by: ArrayLike, confidence: float = 0.95
    ) -> BandPerGroupReport:
        """Evaluate the bands on labelled cases, which should not be those they were fitted on.

        Parameters
        ----------
        score, y_true, by
            As in `fit`.
        confidence : float, default=0.95
            Confidence level of the intervals.

        Returns
        -------
        report : BandPerGroupReport
            Of the groups that have cases here.
        """
        who = "BandPerGroup.report"
        check_is_fitted(self)
        scores, labels = as_labelled(who, y_true, score)
        indices = indices_of(who, self.groups_, by, len(scores), unknown=self.unknown_group)
        codes = np.full(len(scores), DECISIONS.index("refer"), dtype=np.float64)
        by_group = {}
        for index, (name, band) in enumerate(self.bands_.items()):
            own = indices == index
            if not own.any():
                continue
            by_group[name] = band.report(scores[own], labels[own], confidence)
            codes[own] = np.digitize(scores[own], [band.lower_, band.upper_])
        # The codes are scores that a band from 1 to 2 decides as the band of each group did.
        return BandPerGroupReport(
            SuspiciousBand.at(1, 2).report(codes, labels, confidence), by_group
        )

    def _require_parameters(self) -> None:
        if self.unknown_group not in ("error", "refer"):
            raise ValueError(
                f"BandPerGroup: unknown_group: expected one of 'error', 'refer', got "
                f"{self.unknown_group!r}"
            )
        if self.band is not None and not isinstance(self.band, SuspiciousBand):
            raise ValueError(f"BandPerGroup: expected band as a SuspiciousBand, got {self.band!r}")


def _naming(which: str, call: Callable[[], _Value]) -> _Value:
    """Call, and let warnings say which group they are about."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    for one in caught:
        text = str(one.message).split(": ", 1)[-1]  # without the name of the band's own method
        warn_caller(f"{which}: {text}", one.category)
    return result
