"""A wrapper that makes any binary classifier decide at its best threshold."""

from collections.abc import Callable
from typing import Any, Self, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import StratifiedGroupKFold, check_cv, cross_val_predict
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from secondlook.decide._scores import as_groups
from secondlook.decide.tune_threshold import ThresholdTuning, tune_threshold

_Result = TypeVar("_Result")


def _if_estimator_has(method: str) -> Callable[[Callable[..., _Result]], Callable[..., _Result]]:
    has: Any = available_if(
        lambda self: hasattr(getattr(self, "estimator_", self.estimator), method)
    )
    return cast("Callable[[Callable[..., _Result]], Callable[..., _Result]]", has)


class TunedThresholdClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A binary classifier that decides at its best threshold instead of one half.

    The threshold is chosen by `tune_threshold` on out-of-fold scores: each sample is scored by a
    classifier trained without it. After that, the classifier is trained on all samples.

    Parameters
    ----------
    estimator : estimator
        Any classifier with ``predict_proba`` or ``decision_function``.
    maximize, beta, costs, min_recall, min_precision, min_specificity, floor_confidence
        As in `tune_threshold`.
    pos_label : object, optional
        The abnormal class; by default the greater of the two.
    cv : int or splitter, optional
        Cross-validation splitter as in scikit-learn's ``cross_val_predict``, or the number of
        stratified folds; 5 by default. With `groups`, the folds keep each group together.
    n_jobs : int, optional
        Number of processes for the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    estimator_ : estimator
        The classifier trained on all samples.
    threshold_ : float
        The positive class is predicted if the score is at or above it.
    tuning_ : ThresholdTuning
        Results of the threshold on the out-of-fold scores.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from secondlook import TunedThresholdClassifier
    >>> X, y = make_classification(weights=[0.9], random_state=0)
    >>> tuned = TunedThresholdClassifier(LogisticRegression(), min_recall=0.9).fit(X, y)
    >>> bool(tuned.tuning_.confusion.recall >= 0.9)
    True
    """

    def __init__(
        self,
        estimator: Any,
        maximize: str = "accuracy",
        *,
        beta: float = 1.0,
        costs: tuple[float, float] = (1.0, 1.0),
        min_recall: float | None = None,
        min_precision: float | None = None,
        min_specificity: float | None = None,
        floor_confidence: float | None = None,
        pos_label: Any = None,
        cv: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.maximize = maximize
        self.beta = beta
        self.costs = costs
        self.min_recall = min_recall
        self.min_precision = min_precision
        self.min_specificity = min_specificity
        self.floor_confidence = floor_confidence
        self.pos_label = pos_label
        self.cv = cv
        self.n_jobs = n_jobs

    def fit(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Choose the threshold on out-of-fold scores, then train on all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels of two classes.
        groups : array-like of shape (n_samples,), optional
            Group of each sample, such as a patient or a module. A group is never on both sides of
            a split, unless `cv` is a splitter that ignores groups.
        **params
            Metadata for the estimator's `fit`, such as `sample_weight`. With scikit-learn's
            metadata routing enabled, what the estimator and the splitter request.

        Returns
        -------
        self : TunedThresholdClassifier

        Raises
        ------
        ValueError
            If there are not two classes, or no threshold keeps the floors.
        """
        labels: NDArray[Any] = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        classes = np.unique(labels)
        if len(classes) != 2:
            kind = "one class" if len(classes) == 1 else f"{len(classes)} classes"
            raise ValueError(
                "TunedThresholdClassifier.fit: expected two classes; classifier can't train when "
                f"only {kind} is present. Only binary classification is supported."
            )
        positive = classes[1] if self.pos_label is None else self.pos_label
        if positive not in classes:
            raise ValueError(
                f"TunedThresholdClassifier.fit: expected pos_label to be one of {list(classes)}, "
                f"got {positive!r}"
            )
        column = int(np.flatnonzero(classes == positive)[0])
        as_groups("TunedThresholdClassifier.fit", groups, len(labels))
        cv = self.cv
        if groups is not None and (cv is None or isinstance(cv, int | np.integer)):
            cv = StratifiedGroupKFold(5 if cv is None else cv)
        folds = check_cv(cv, labels, classifier=True)
        routing = bool(get_config()["enable_metadata_routing"])
        routed = params
        if routing:
            routed = process_routing(self, "fit", **params).estimator.fit
        of_folds = params
        if routing and groups is not None and _takes_groups(folds):
            of_folds = {**params, "groups": groups}
        left_out = cross_val_predict(
            clone(self.estimator),
            X,
            labels,
            groups=None if routing else groups,
            cv=folds,
            n_jobs=self.n_jobs,
            method=_scoring_method(self.estimator),
            params=of_folds,
        )
        tuning = tune_threshold(
            labels == positive,
            _score_of(left_out, column),
            self.maximize,
            beta=self.beta,
            costs=self.costs,
            min_recall=self.min_recall,
            min_precision=self.min_precision,
            min_specificity=self.min_specificity,
            floor_confidence=self.floor_confidence,
        )
        estimator = clone(self.estimator).fit(X, labels, **routed)
        self.classes_, self.estimator_, self._column = classes, estimator, column
        self.tuning_: ThresholdTuning = tuning
        self.threshold_ = tuning.threshold
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the class of each sample: positive if its score is at least ``threshold_``."""
        check_is_fitted(self)
        output = getattr(self.estimator_, _scoring_method(self.estimator_))(X)
        positive = _score_of(output, self._column) >= self.threshold_
        predicted: NDArray[Any] = self.classes_[np.where(positive, self._column, 1 - self._column)]
        return predicted

    @_if_estimator_has("predict_proba")
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the classifier's class probabilities."""
        check_is_fitted(self)
        probabilities: NDArray[np.float64] = self.estimator_.predict_proba(X)
        return probabilities

    @_if_estimator_has("decision_function")
    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the classifier's decision function."""
        check_is_fitted(self)
        scores: NDArray[np.float64] = self.estimator_.decision_function(X)
        return scores

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata `fit` takes and passes on, as scikit-learn asks for it."""
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        routed: MetadataRouter = router.add(estimator=self.estimator, method_mapping=to_fit)
        return routed

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags = get_tags(self.estimator).input_tags  # the classifier reads the samples
        return tags


def _takes_groups(folds: Any) -> bool:
    """Whether a splitter asks for groups when metadata is routed."""
    return bool(get_routing_for_object(folds).consumes("split", ["groups"]))


def _scoring_method(estimator: Any) -> str:
    return "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"


def _score_of(output: NDArray[np.float64], column: int) -> NDArray[np.float64]:
    """Return the score of the positive class from a classifier's output."""
    if output.ndim == 2:
        return output[:, column]
    return output if column == 1 else -output
