"""Base class of detectors over tables: scikit-learn conventions around the core."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.exceptions import NotFittedError

from secondlook import _core
from secondlook._shared.progress import ProgressBar
from secondlook._shared.rows import validated_rows
from secondlook._shared.table import name_bad_values
from secondlook._shared.warn_caller import warn_caller
from secondlook.decide.decision_rule import KeepsDecisionRule
from secondlook.detect.stream import DetectorStream
from secondlook.errors import ModelFileError, StaleDecisionWarning
from secondlook.store.kept_in_file import KeptInFile

# Attributes that `fit` sets from its rows.
_LEARNED = ("n_features_in_", "feature_names_in_")
# The model, and attributes that belong to it.
_OF_A_MODEL = ("_model", "_decision_rule", "_compared")


class TabularDetector(KeptInFile, KeepsDecisionRule, OutlierMixin, BaseEstimator, ABC):
    """Base class of detectors over rows of features, whose fitted state is a model of the core.

    A model in use is never changed: training works on a new model or a copy, which replaces it in
    one step. So an error leaves the detector unchanged, and other threads can score meanwhile.
    """

    _core_type: ClassVar[Any]
    _accept_sparse: ClassVar[str | bool] = False  # see scikit-learn's `check_array`
    _model: Any
    # Rows that `IncrementalLearner` keeps to train on and to judge on.
    _default_memory: ClassVar[tuple[int, int]] = (2000, 1000)

    @classmethod
    @abstractmethod
    def _parameters_of(cls, core: Any) -> dict[str, Any]:
        """Return the constructor's arguments that give the core's parameters."""

    @abstractmethod
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Train from scratch."""

    @abstractmethod
    def _make_core(self, n_rows: int, n_features: int) -> Any:
        """Return an unfitted core model, or raise `ValueError` for a bad parameter."""

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score rows: higher is more normal. The unit depends on the class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score. C-contiguous float32 or float64 arrays are not copied.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
        """
        # Fast path for single rows: scikit-learn's validation takes longer than scoring.
        state = self.__dict__
        if "_model" in state and "feature_names_in_" not in state:
            try:
                scores: NDArray[np.float64] = state["_model"].score_samples(X)
            except ValueError as error:
                self._name_bad_values("score_samples", X, error)
                raise
            if scores is not NotImplemented:
                return scores
        return self._use(self._fitted(), "score_samples", X)

    def anomaly_score(self, X: ArrayLike) -> NDArray[np.float64]:
        """Evidence for the abnormal, ``-score_samples(X)``: what `secondlook.decide` takes."""
        return -self.score_samples(X)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score rows relative to `offset_`: negative is anomalous."""
        model = self._fitted()  # scores and offset of the same one
        scores: Any = NotImplemented
        if "feature_names_in_" not in self.__dict__:
            try:
                scores = model.score_samples(X)
            except ValueError as error:
                self._name_bad_values("decision_function", X, error)
                raise
        if scores is NotImplemented:
            scores = self._use(model, "score_samples", X)
        self._warn_if_stale(model)
        values: NDArray[np.float64] = scores
        values -= model.offset
        return values

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return +1 for normal rows, -1 for anomalous ones, and 0 where there is no score.

        An anomaly has a negative ``decision_function``.
        """
        return calls(self.decision_function(X))

    def decide(
        self,
        X: ArrayLike,
        out_of_distribution: ArrayLike | None = None,
        *,
        features: ArrayLike | None = None,
    ) -> NDArray[np.str_]:
        """Decide on rows by `decision_rule_`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        out_of_distribution, features
            See `DecisionRule.decide`.

        Returns
        -------
        decisions : ndarray of str of shape (n_samples,)
            ``"negative"``, ``"refer"`` or ``"positive"``; ``"unknown"`` for a row without a score.

        Raises
        ------
        AttributeError
            If the detector has no `decision_rule_`.

        Warns
        -----
        StaleDecisionWarning, DriftWarning
            See `DecisionRule.decide`.
        """
        rule = self._current_rule()
        scores = self.anomaly_score(X)
        known = np.flatnonzero(~np.isnan(scores))
        decisions = np.full(len(scores), "unknown", dtype="<U8")
        if len(known):
            decisions[known] = rule.decide(
                scores[known],
                None if out_of_distribution is None else np.asarray(out_of_distribution)[known],
                features=None if features is None else np.asarray(features)[known],
            )
        return decisions

    def fit_offset(self, X: ArrayLike) -> Self:
        """Recompute `offset_`, so that the fraction `contamination` of the rows lies below it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows like those to come.

        Returns
        -------
        self : TabularDetector
        """
        model = self._fitted().copy()
        samples = self._own_or_validated(X, reset=False, method="fit_offset")
        try:
            model.fit_offset(samples)
        except ValueError as error:
            self._name_bad_values("fit_offset", samples, error)
            raise
        self._model = model
        return self

    def feature_contributions(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the contribution of each feature to an anomaly, shape (n_samples, n_features)."""
        return self._use(self._fitted(), "feature_contributions", X)

    def stream(self, *, short_window: int = 10, long_window: int = 8000) -> DetectorStream:
        """Begin a series whose samples are scored as they arrive.

        Parameters
        ----------
        short_window : int, default=10
            Number of samples that form the recent level in `StreamRecord.tail_probability`.
        long_window : int, default=8000
            Number of samples that form its past.

        Returns
        -------
        stream : DetectorStream
        """
        self._fitted()
        return DetectorStream(self, short_window=short_window, long_window=long_window)

    @property
    def offset_(self) -> float:
        """Samples with a lower score are anomalous."""
        return float(self._fitted_attribute().offset)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model") and bool(self._model.fitted)

    def _warn_if_stale(self, model: Any) -> None:
        if model.offset_is_stale:
            warn_caller(
                f"{type(self).__name__}: offset_ was computed before training continued; "
                "call fit_offset with recent rows",
                StaleDecisionWarning,
            )

    def _copy_to_train(self) -> Self:
        """Return a shallow copy to train; it replaces this object only on success."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def _adopt(self, twin: Self, model: Any) -> Self:
        """Adopt a trained model, and the features that its copy has seen."""
        learned = {name: value for name, value in twin.__dict__.items() if name in _LEARNED}
        kept = {name: value for name, value in self.__dict__.items() if name not in _LEARNED}
        self.__dict__ = {**kept, **learned, "_model": model}  # one step for other threads
        return self

    def _train(self, twin: Self, model: Any, fit: Callable[..., Any], samples: Any) -> Self:
        """Train a new model by its method `fit`; keep the result, also if it was interrupted."""
        try:
            with ProgressBar("Training") as progress:
                fit(samples, progress)
        except ValueError as error:
            twin._name_bad_values("fit", samples, error)
            raise
        finally:
            if model.fitted:
                self._adopt(twin, model)
        return self

    def _train_on(self, X: ArrayLike) -> Self:
        """Continue training on new rows; an untrained model is trained."""
        if not hasattr(self, "_model"):
            trained: Self = self.fit(X)
            return trained
        samples = self._own_or_validated(X, reset=False, method="partial_fit")
        model = self._model.copy()
        try:
            with ProgressBar("Training") as progress:
                model.partial_fit(samples, progress)
        except ValueError as error:
            self._name_bad_values("partial_fit", samples, error)
            raise
        self._model = model
        return self

    def _to_model_file(self) -> "_core.store.ModelFile":
        file: _core.store.ModelFile = self._fitted().to_file()
        names = getattr(self, "feature_names_in_", None)
        file.set_section("feature_names", json.dumps(None if names is None else list(names)))
        self._write_rule(file)
        return file

    @classmethod
    def _from_model_file(cls, file: "_core.store.ModelFile") -> Self:
        core = cls._core_type.from_file(file)
        core.forget_decision_rule()  # this class keeps it
        model = cls(**cls._parameters_of(core))
        model._model = core
        model.n_features_in_ = core.n_features
        names = json.loads(file.sections.get("feature_names", "null"))
        if names is not None:
            if len(names) != core.n_features:
                raise ModelFileError(
                    f"{cls.__name__}: expected {core.n_features} feature names, got {len(names)}"
                )
            model.feature_names_in_ = np.array(names, dtype=object)
        model._read_rule(file)
        return model

    def _fitted(self) -> Any:
        try:
            return self._model
        except AttributeError:
            raise NotFittedError(f"{type(self).__name__}: not fitted yet, call fit first") from None

    def _fitted_attribute(self) -> Any:
        # hasattr() must say no before fit, so an attribute's error is an AttributeError.
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__}: not fitted yet, call fit first")
        return self._model

    def _use(self, model: Any, method: str, X: ArrayLike) -> NDArray[np.float64]:
        rows = self._own_or_validated(X, reset=False, method=method)
        try:
            result: NDArray[np.float64] = getattr(model, method)(rows)
        except ValueError as error:
            self._name_bad_values(method, rows, error)
            raise
        if result is NotImplemented:  # retrained meanwhile
            raise ValueError(
                f"{type(self).__name__}.{method}: expected {model.n_features} features, "
                f"got {rows.shape[1]}"
            )
        return result

    def _row_reader(self) -> Self:
        """Return a detector that validates rows as this one does, without a model."""
        reader = object.__new__(type(self))
        kept = self.__dict__.items()
        reader.__dict__.update({name: value for name, value in kept if name not in _OF_A_MODEL})
        return reader

    def _learning_rows(self, who: str, X: ArrayLike, y: ArrayLike | None) -> NDArray[Any]:
        """Return the rows that `IncrementalLearner` learns from."""
        if y is not None:
            raise ValueError(f"{who}: expected labels for images only, got labels of rows")
        rows = self._own_or_validated(X, reset=False)
        if issparse(rows):
            raise ValueError(f"{who}: expected dense rows, got a sparse matrix; use X.toarray()")
        return rows

    def _way_out_of_missing(self) -> str | None:
        """Return advice on missing values; None if they are allowed."""
        if self.__sklearn_tags__().input_tags.allow_nan:
            return None
        return "NaN is not allowed: fill short gaps (TimeTable.interpolate), or leave the rows out"

    def _name_bad_values(self, method: str, samples: Any, error: ValueError) -> None:
        """Raise an error that names the column of a missing or infinite value, if there is one."""
        if isinstance(samples, list):  # several series
            for one in samples:
                self._name_bad_values(method, one, error)
        elif isinstance(samples, np.ndarray) and samples.ndim == 2 and samples.dtype.kind == "f":
            name_bad_values(
                f"{type(self).__name__}.{method}",
                samples,
                getattr(self, "feature_names_in_", None),
                self._way_out_of_missing(),
                error,
            )

    def _own_or_validated(self, X: ArrayLike, *, reset: bool, method: str = "fit") -> NDArray[Any]:
        """Return `X` as an array or sparse matrix for the core, which checks its values."""
        if _is_plain(X):
            if reset:
                self.__dict__.pop("feature_names_in_", None)
                self.n_features_in_ = X.shape[1]
                return X
            if not hasattr(self, "feature_names_in_") and X.shape[1] == self.n_features_in_:
                return X
        return validated_rows(
            f"{type(self).__name__}.{method}",
            self,
            X,
            reset=reset,
            accept_sparse=self._accept_sparse,
            dtype=(np.float64, np.float32),
            ensure_all_finite=False,
        )


def calls(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return +1 where a decision function is at least 0, -1 below, and 0 where it is NaN."""
    return (values >= 0).astype(np.int64) - (values < 0)


def _is_plain(X: Any) -> TypeGuard[NDArray[Any]]:
    """Whether the core can read `X` in place: scikit-learn's validation costs more than scoring."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype in (np.float32, np.float64)
        and X.flags.c_contiguous
        and X.size > 0
    )
