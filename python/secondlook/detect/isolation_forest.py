"""Isolation forest."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse

from secondlook import _core
from secondlook._shared.progress import ProgressBar
from secondlook._shared.random_state import seed_of
from secondlook._shared.table import read_column
from secondlook._shared.threads import requested_threads
from secondlook._shared.warn_caller import warn_caller
from secondlook.detect.isolation_tree import IsolationTree, trees_of
from secondlook.detect.tabular import TabularDetector

_AUTO = 256  # rows per tree, as in the paper


class IsolationForest(TabularDetector):
    """Isolation forest: anomalies are few and different, so random splits isolate them early.

    The score is ``-2 ** (-mean path length / c(max_samples))``, in [-1, 0). Values are compared in
    float32: float64 input is rounded to it and saturates beyond its range. A seed gives the same
    bits for any number of threads, and the same as in C++.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    max_samples : int, float or "auto", default="auto"
        Rows per tree: a number, a fraction of the rows in (0, 1], or "auto" for 256. All rows if
        there are fewer; a number warns then.
    contamination : "auto" or float, default="auto"
        Fraction of anomalies in (0, 0.5]: `offset_` is that quantile of the training scores. With
        "auto" it is -0.5, as in the paper.
    max_features : int or float, default=1.0
        Features that each tree may split on: a number, or a fraction in (0, 1].
    bootstrap : bool, default=False
        Whether the rows of a tree are drawn with replacement.
    missing : {"auto", "refuse", "route"}, default="auto"
        Treatment of NaN: an error, or it follows the larger branch of each split. "auto" is "route"
        if the training rows hold NaN, otherwise "refuse".
    refresh_fraction : float, default=0.1
        Fraction of the trees, the oldest ones, that is replaced per `max_samples` new rows in
        `partial_fit`.
    n_jobs : int or None, default=None
        Number of threads; -1 uses all processors. None uses `SECONDLOOK_NUM_THREADS`, else
        `OMP_NUM_THREADS`, else all processors that this process may use.
    random_state : int, RandomState or None, default=None
        Seed of the trees.
    verbose : int, default=0
        Whether to show progress from the beginning, and in scripts without a terminal.
    warm_start : bool, default=False
        Whether `fit` keeps the trees there are and grows only the others of `n_estimators`. With
        the same rows and an int as `random_state`, they are the trees of one `fit`.

    Attributes
    ----------
    offset_ : float
        Samples with a lower score are anomalous: ``decision_function = score_samples - offset_``.
    estimators_ : list of IsolationTree
        The trees, to be looked at.
    max_samples_ : int
        Number of rows that each tree was grown on.
    expected_path_length_ : float
        Mean path length over the training samples of the trees, the base value of
        `feature_contributions`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `fit` was given a table whose column names are all strings.

    References
    ----------
    F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation Forest", ICDM 2008.

    Examples
    --------
    >>> from secondlook import IsolationForest
    >>> forest = IsolationForest(random_state=0).fit([[-1.1], [0.3], [0.5], [100.0]])
    >>> forest.predict([[0.1], [90.0]])
    array([ 1, -1])
    """

    _core_type: ClassVar[Any] = _core.detect.IsolationForest
    _accept_sparse: ClassVar[str | bool] = "csr"
    _model: "_core.detect.IsolationForest"

    def __init__(
        self,
        n_estimators: int = 100,
        max_samples: int | float | Literal["auto"] = "auto",
        contamination: float | Literal["auto"] = "auto",
        max_features: int | float = 1.0,
        *,
        bootstrap: bool = False,
        missing: Literal["auto", "refuse", "route"] = "auto",
        refresh_fraction: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
        warm_start: bool = False,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.contamination = contamination
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.missing = missing
        self.refresh_fraction = refresh_fraction
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start

    def fit(self, X: ArrayLike, y: None = None, sample_weight: ArrayLike | None = None) -> Self:
        """Train from scratch, or with `warm_start` grow further trees.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Training rows; only those that the trees draw are copied. A sparse matrix in other than
            compressed rows (CSR) is converted to them, and never made dense.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of at least 0: rows are drawn with probabilities in proportion to them, and
            count so for `contamination`. Equal weights change nothing.

        Returns
        -------
        self : IsolationForest

        Raises
        ------
        ValueError
            If a parameter or a weight is out of range, `X` is empty or not finite, or further
            trees do not fit those that `warm_start` keeps.

        Warns
        -----
        UserWarning
            If `max_samples` is a number of more rows than there are, or `warm_start` is set and no
            tree is missing.
        """
        twin = self._copy_to_train()
        samples = twin._own_or_validated(X, reset=True)
        n_rows = samples.shape[0]
        first = self._model if self.warm_start and self.__sklearn_is_fitted__() else None
        if isinstance(self.max_samples, int | np.integer) and self.max_samples > n_rows:
            warn_caller(
                f"IsolationForest.fit: max_samples ({self.max_samples}) is greater than the number "
                f"of rows ({n_rows}). max_samples will be set to n_samples for estimation.",
                UserWarning,
            )
        if first is not None and first.n_trees == self.n_estimators:
            warn_caller(
                "IsolationForest.fit: warm_start keeps all the trees there are; raise n_estimators "
                f"({self.n_estimators}) to grow more",
                UserWarning,
            )
        if sample_weight is not None:
            sample_weight = read_column("IsolationForest.fit", sample_weight, "sample_weight")

        def fit(forest: "_core.detect.IsolationForest") -> None:
            with self._progress() as progress:
                forest.fit(samples, progress, sample_weight, first)

        routes = first is not None and first.parameters["route_missing"]
        self._adopt(twin, self._trained(twin, "fit", samples, fit, route_missing=routes))
        if first is None:
            self.__dict__.pop("_trees", None)
        return self

    def partial_fit(self, X: ArrayLike, y: None = None) -> Self:
        """Continue training on new rows without forgetting the older ones.

        New rows are gathered until there are `max_samples`; then the oldest `refresh_fraction` of
        the trees is replaced by trees grown on the new rows. An untrained forest is grown from the
        first `max_samples` rows. If `contamination` is a number, `offset_` is stale afterwards:
        deciding warns until `fit_offset` is called.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            New rows. Of a sparse matrix 256 rows at a time are made dense.
        y : None
            Ignored.

        Returns
        -------
        self : IsolationForest
        """
        first = not hasattr(self, "_model")
        twin = self._copy_to_train() if first else self
        samples = twin._own_or_validated(X, reset=first, method="partial_fit")
        if first and isinstance(self.max_samples, float):
            raise ValueError(
                "IsolationForest.partial_fit: expected max_samples as a number of rows, "
                f"got the fraction {self.max_samples}"
            )

        def train(forest: "_core.detect.IsolationForest") -> None:
            for rows in _dense_blocks(samples):
                with self._progress() as progress:
                    forest.partial_fit(rows, progress)

        if first:
            self._adopt(twin, self._trained(twin, "partial_fit", samples, train))
        else:
            forest = self._model.copy()
            try:
                train(forest)
            except ValueError as error:
                self._name_bad_values("partial_fit", samples, error)
                raise
            self._model = forest
        self.__dict__.pop("_trees", None)
        return self

    def merge(self, other: "IsolationForest") -> Self:
        """Add the trees of a forest that was trained separately, for example on another machine.

        Parameters
        ----------
        other : IsolationForest
            Fitted with the same number of features and of rows per tree. It is not changed.

        Returns
        -------
        self : IsolationForest

        Raises
        ------
        ValueError
            If the forests do not fit together.
        """
        if not isinstance(other, IsolationForest):
            raise TypeError(
                f"IsolationForest.merge: expected a secondlook IsolationForest, got {type(other)}"
            )
        mine = getattr(self, "feature_names_in_", None)
        theirs = getattr(other, "feature_names_in_", None)
        if mine is not None and theirs is not None and list(mine) != list(theirs):
            raise ValueError(
                f"IsolationForest.merge: expected the features {list(mine)}, got {list(theirs)}"
            )
        forest = self._fitted().copy()
        forest.merge(other._fitted())
        self._model = forest
        self.__dict__.pop("_trees", None)
        return self

    def feature_contributions(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how much each feature shortens the path of a row; positive is anomalous.

        Path-dependent TreeSHAP on the path length, averaged over the trees.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features)
            In splits; a row sums to `expected_path_length_` less the row's own mean path length.

        References
        ----------
        S. M. Lundberg et al., "From local explanations to global understanding with explainable AI
        for trees", Nature Machine Intelligence 2, 2020.
        """
        if not issparse(X):
            return super().feature_contributions(X)
        rows = self._own_or_validated(X, reset=False, method="feature_contributions")
        return np.vstack(
            [
                super(IsolationForest, self).feature_contributions(block)
                for block in _dense_blocks(rows)
            ]
        )

    @property
    def estimators_(self) -> "list[IsolationTree]":
        """The trees."""
        model = self._fitted_attribute()
        trees: list[IsolationTree] = self.__dict__.setdefault("_trees", [])
        if len(trees) < model.n_trees:  # `warm_start` keeps the trees there are
            trees += trees_of(model.to_file())[len(trees) :]
        return list(trees)

    @property
    def max_samples_(self) -> int:
        """Rows that each tree was grown on."""
        return int(self._fitted_attribute().subsample_size)

    @property
    def expected_path_length_(self) -> float:
        """Mean path length over the trees' own samples."""
        return float(self._fitted_attribute().expected_path_length())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._routes_missing(when_unfitted=self.missing != "refuse")
        tags.input_tags.sparse = True
        return tags

    def _way_out_of_missing(self) -> str | None:
        if self._routes_missing(when_unfitted=self.missing == "route"):
            return None
        return 'fit with missing="route", which takes NaN'

    def _routes_missing(self, *, when_unfitted: bool) -> bool:
        if self.missing == "auto" and "_model" in self.__dict__:
            return bool(self._model.parameters["route_missing"])
        return when_unfitted if self.missing == "auto" else self.missing == "route"

    @classmethod
    def _parameters_of(cls, core: "_core.detect.IsolationForest") -> dict[str, Any]:
        p = core.parameters
        return {
            "n_estimators": p["n_estimators"],
            "max_samples": "auto" if p["max_samples"] == _AUTO else p["max_samples"],
            "contamination": "auto" if p["contamination"] is None else p["contamination"],
            "max_features": p["max_features"] or 1.0,
            "bootstrap": p["bootstrap"],
            "missing": "route" if p["route_missing"] else "auto",
            "refresh_fraction": p["refresh_fraction"],
            "n_jobs": p["n_jobs"] or None,
            "random_state": p["seed"],
        }

    def _make_core(
        self, n_rows: int, n_features: int, *, route_missing: bool = False
    ) -> "_core.detect.IsolationForest":
        if self.missing not in ("auto", "refuse", "route"):
            raise ValueError(
                'IsolationForest: missing must be "auto", "refuse" or "route", '
                f"got {self.missing!r}"
            )
        return _core.detect.IsolationForest(
            n_estimators=_count("n_estimators", self.n_estimators, None),
            max_samples=_AUTO
            if isinstance(self.max_samples, str) and self.max_samples == "auto"
            else _count("max_samples", self.max_samples, n_rows),
            max_features=_count("max_features", self.max_features, n_features),
            contamination=self._contamination(),
            bootstrap=bool(self.bootstrap),
            route_missing=route_missing or self.missing == "route",
            refresh_fraction=float(self.refresh_fraction),
            seed=seed_of(self.random_state),
            n_jobs=requested_threads("IsolationForest", self.n_jobs),
        )

    def _trained(
        self,
        twin: Self,
        method: str,
        samples: Any,
        train: Callable[["_core.detect.IsolationForest"], None],
        *,
        route_missing: bool = False,
    ) -> "_core.detect.IsolationForest":
        """Return a new model of the core that is trained, on NaN as well if `missing` is "auto"."""
        forest = twin._make_core(*samples.shape, route_missing=route_missing)
        try:
            train(forest)
        except ValueError as error:
            # We look for NaN only now, since that takes as long as growing the trees.
            values = samples.data if issparse(samples) else samples
            if self.missing == "auto" and not route_missing and np.isnan(values).any():
                return self._trained(twin, method, samples, train, route_missing=True)
            twin._name_bad_values(method, samples, error)
            raise
        return forest

    def _progress(self) -> ProgressBar:
        return ProgressBar("Growing trees", verbose=bool(self.verbose))

    def _contamination(self) -> float | None:
        if isinstance(self.contamination, str):
            if self.contamination == "auto":
                return None
        elif isinstance(self.contamination, int | float | np.floating):
            return float(self.contamination)
        raise ValueError(
            'IsolationForest: contamination must be "auto" or lie in (0, 0.5], '
            f"got {self.contamination!r}"
        )


def _dense_blocks(X: Any) -> Iterator[NDArray[Any]]:
    """Yield dense rows at once, and sparse ones 256 at a time."""
    if not issparse(X):
        yield X
        return
    for begin in range(0, X.shape[0], 256):
        yield X[begin : begin + 256].toarray()


def _count(name: str, value: Any, total: int | None) -> int:
    """Read a count, or a fraction of the total if there is one."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        if value >= 1:
            return int(value)
    elif total is not None and isinstance(value, float | np.floating) and 0 < value <= 1:
        return max(1, int(value * total))
    expected = "a number of at least 1" + ("" if total is None else " or a fraction in (0, 1]")
    raise ValueError(f"IsolationForest: expected {name} as {expected}, got {value!r}")
