"""Everything that decides on a model's scores, as one object stored in the model's file."""

import copy
import json
import weakref
from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from secondlook import _core
from secondlook._shared.plain_values import plain
from secondlook._shared.warn_caller import warn_caller
from secondlook.decide._scores import (
    as_finite_scores,
    as_groups,
    as_labelled_of_both,
    as_mask,
)
from secondlook.decide.calibration import Calibration
from secondlook.decide.feature_distance import FeatureDistance
from secondlook.decide.suspicious_band import SuspiciousBand, decisions_of, warn_of_drift
from secondlook.decide.tune_threshold import core_parameters
from secondlook.errors import ModelFileError, StaleDecisionWarning

_SCORE_SECTION = "score_parameters"  # of a model's file


class DecisionRule(BaseEstimator):
    """Calibration, threshold and suspicious band for one model's scores.

    The thresholds apply to the score itself; the calibration converts it to a probability. All
    parts are fitted on the same labelled scores, of cases that the model was not trained on.

    A model stores a copy of its rule, also in its file (``detector.decision_rule_ = rule``), and
    uses it in ``detector.decide(X)``. When the model has continued training, its rule is stale:
    deciding with it warns until a newly fitted rule is set. A rule on its own does not know its
    model: it is stale if it was stale when it was read from the model.

    Parameters
    ----------
    band : SuspiciousBand, optional
        The band that decides, if given. Without `band` and `threshold`, the default band is used.
    threshold : dict, optional
        Arguments of `tune_threshold`, such as ``{"maximize": "f_beta", "min_recall": 0.95}``, for
        a single threshold. It decides if there is no band.
    calibration : {"platt", "isotonic", "temperature"}, optional
        Method of `Calibration`.
    feature_distance : FeatureDistance, optional
        Fitted on the model's features of its training data. Cases that are out of distribution are
        referred, whatever their score. Fit it again, too, when the model has continued training.
    score_parameters : dict, optional
        Arguments of the model's `anomaly_score` by which the scores were computed, such as
        ``{"normal": "good", "test_time_augmentation": ["flip"]}`` of an `ImageClassifier`. A model
        stores them with its rule, and its `decide` uses them. None: they are not known.

    Attributes
    ----------
    band_ : SuspiciousBand or None
    threshold_ : float or None
    calibration_ : Calibration or None
    feature_distance_ : FeatureDistance or None
    n_positives_, n_negatives_ : int
        Number of labelled cases of each class.
    fingerprint_ : str
        Fingerprint of these cases' scores and labels, 16 hexadecimal digits.
    stale_ : bool
        Whether the model had continued training when the rule was read from it.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import DecisionRule, SuspiciousBand
    >>> y = np.arange(1000) % 2
    >>> score = np.random.default_rng(0).normal(2.0 * y)
    >>> rule = DecisionRule(SuspiciousBand(0.05, 0.05), calibration="platt").fit(score, y)
    >>> rule.decide([-2.0, 1.0, 4.0])
    array(['negative', 'refer', 'positive'], dtype='<U8')
    >>> rule.probability([1.0]).round(1)
    array([0.5])
    """

    def __init__(
        self,
        band: SuspiciousBand | None = None,
        *,
        threshold: dict[str, Any] | None = None,
        calibration: str | None = None,
        feature_distance: FeatureDistance | None = None,
        score_parameters: dict[str, Any] | None = None,
    ) -> None:
        self.band = band
        self.threshold = threshold
        self.calibration = calibration
        self.feature_distance = feature_distance
        self.score_parameters = score_parameters

    def fit(self, score: ArrayLike, y_true: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit all parts.

        Parameters
        ----------
        score : array-like of shape (n_samples,)
            Higher is more abnormal; finite.
        y_true : array-like of shape (n_samples,)
            1 is abnormal, 0 normal; at least one of each.
        groups : array-like of shape (n_samples,), optional
            As in `SuspiciousBand.fit`.

        Returns
        -------
        self : DecisionRule

        Raises
        ------
        ValueError
            For the reasons given in `Calibration`, `tune_threshold` and `SuspiciousBand`.
        """
        scores, labels = as_labelled_of_both("DecisionRule.fit", y_true, score)
        self._check_parameters()
        band = self.band
        if band is None and self.threshold is None:
            band = SuspiciousBand()
        self._take_over(
            _core.decide.DecisionRule(
                scores,
                labels,
                as_groups("DecisionRule.fit", groups, len(scores)),
                calibration=self.calibration,
                threshold=self._threshold_parameters(),
                band=None if band is None else band._core_parameters(),
                feature_distance=getattr(self.feature_distance, "_distance", None),
            ),
            copy.deepcopy(self.feature_distance),
        )
        if self.band_ is not None:
            self.band_._warn_of_few("DecisionRule.fit", self._rule.band)
        return self

    def decide(
        self,
        score: ArrayLike,
        out_of_distribution: ArrayLike | None = None,
        *,
        features: ArrayLike | None = None,
    ) -> NDArray[np.str_]:
        """Decide by the band or, without a band, by the threshold.

        Parameters
        ----------
        score : array-like of shape (n_samples,)
        out_of_distribution : array-like of bool of shape (n_samples,), optional
            Samples to refer because they are out of distribution
            (`FeatureDistance.is_out_of_distribution`).
        features : array-like of shape (n_samples, n_features), optional
            Features of the same samples, for the rule's `feature_distance`. A rule that has one
            needs these features or `out_of_distribution`.

        Returns
        -------
        decisions : ndarray of str of shape (n_samples,)
            ``"negative"``, ``"refer"`` or ``"positive"``.

        Raises
        ------
        ValueError
            If an argument is invalid.

        Warns
        -----
        StaleDecisionWarning
            If the model has continued training since the rule was fitted.
        DriftWarning
            As in `SuspiciousBand.decide`.
        """
        check_is_fitted(self)
        if self.stale_:
            warn_caller(
                "DecisionRule.decide: the model has continued training since this rule was fitted; "
                "fit it again on labelled cases",
                StaleDecisionWarning,
            )
        who = "DecisionRule.decide"
        scores = as_finite_scores(who, score)
        codes = self._rule.decide(
            scores, as_mask(who, out_of_distribution, len(scores)), self._checked_features(features)
        )
        warn_of_drift(who, scores, self._rule.drift_p_value)
        return decisions_of(codes)

    def probability(self, score: ArrayLike) -> NDArray[np.float64]:
        """Return the calibrated probability of being abnormal.

        Parameters
        ----------
        score : array-like of shape (n_samples,)

        Returns
        -------
        probability : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            If the rule has no calibration.
        """
        check_is_fitted(self)
        if self.calibration_ is None:
            raise ValueError(
                "DecisionRule.probability: expected a rule with a calibration, got none; "
                "use DecisionRule(calibration='platt')"
            )
        return self.calibration_.probability(as_finite_scores("DecisionRule.probability", score))

    @property
    def stale_(self) -> bool:
        """Whether the model had continued training when the rule was read from it."""
        check_is_fitted(self)
        return bool(self._rule.stale)

    def __sklearn_clone__(self) -> Self:
        # The distance was fitted on data that `fit` does not see, so a clone keeps its state.
        return type(self)(
            clone(self.band, safe=False),
            threshold=copy.deepcopy(self.threshold),
            calibration=self.calibration,
            feature_distance=copy.deepcopy(self.feature_distance),
            score_parameters=copy.deepcopy(self.score_parameters),
        )

    def _check_parameters(self) -> None:
        if self.band is not None and not isinstance(self.band, SuspiciousBand):
            raise ValueError(
                f"DecisionRule.fit: expected band as a SuspiciousBand, got {self.band!r}"
            )
        if self.calibration is not None and not isinstance(self.calibration, str):
            raise ValueError(
                "DecisionRule.fit: expected calibration as one of 'platt', 'isotonic', "
                f"'temperature', got {self.calibration!r}"
            )
        if self.feature_distance is not None and not (
            isinstance(self.feature_distance, FeatureDistance)
            and hasattr(self.feature_distance, "_distance")
        ):
            raise ValueError(
                "DecisionRule.fit: expected feature_distance as a fitted FeatureDistance, got "
                f"{self.feature_distance!r}"
            )
        if not isinstance(self.score_parameters, dict | None):
            raise ValueError(
                "DecisionRule.fit: expected score_parameters as a dict of anomaly_score's "
                f"arguments, got {self.score_parameters!r}"
            )

    def _threshold_parameters(self) -> dict[str, Any] | None:
        if self.threshold is None:
            return None
        expected = "DecisionRule.fit: expected threshold as a dict of tune_threshold's arguments"
        if not isinstance(self.threshold, dict):
            raise ValueError(f"{expected}, got {self.threshold!r}")
        try:
            return core_parameters(**self.threshold)
        except TypeError as error:
            raise ValueError(f"{expected}: {error}") from None

    def _checked_features(self, features: ArrayLike | None) -> NDArray[np.float64] | None:
        """Return the features, checked by the rule's feature distance."""
        if features is None or self.feature_distance_ is None:
            return features if features is None else np.zeros((1, 1))  # the core raises the error
        return self.feature_distance_._checked(features)

    @classmethod
    def _read_from(cls, file: "_core.store.ModelFile") -> Self | None:
        """Return the rule in a model's file, if there is one."""
        core = _core.decide.DecisionRule.read_from(file)
        if core is None:
            return None
        rule = cls._from_core(core)
        rule.score_parameters = json.loads(file.sections.get(_SCORE_SECTION, "null"))
        if not isinstance(rule.score_parameters, dict | None):
            raise ModelFileError(
                f"DecisionRule: expected {_SCORE_SECTION} as an object, got "
                f"{rule.score_parameters!r}"
            )
        return rule

    def _write_to(self, file: "_core.store.ModelFile") -> None:
        self._rule.write_to(file)
        if self.score_parameters is not None:
            file.set_section(_SCORE_SECTION, json.dumps(plain(self.score_parameters)))

    @classmethod
    def _from_core(cls, rule: Any) -> Self:
        threshold = None
        if rule.threshold_parameters is not None:
            threshold = rule.threshold_parameters
        elif rule.threshold is not None:
            threshold = {}  # an older file lacks the parameters: still one threshold, and no band
        found = cls(
            None
            if rule.band is None
            else SuspiciousBand._from_core_parameters(rule.band_parameters),
            threshold=threshold,
            calibration=None if rule.calibration is None else rule.calibration.state["method"],
            feature_distance=(
                None
                if rule.feature_distance is None
                else FeatureDistance._from_core(rule.feature_distance)
            ),
        )
        found._take_over(rule, found.feature_distance)
        return found

    def _take_over(self, rule: Any, feature_distance: FeatureDistance | None) -> None:
        """Adopt the core's fitted rule."""
        self._rule = rule
        self.band_: SuspiciousBand | None = None
        if rule.band is not None:
            self.band_ = SuspiciousBand._from_core_parameters(rule.band_parameters)
            self.band_._take_over(rule.band, rule.drift)
        self.threshold_: float | None = rule.threshold
        self.calibration_: Calibration | None = None
        if rule.calibration is not None:
            self.calibration_ = Calibration._from_core(rule.calibration)
        self.feature_distance_ = feature_distance
        self.n_positives_: int = rule.n_positives
        self.n_negatives_: int = rule.n_negatives
        self.fingerprint_: str = rule.fingerprint


class KeepsDecisionRule:
    """Mixin of fitted models that store a decision rule for their scores, also in their file."""

    # The model of the core that the rule was last compared with.
    _compared: "weakref.ref[Any] | None" = None

    @property
    def decision_rule_(self) -> DecisionRule:
        """A copy of this model's decision rule; to change the rule, assign the changed copy."""
        return copy.deepcopy(self._current_rule())

    @decision_rule_.setter
    def decision_rule_(self, rule: DecisionRule) -> None:
        if not isinstance(rule, DecisionRule):
            raise TypeError(
                f"{type(self).__name__}.decision_rule_: expected a DecisionRule, got {rule!r}"
            )
        check_is_fitted(rule)
        self._check_score_parameters(rule)
        self._keep_compared(rule)

    @decision_rule_.deleter
    def decision_rule_(self) -> None:
        self.__dict__.pop("_decision_rule", None)

    def _current_rule(self) -> DecisionRule:
        """Return the rule, marked stale if the model has continued training."""
        try:
            rule: DecisionRule = self.__dict__["_decision_rule"]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__} has no decision_rule_: set one, fitted on its scores"
            ) from None
        if self._compared is None or self._compared() is not self._fitted():
            rule = self._keep_compared(rule)
        return rule

    def _keep_compared(self, rule: DecisionRule) -> DecisionRule:
        """Store a copy of a rule, since another model may hold it, compared with this model."""
        fitted = self._fitted()
        kept = copy.deepcopy(rule)
        kept._rule.compare_with(fitted.to_file())
        self._decision_rule = kept
        self._compared = weakref.ref(fitted)
        return kept

    @abstractmethod
    def _fitted(self) -> Any:
        """Return the fitted model of the core that computes the scores."""

    def _check_score_parameters(self, rule: DecisionRule) -> None:
        """Raise an error unless a rule's `score_parameters` are arguments of `anomaly_score`."""
        if rule.score_parameters:
            raise ValueError(
                f"{type(self).__name__}.decision_rule_: expected a rule without score_parameters, "
                f"since anomaly_score takes only X, got {rule.score_parameters}"
            )

    def _write_rule(self, file: "_core.store.ModelFile") -> None:
        if "_decision_rule" in self.__dict__:
            self._current_rule()._write_to(file)

    def _read_rule(self, file: "_core.store.ModelFile") -> None:
        rule = DecisionRule._read_from(file)
        if rule is None:
            return
        try:
            self._check_score_parameters(rule)
        except ValueError as error:
            raise ModelFileError(str(error)) from None
        self._decision_rule = rule
