"""Ensemble of detectors, statistics and domain rules that vote and give reasons."""

import json
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook._shared.missing import where_missing
from secondlook._shared.random_state import seed_of
from secondlook._shared.table import read_column, read_table
from secondlook.detect.autoencoder import Autoencoder
from secondlook.detect.ensemble_stream import SEVERITIES, EnsembleStream
from secondlook.detect.isolation_forest import IsolationForest
from secondlook.detect.tabular import TabularDetector
from secondlook.series.devices import rows_by_device
from secondlook.series.times import read_times
from secondlook.store.load import build

if TYPE_CHECKING:
    import pandas as pd

Rule = Mapping[str, Any]

_RULE_KEYS = {"feature", "lower", "upper", "reason"}


class DetectorEnsemble(TabularDetector):
    """Detectors, statistics and domain rules that vote and give reasons.

    The voters are: each member, voting if its anomaly score exceeds the `limit_level` quantile of
    its training scores; the first member again, voting if its score exceeds its recent level;
    ``z_score``, voting if a feature lies more than `n_sigma` standard deviations from its training
    mean and further than the furthest feature does in a fraction `limit_level` of the training rows
    (among many features, one is often far); and ``rules``, if there are any. With the default
    members, an autoencoder and an isolation forest, and rules, there are five. The first member
    therefore counts twice: beyond its limit it is beyond its recent level as well, so if two votes
    are required it decides alone. The others need a second vote.

    A voter's margin is 0 at the median of its training scores and 1 at its limit. The score is
    minus the `votes`-th largest margin, so a sample below -1 is an anomaly: the required number of
    voters is beyond their limits. The severity is "medium", raised by one step for each of: more
    votes than required, a margin of 2 or more.

    The margin of a rule is 1 plus the excess over the limit in training standard deviations. A
    feature that never varied in training has a standard deviation of 1, so put a rule on it.

    `score_samples` treats rows as independent and uses the recent level of the training; `verdicts`
    and `stream` follow the recent level of each device.

    Parameters
    ----------
    members : sequence of (str, detector) or None, default=None
        Detectors of rows, with the names used for them in reasons. None: ``"autoencoder"`` and
        ``"isolation_forest"``.
    votes : int, default=2
        Number of votes required for an anomaly.
    n_sigma : float, default=2.5
        Standard deviations within which no feature votes.
    recent_level : float, default=0.95
        Quantile of the first member's recent scores that is its recent level.
    recent_window : int, default=500
        Number of recent samples of a device; those beyond the limit of the member are excluded.
    limit_level : float, default=0.99
        Quantile, in (0.5, 1), of the training scores that is the limit of a member.
    rules : sequence of dict, default=()
        Limits of features that hold in normal operation: ``{"feature": "temperature", "upper":
        60}``, with ``lower``, ``upper`` or both, and optionally a ``reason`` in words. A feature is
        an index, or a name if `fit` is given a table.
    random_state : int, RandomState or None, default=None
        Seed of the default members.

    Attributes
    ----------
    voters_ : list of str
        Names of the voters.
    members_ : dict of str to detector
        Copies of the trained members.
    offset_ : float
        Samples with a lower score are anomalous: -1.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `fit` was given a table whose column names are all strings.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import DetectorEnsemble
    >>> X = np.random.default_rng(0).normal(size=(2000, 3))
    >>> rules = [{"feature": 1, "upper": 5.0, "reason": "relief valve"}]
    >>> ensemble = DetectorEnsemble(rules=rules, random_state=0).fit(X)
    >>> record = ensemble.stream().push([0.0, 6.0, 0.0])
    >>> record.severity, record.n_votes
    ('critical', 4)
    """

    _core_type: ClassVar[Any] = _core.detect.DetectorEnsemble
    _model: "_core.detect.DetectorEnsemble"

    def __init__(
        self,
        members: Sequence[tuple[str, TabularDetector]] | None = None,
        votes: int = 2,
        *,
        n_sigma: float = 2.5,
        recent_level: float = 0.95,
        recent_window: int = 500,
        limit_level: float = 0.99,
        rules: Sequence[Rule] = (),
        random_state: Any = None,
    ) -> None:
        self.members = members
        self.votes = votes
        self.n_sigma = n_sigma
        self.recent_level = recent_level
        self.recent_window = recent_window
        self.limit_level = limit_level
        self.rules = rules
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Train every member from scratch, and set all limits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows that are mostly normal. Columns of a table name the features.
        y : None
            Ignored.

        Returns
        -------
        self : DetectorEnsemble

        Raises
        ------
        ValueError
            If a parameter is out of range, `X` is not finite, or a rule names an unknown feature.
        KeyboardInterrupt
            On Ctrl-C; the ensemble is then unchanged.
        """
        twin = self._copy_to_train()
        samples = twin._own_or_validated(X, reset=True)
        model = twin._make_core(*samples.shape)
        return self._train(twin, model, model.fit, samples)

    def partial_fit(self, X: ArrayLike, y: None = None) -> Self:
        """Continue training of every member, and update the means and deviations of the features.

        The limits are stale afterwards: deciding warns until `fit_offset` is called. An untrained
        ensemble is trained by `fit`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            New rows that are mostly normal.
        y : None
            Ignored.

        Returns
        -------
        self : DetectorEnsemble
        """
        return self._train_on(X)

    def fit_offset(self, X: ArrayLike) -> Self:
        """Recompute the limits of all members and of the z-score.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows that are assumed to be normal, preferably not trained on.

        Returns
        -------
        self : DetectorEnsemble
        """
        return super().fit_offset(X)

    def feature_contributions(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return each feature's contribution to minus the score.

        It is the mean of its contributions in the members that vote, or in all members if none
        votes. A forest among the members makes this slow: milliseconds per row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features)
            At least 0; a row sums to minus its score.
        """
        return super().feature_contributions(X)

    def stream(self) -> EnsembleStream:  # type: ignore[override]
        """Begin the series of a device, whose samples are judged as they arrive.

        Returns
        -------
        stream : EnsembleStream
        """
        self._warn_if_stale(self._fitted())
        return EnsembleStream(self)

    def verdicts(
        self, table: "pd.DataFrame", *, device: str | None = None, time: str | None = None
    ) -> "pd.DataFrame":
        """Judge the samples of one device or of a fleet, each device's in the order of its rows.

        The verdicts equal those of the device's stream.

        Parameters
        ----------
        table : DataFrame
            The features: by their names if `fit` was given names, otherwise all columns but those
            of devices and times, in their order. A row with a missing feature is not judged.
        device : str, optional
            Name of the column that identifies the device. By default the column ``"device"`` if
            there is one; otherwise all rows are of one device.
        time : str, optional
            Name of the column of times, which must increase within each device. By default the
            column ``"time"`` if there is one; otherwise an index of times, if there is one.

        Returns
        -------
        verdicts : DataFrame
            With the rows and the index of `table`: device and time, if they are columns; score,
            verdict ("normal", "anomaly", "unknown"), severity (an ordered category, missing where
            unknown), n_votes, and the reasons in words, separated by ``"; "``.

        Raises
        ------
        ValueError
            If a column is missing, or the times of a device do not increase.
        """
        import pandas as pd

        model = self._fitted()
        self._warn_if_stale(model)
        keys = self._key_columns(table, device, time)
        features = self._features_of(table, [name for name in keys if name is not None])
        n = len(table)
        device, time = keys
        times = None if time is None else table[time]
        if time is None and isinstance(table.index, pd.DatetimeIndex):
            times = table.index.to_series()
        instants = None if times is None else _instants_of(times)
        every_row: Iterable[tuple[object, NDArray[np.intp]]] = [("", np.arange(n))]
        devices = (
            every_row
            if device is None
            else rows_by_device(table[device], "DetectorEnsemble.verdicts")
        )
        columns: dict[str, Any] = {
            "score": np.full(n, np.nan),
            "votes": np.zeros(n, np.uint32),
            "severity": np.zeros(n, np.int8),
            "reasons": np.full(n, "", dtype=object),
        }
        for name, indices in devices:
            if times is not None and instants is not None:
                _require_increasing(name, times.iloc[indices], instants[indices])
            judged = _core.detect.EnsembleStream(model).push_many(features[indices])
            judged["reasons"] = ["; ".join(reasons) for reasons in judged["reasons"]]
            for column, values in judged.items():
                columns[column][indices] = values
        missing_rows = np.isnan(columns["score"])
        severity = columns["severity"]
        n_votes = np.bitwise_count(columns["votes"]).astype(np.int64)
        verdict = np.where(missing_rows, "unknown", np.where(severity > 0, "anomaly", "normal"))
        result = table[[name for name in keys if name is not None]].copy()
        result["score"] = columns["score"]
        result["verdict"] = verdict
        codes = np.where(missing_rows, -1, severity)
        result["severity"] = pd.Categorical.from_codes(codes, SEVERITIES, ordered=True)
        result["n_votes"] = n_votes
        result["reasons"] = columns["reasons"]
        return result

    @property
    def voters_(self) -> list[str]:
        """Names of the voters."""
        voters: list[str] = self._fitted_attribute().voters
        return voters

    @property
    def members_(self) -> dict[str, TabularDetector]:
        """Copies of the trained members."""
        return dict(_members_of(self._fitted_attribute()))

    @classmethod
    def _parameters_of(cls, core: "_core.detect.DetectorEnsemble") -> dict[str, Any]:
        p = core.parameters
        names = p.pop("feature_names")
        rules = []
        for kept in p.pop("rules"):
            rule = {
                name: value
                for name, value in kept.items()
                if value not in (-math.inf, math.inf, "")
            }
            rules.append({**rule, "feature": names[rule["feature"]] if names else rule["feature"]})
        return {**p, "members": _members_of(core), "rules": tuple(rules)}

    def _make_core(self, n_rows: int, n_features: int) -> "_core.detect.DetectorEnsemble":
        members = self.members
        if members is None:
            seed = seed_of(self.random_state)
            members = [
                ("autoencoder", Autoencoder(random_state=seed)),
                ("isolation_forest", IsolationForest(random_state=seed)),
            ]
        cores = []
        for entry in members:
            if not (isinstance(entry, tuple | list) and len(entry) == 2):
                raise TypeError(
                    "DetectorEnsemble: expected members as (name, detector), "
                    f"got {type(entry).__name__}"
                )
            name, member = entry
            if not isinstance(member, TabularDetector):
                raise TypeError(
                    "DetectorEnsemble: expected members such as Autoencoder or IsolationForest, "
                    f"got {type(member).__name__} for {name!r}"
                )
            cores.append((name, member._make_core(n_rows, n_features)))
        names = [str(name) for name in getattr(self, "feature_names_in_", [])]
        return _core.detect.DetectorEnsemble(
            members=cores,
            votes=_whole("votes", self.votes),
            n_sigma=self.n_sigma,
            recent_level=self.recent_level,
            recent_window=_whole("recent_window", self.recent_window),
            limit_level=self.limit_level,
            rules=[_core_rule(rule, names) for rule in self.rules],
            feature_names=names,
        )

    def _key_columns(
        self, table: "pd.DataFrame", device: str | None, time: str | None
    ) -> tuple[str | None, str | None]:
        """Return the columns of devices and of times; None where there is none."""
        for name, given in (("device", device), ("time", time)):
            if given is not None and given not in table.columns:
                raise ValueError(
                    f"DetectorEnsemble.verdicts: expected {name} as the name of a column, got "
                    f"{given!r}; the columns are {[str(column) for column in table.columns]}"
                )
        features = getattr(self, "feature_names_in_", ())
        free = [name for name in table.columns if name not in features]
        return (
            "device" if device is None and "device" in free else device,
            "time" if time is None and "time" in free else time,
        )

    def _features_of(self, table: "pd.DataFrame", keys: list[str]) -> NDArray[np.float64]:
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = [name for name in table.columns if name not in keys]
        elif missing := [name for name in names if name not in table.columns]:
            raise ValueError(
                f"DetectorEnsemble.verdicts: expected a column for every feature, got none named "
                f"{missing}"
            )
        if len(names) != self.n_features_in_:
            raise ValueError(
                f"DetectorEnsemble.verdicts: expected {self.n_features_in_} features, got "
                f"{len(names)}: {list(names)}"
            )
        values = read_table("DetectorEnsemble.verdicts", table[list(names)]).values
        return np.ascontiguousarray(values, dtype=np.float64)


def _whole(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(
            f"DetectorEnsemble: expected {name} as a whole number, got {value!r}"
        ) from None


def _members_of(core: "_core.detect.DetectorEnsemble") -> list[tuple[str, TabularDetector]]:
    names = json.dumps(core.parameters["feature_names"] or None)
    members = []
    for name, file in core.member_files:
        file.set_section("feature_names", names)
        members.append((name, cast(TabularDetector, build(file))))
    return members


def _core_rule(rule: Rule, names: list[str]) -> dict[str, Any]:
    if not isinstance(rule, Mapping) or "feature" not in rule or set(rule) - _RULE_KEYS:
        raise ValueError(
            "DetectorEnsemble: expected a rule with a feature, and lower, upper or reason, "
            f"got {rule!r}"
        )
    # A null in JSON means no limit.
    given = {key: value for key, value in rule.items() if value is not None}
    feature = rule["feature"]
    if isinstance(feature, str):
        if feature not in names:
            known = ", ".join(names) or "none, as fit was not given a table"
            raise ValueError(
                f"DetectorEnsemble: expected a rule on a named feature ({known}), got {feature!r}"
            )
        feature = names.index(feature)
    try:
        index = operator.index(feature)
        lower, upper = float(given.get("lower", -math.inf)), float(given.get("upper", math.inf))
    except (TypeError, ValueError) as error:
        raise ValueError(f"DetectorEnsemble: {error} in the rule {rule!r}") from None
    if index < 0:
        raise ValueError(f"DetectorEnsemble: expected a feature's index or name, got {index}")
    return {
        "feature": index,
        "lower": lower,
        "upper": upper,
        "reason": str(given.get("reason", "")),
    }


def _instants_of(column: "pd.Series[Any]") -> NDArray[Any]:
    """Return sortable instants; times may also be plain numbers."""
    if column.dtype.kind in "fiu":
        return read_column("DetectorEnsemble.verdicts", column, f"column {column.name!r}")
    return read_times("DetectorEnsemble.verdicts", column).instants


def _require_increasing(device: object, column: "pd.Series[Any]", times: NDArray[Any]) -> None:
    where = f" for device {device!r}" if device != "" else ""
    if where_missing(times).any():
        raise ValueError(f"DetectorEnsemble.verdicts: expected no missing times, got one{where}")
    back = np.flatnonzero(~(times[1:] > times[:-1]))
    if len(back):
        index = int(back[0])
        raise ValueError(
            f"DetectorEnsemble.verdicts: expected increasing times, got {column.iloc[index]} "
            f"and then {column.iloc[index + 1]}{where}; sort the rows by time, and name the column "
            "of devices if there are several"
        )
