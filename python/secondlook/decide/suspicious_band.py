"""Two thresholds: negative below the lower, positive above the upper, referred in between.

Cases that are too uncertain are left to a person; the decisions on the others have a guarantee.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from secondlook import _core
from secondlook._shared.arguments import as_number, as_numbers, as_optional_number, as_text
from secondlook._shared.random_state import seed_of
from secondlook._shared.shown import Result, ShownTable, html_table
from secondlook._shared.warn_caller import warn_caller
from secondlook.decide._scores import (
    as_finite_scores,
    as_groups,
    as_labelled,
    as_labelled_of_both,
    as_mask,
)
from secondlook.decide.binomial_interval import Estimate
from secondlook.errors import DriftWarning, TooFewCasesWarning

if TYPE_CHECKING:
    import pandas as pd

    from secondlook.plot.display import Display

DECISIONS = ("negative", "refer", "positive")
# Fewer scores say too little about their distribution. A p-value below the limit is a drift.
_FEWEST_FOR_DRIFT = 50
_DRIFT_P_VALUE = 1e-3


@dataclass(frozen=True, repr=False)
class BandReport(Result):
    """Results of a band on labelled cases, with exact confidence intervals.

    Attributes
    ----------
    counts : ndarray of shape (2, 3)
        Cases by true class (normal, abnormal) and decision (negative, refer, positive).
    referral_rate : Estimate
        Referred cases / all cases.
    miss_rate, false_alarm_rate : Estimate
        Abnormal cases decided negative / abnormal cases, and normal cases decided positive /
        normal cases. These are the rates that a guarantee bounds.
    recall, specificity : Estimate
        Fraction of right decisions among the decided abnormal and the decided normal cases.
    precision, negative_predictive_value : Estimate
        Fraction of right decisions among the positive and among the negative ones.
    accuracy : Estimate
        Fraction of right decisions among all decided cases.
    """

    counts: NDArray[np.int64]
    referral_rate: Estimate
    miss_rate: Estimate
    false_alarm_rate: Estimate
    recall: Estimate
    specificity: Estimate
    precision: Estimate
    negative_predictive_value: Estimate
    accuracy: Estimate

    def __repr__(self) -> str:
        lines = [f"{'':10}" + "".join(f"{name:>10}" for name in DECISIONS)]
        for name, row in zip(("normal", "abnormal"), self.counts, strict=True):
            lines.append(f"{name:10}" + "".join(f"{count:>10,}" for count in row))
        lines += [f"{label:28}{value}" for label, value in self._shown().items()]
        return "\n".join(lines)

    def _shown(self) -> dict[str, Estimate]:
        return {
            "referred": self.referral_rate,
            "missed, of the abnormal": self.miss_rate,
            "false alarms, of the normal": self.false_alarm_rate,
            "recall, of those decided": self.recall,
            "accuracy, of those decided": self.accuracy,
        }

    def _shown_tables(self) -> list[ShownTable]:
        rows = zip(("normal", "abnormal"), *self.counts.T, strict=True)
        return [ShownTable(DECISIONS, list(rows))]


def decisions_of(codes: NDArray[np.uint8]) -> NDArray[np.str_]:
    """Return the names of the core's decision codes."""
    return np.asarray(DECISIONS)[codes]


def warn_of_drift(
    who: str, scores: NDArray[np.float64], p_value_of: Callable[[NDArray[np.float64]], float]
) -> None:
    """Warn if the scores clearly differ from the calibration scores, given enough of them."""
    if len(scores) < _FEWEST_FOR_DRIFT:
        return
    p = p_value_of(scores)
    if p < _DRIFT_P_VALUE:
        warn_caller(
            f"{who}: these scores do not look like those of the calibration (p = {p:.1g}), so the "
            "guarantee may no longer hold; refit on labelled cases from this population",
            DriftWarning,
        )


class BandPrice(NamedTuple):
    """The referral rate that a guarantee costs.

    Attributes
    ----------
    rate : float
        Largest rate of misses and of false alarms.
    referral_rate : float
        Fraction of the cases that are referred to keep it.
    lower, upper : float
        The band's thresholds.
    """

    rate: float
    referral_rate: float
    lower: float
    upper: float

    def __repr__(self) -> str:
        return (
            f"BandPrice(rate={self.rate:.4g}, referral_rate={self.referral_rate:.4g}, "
            f"lower={self.lower:.4g}, upper={self.upper:.4g})"
        )


class PriceList(list[BandPrice]):
    """Prices of several guarantees, as a list that notebooks show as a table."""

    def _repr_html_(self) -> str:
        rows = [(f"{price.rate:.1%}", *price[1:]) for price in self]
        return html_table(("referral rate", "lower", "upper"), rows, corner="rate")

    def to_pandas(self) -> "pd.DataFrame":
        """Return a DataFrame with one row per rate (requires pandas)."""
        import pandas as pd

        return pd.DataFrame(self, columns=BandPrice._fields).set_index("rate")


class SuspiciousBand(BaseEstimator):
    """Decide the clear cases and refer the uncertain ones to a person.

    A case is decided positive at or above ``upper_``, negative below ``lower_``, and referred in
    between. The thresholds come from labelled scores of cases that no detector was trained on, in
    one of the first three ways, or are given:

    *Rates with a guarantee* (`max_miss_rate`, `max_false_alarm_rate`; 5 % each by default). With
    probability `confidence` over calibration sets, both at once, no more than these fractions of
    the abnormal and of the normal cases are decided wrongly. A referral is not an error. Each
    threshold is an order statistic with an exact binomial bound and makes no assumption about the
    distribution of the scores. Among all bands that the bounds allow, it is the one that refers the
    fewest cases. If the thresholds cross, one threshold between them serves both and nothing is
    referred.

    *A budget* (`max_referral_rate`): at most that fraction of the calibration cases is referred,
    with the fewest errors.

    *Costs* of a miss, a false alarm and a referral: the lowest total cost over the calibration
    cases.

    *Given thresholds* (`thresholds`): `fit` keeps them, and stores the distribution of the scores
    to detect drift. `SuspiciousBand.at` makes a band that needs no `fit`.

    Parameters
    ----------
    max_miss_rate, max_false_alarm_rate : float, optional
        In (0, 1). With only one of them there is one threshold and nothing is referred, unless
        there are too few cases: then everything is.
    confidence : float, default=0.95
        In (0, 1).
    guarantee : {"class_conditional", "selective"}, default="class_conditional"
        ``"class_conditional"`` bounds P(decided negative | abnormal) and P(decided positive |
        normal), which holds for any mixture of the classes. ``"selective"`` bounds P(abnormal |
        decided negative) and P(normal | decided positive) instead, for cases with the class mixture
        of the calibration set, by Learn-then-Test along a grid of thresholds fixed beforehand.
        Among bands that refer the fewest cases, it is the one with the fewest errors.
    threshold_grid : array-like, optional
        Strictly increasing finite thresholds for ``"selective"``, which must not depend on the
        calibration cases. The default is 2,001 probabilities, equally spaced in log-odds; a grid is
        required for scores outside [0, 1].
    max_referral_rate : float, optional
        In [0, 1].
    costs : (float, float, float), optional
        Costs of a miss, a false alarm and a referral, each at least 0.
    thresholds : (float, float), optional
        Lower and upper threshold, the lower at most the upper; infinity is allowed.
    random_state : int, RandomState or None, default=0
        Seed of the random choice of one case per group.

    Attributes
    ----------
    lower_, upper_ : float
    n_positives_, n_negatives_ : int
        Number of cases of each class, counting one per group.

    References
    ----------
    S. S. Wilks, "Determination of Sample Sizes for Setting Tolerance Limits", Annals of
    Mathematical Statistics 12, 1941.

    A. N. Angelopoulos, S. Bates, E. J. Candès, M. I. Jordan, L. Lei, "Learn then Test: Calibrating
    Predictive Algorithms to Achieve Risk Control", 2021, for ``guarantee="selective"``.

    C. K. Chow, "On Optimum Recognition Error and Reject Tradeoff", IEEE Transactions on Information
    Theory 16, 1970, for costs.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import SuspiciousBand
    >>> random = np.random.default_rng(0)
    >>> y = np.arange(1000) % 2
    >>> score = random.normal(2.0 * y)
    >>> band = SuspiciousBand(max_miss_rate=0.05, max_false_alarm_rate=0.05).fit(score, y)
    >>> band.decide([-2.0, 1.0, 4.0])
    array(['negative', 'refer', 'positive'], dtype='<U8')
    """

    def __init__(
        self,
        max_miss_rate: float | None = None,
        max_false_alarm_rate: float | None = None,
        confidence: float = 0.95,
        *,
        guarantee: str = "class_conditional",
        threshold_grid: ArrayLike | None = None,
        max_referral_rate: float | None = None,
        costs: tuple[float, float, float] | None = None,
        thresholds: tuple[float, float] | None = None,
        random_state: Any = 0,
    ) -> None:
        self.max_miss_rate = max_miss_rate
        self.max_false_alarm_rate = max_false_alarm_rate
        self.confidence = confidence
        self.guarantee = guarantee
        self.threshold_grid = threshold_grid
        self.max_referral_rate = max_referral_rate
        self.costs = costs
        self.thresholds = thresholds
        self.random_state = random_state

    @classmethod
    def at(cls, lower: float, upper: float) -> Self:
        """Return a band with the given thresholds, which decides without a fit.

        Parameters
        ----------
        lower, upper : float
            `lower` at most `upper`; infinity is allowed.

        Raises
        ------
        ValueError
            If `lower` is above `upper`, or a threshold is NaN.
        """
        thresholds = as_numbers("SuspiciousBand.at", "thresholds", (lower, upper), 2)
        _core.decide.SuspiciousBand(*thresholds)
        band = cls(thresholds=(thresholds[0], thresholds[1]))
        band.lower_, band.upper_ = thresholds
        return band

    def fit(self, score: ArrayLike, y_true: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Choose the thresholds, unless they are given, and store the score distribution.

        Parameters
        ----------
        score : array-like of shape (n_samples,)
            Higher is more abnormal; finite.
        y_true : array-like of shape (n_samples,)
            1 is abnormal, 0 normal; at least one of each.
        groups : array-like of shape (n_samples,), optional
            Group of each case, such as a patient or a module; no value may be missing. Cases of one
            group are not independent, so only one of them counts, chosen at random with
            `random_state`.

        Returns
        -------
        self : SuspiciousBand

        Warns
        -----
        TooFewCasesWarning
            If there are too few cases for the guarantee; one or both thresholds are then infinite.

        Raises
        ------
        ValueError
            If labels and scores do not match, or an argument is invalid.
        """
        scores, labels = as_labelled_of_both("SuspiciousBand.fit", y_true, score)
        found = _core.decide.SuspiciousBand(
            scores,
            labels,
            as_groups("SuspiciousBand.fit", groups, len(scores)),
            self._core_parameters(),
        )
        self._take_over(found, _core.decide.MixtureDrift(scores, labels))
        self._warn_of_few("SuspiciousBand.fit", found)
        return self

    def decide(
        self, score: ArrayLike, out_of_distribution: ArrayLike | None = None
    ) -> NDArray[np.str_]:
        """Decide each case, or refer it.

        Parameters
        ----------
        score : array-like of shape (n_samples,)
            Higher is more abnormal; finite.
        out_of_distribution : array-like of bool of shape (n_samples,), optional
            Cases to refer whatever their score, because they are out of distribution
            (`FeatureDistance.is_out_of_distribution`).

        Returns
        -------
        decisions : ndarray of str of shape (n_samples,)
            ``"negative"``, ``"refer"`` or ``"positive"``.

        Warns
        -----
        DriftWarning
            If this call has at least 50 scores and they differ from the calibration scores
            (`drift_p_value` below 0.001). Fewer scores are not tested, and calls are not combined:
            if independent cases come one by one, collect their scores and pass a few hundred at a
            time to `drift_p_value`.

        Raises
        ------
        ValueError
            If a score is not finite, or `out_of_distribution` has another length or dtype.
        """
        check_is_fitted(self)
        return self._decide("SuspiciousBand.decide", score, out_of_distribution)

    def drift_p_value(self, score: ArrayLike, *, any_mixture: bool | None = None) -> float:
        """Return the p-value of a test that the scores come from the calibration distribution.

        Parameters
        ----------
        score : array-like of shape (n_samples,)
            Live scores of independent cases, such as the last few hundred.
        any_mixture : bool, optional
            Whether the fraction of abnormal cases may differ from that of the calibration set
            without counting as drift. The default is True for class-conditional rates, which hold
            for any mixture, and for given thresholds, and False otherwise. If the scores of the
            classes overlap, a shift of both can look like another mixture.

        Returns
        -------
        p_value : float

        Raises
        ------
        ValueError
            If a score is not finite, or the band was made by `at` and not fitted.
        """
        check_is_fitted(self)
        if not hasattr(self, "_drift"):
            raise ValueError(
                "SuspiciousBand.drift_p_value: expected a fitted band, got one made by at(); call "
                "fit, which keeps its thresholds"
            )
        scores = as_finite_scores("SuspiciousBand.drift_p_value", score)
        if any_mixture is None:
            any_mixture = _core.decide.holds_for_any_mixture(self._core_parameters())
        return float(self._drift.p_value(scores, any_mixture))

    def report(self, score: ArrayLike, y_true: ArrayLike, confidence: float = 0.95) -> BandReport:
        """Evaluate the band on labelled cases, which should not be those it was fitted on.

        Parameters
        ----------
        score : array-like of shape (n_samples,)
        y_true : array-like of shape (n_samples,)
            1 is abnormal, 0 normal.
        confidence : float, default=0.95
            Confidence level of the intervals.

        Returns
        -------
        report : BandReport
        """
        check_is_fitted(self)
        scores, labels = as_labelled("SuspiciousBand.report", y_true, score)
        found = _core.decide.SuspiciousBand(self.lower_, self.upper_).report(
            scores, labels, as_number("SuspiciousBand.report", "confidence", confidence)
        )
        counts = np.array(found.pop("counts"))
        return BandReport(counts, **{name: Estimate(*found[name]) for name in found})

    def price_list(
        self,
        score: ArrayLike,
        y_true: ArrayLike,
        rates: Sequence[float] = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
        groups: ArrayLike | None = None,
    ) -> PriceList:
        """Return the fraction of referred cases that each of several error rates would cost.

        Each rate applies to misses and to false alarms; `confidence` and `guarantee` are those of
        the band. If you choose a rate by this list and then fit the band to the same cases, the
        guarantee does not cover that choice: choose the rate beforehand or on other cases.

        Parameters
        ----------
        score, y_true, groups
            As in `fit`.
        rates : sequence of float, default=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
            Each in (0, 1).

        Returns
        -------
        prices : PriceList
            A list of `BandPrice`, one per rate.
        """
        if np.ndim(rates) != 1:
            raise ValueError(
                f"SuspiciousBand.price_list: expected rates as a sequence of numbers, got {rates!r}"
            )
        prices = PriceList()
        for rate in rates:
            band = clone(self).set_params(
                max_miss_rate=rate,
                max_false_alarm_rate=rate,
                max_referral_rate=None,
                costs=None,
                thresholds=None,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", TooFewCasesWarning)  # visible in the list
                band.fit(score, y_true, groups)
            referred = band.report(score, y_true).referral_rate.value
            prices.append(BandPrice(rate, referred, band.lower_, band.upper_))
        return prices

    def plot(
        self, score: ArrayLike, y_true: ArrayLike, ax: Any = None, bins: int = 40
    ) -> "Display":
        """Plot the scores of both classes with the band, as `secondlook.plot.band` does."""
        from secondlook.plot import band

        check_is_fitted(self)
        return band(self, score, y_true, bins=bins, ax=ax)

    def _decide(
        self, who: str, score: ArrayLike, out_of_distribution: ArrayLike | None
    ) -> NDArray[np.str_]:
        scores = as_finite_scores(who, score)
        codes = _core.decide.SuspiciousBand(self.lower_, self.upper_).decide(
            scores, as_mask(who, out_of_distribution, len(scores))
        )
        if hasattr(self, "_drift"):
            warn_of_drift(who, scores, self.drift_p_value)
        return decisions_of(codes)

    def _rates(self) -> dict[str, Any]:
        rates = {
            name: as_optional_number("SuspiciousBand", name, getattr(self, name))
            for name in ("max_miss_rate", "max_false_alarm_rate", "max_referral_rate")
        }
        if all(asked is None for asked in (*rates.values(), self.costs, self.thresholds)):
            return {**rates, "max_miss_rate": 0.05, "max_false_alarm_rate": 0.05}
        return rates

    def _core_parameters(self) -> dict[str, Any]:
        who = "SuspiciousBand"
        costs, thresholds, threshold_grid = self.costs, self.thresholds, np.empty(0)
        if costs is not None:
            costs = cast("tuple[float, float, float]", as_numbers(who, "costs", costs, 3))
        if thresholds is not None:
            thresholds = cast("tuple[float, float]", as_numbers(who, "thresholds", thresholds, 2))
        if self.threshold_grid is not None:
            try:
                threshold_grid = np.asarray(self.threshold_grid, dtype=np.float64)
                if threshold_grid.ndim != 1:
                    raise ValueError
            except (TypeError, ValueError):
                raise ValueError(
                    f"{who}: expected threshold_grid as a sequence of numbers, got "
                    f"{self.threshold_grid!r}"
                ) from None
        return {
            "confidence": as_number(who, "confidence", self.confidence),
            "guarantee": as_text(who, "guarantee", self.guarantee),
            "threshold_grid": threshold_grid.tolist(),
            "costs": costs,
            "thresholds": thresholds,
            "seed": seed_of(self.random_state),
            **self._rates(),
        }

    @classmethod
    def _from_core_parameters(cls, parameters: dict[str, Any]) -> Self:
        """Return an unfitted band with the core's parameters."""
        return cls(
            **{
                **{name: value for name, value in parameters.items() if name != "seed"},
                "threshold_grid": parameters["threshold_grid"] or None,
                "random_state": parameters["seed"],
            }
        )

    def _take_over(self, found: Any, drift: Any) -> None:
        """Adopt the core's fitted band."""
        state = found.state
        self.lower_, self.upper_ = state["lower"], state["upper"]
        self.n_positives_, self.n_negatives_ = state["n_positives"], state["n_negatives"]
        self._drift: Any = drift

    def _warn_of_few(self, who: str, found: Any) -> None:
        """Warn if there are too few cases to decide negative or positive."""
        notes = []
        if not math.isfinite(self.lower_):
            notes += self._too_few(
                "negative", "abnormal", found.state["positives_needed"], self.n_positives_
            )
        if not math.isfinite(self.upper_):
            notes += self._too_few(
                "positive", "normal", found.state["negatives_needed"], self.n_negatives_
            )
        if notes:
            warn_caller(
                f"{who}: at a confidence of {self.confidence} " + "; ".join(notes),
                TooFewCasesWarning,
            )

    def _too_few(self, decision: str, kind: str, needed: int, n: int) -> list[str]:
        """Return a note on how many cases are needed, if that side has a rate to keep."""
        name, side = {
            "negative": ("max_miss_rate", "low"), "positive": ("max_false_alarm_rate", "high"),
        }[decision]  # fmt: skip
        rates = self._rates()
        if rates[name] is None:
            return []
        alone = None in (rates["max_miss_rate"], rates["max_false_alarm_rate"])
        enough = (
            f"{needed} {kind} cases, and more if some of them score {side}; got {n}"
            if self.guarantee == "class_conditional"
            else f"{needed} cases to decide {decision}, and more if some of them are {kind}"
        )
        return [
            f"nothing is decided{'' if alone else f' {decision}'}: {name}={rates[name]} needs "
            f"at least {enough}"
        ]
