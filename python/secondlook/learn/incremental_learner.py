"""Guarded continued training of a model."""

import os
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook._shared.progress import ProgressBar
from secondlook._shared.random_state import seed_of
from secondlook._shared.shown import Result, Shown
from secondlook._shared.warn_caller import warn_caller
from secondlook.detect.tabular import TabularDetector, calls
from secondlook.errors import DriftWarning
from secondlook.store.load import build


class Learns(Protocol):
    """A model that a learner can guard: a detector of rows, or a classifier of images."""

    _default_memory: ClassVar[tuple[int, int]]

    def _to_model_file(self) -> "_core.store.ModelFile": ...
    def _learning_rows(self, who: str, X: Any, y: ArrayLike | None) -> NDArray[Any]: ...


@dataclass(frozen=True, repr=False)
class UpdateReport(Result):
    """Result of an update, and the reason for it.

    Mean scores are NaN if nothing was trained. Scores below the suspicion limit count as the limit.
    """

    outcome: (
        str  #: "accepted", "rolled_back" (the candidate was worse) or "refused" (none was trained)
    )
    reason: str  #: explanation in words
    version: int  #: version in use after the update
    time_ns: int  #: time of the update, in nanoseconds since 1970
    seconds: float  #: duration of the update
    n_rows: int  #: rows passed to the update
    n_suspected: int  #: rows excluded as suspected anomalies
    n_learned: int  #: rows trained on
    n_held_out: int  #: rows only used to judge the candidate
    n_replayed: int  #: older rows trained on
    n_passes: int  #: passes over the training rows
    fresh_before: float  #: mean score of the fresh held-out rows under the model in use
    fresh_after: float  #: the same under the candidate
    replay_before: float  #: mean original score of the older rows that lost most
    replay_after: float  #: their mean score under the candidate
    allowed_loss: float  #: largest drop of either mean that is accepted
    drift: bool  #: whether the rows' scores have left the calibrated range
    mean_changed: bool  #: whether ADWIN reported the drift
    ks_statistic: float  #: two-sample test: distance from the calibration scores
    p_value: float  #: two-sample test: p-value

    def __repr__(self) -> str:
        return (
            f"UpdateReport({self.outcome}, version {self.version}, learned {self.n_learned:,} of "
            f"{self.n_rows:,} rows: {self.reason})"
        )

    def _shown(self) -> dict[str, Any]:
        shown = dict(self._fields())
        shown["time"] = np.datetime64(shown.pop("time_ns"), "ns")
        return shown

    @property
    def accepted(self) -> bool:
        """Whether the candidate is in use."""
        return self.outcome == "accepted"


@dataclass(frozen=True, repr=False)
class Version(Result):
    """A version in a learner's folder."""

    number: int
    reason: str  #: why it was made
    time: np.datetime64  #: when it was made
    in_use: bool


class IncrementalLearner(Shown):
    """Continue training a model under guard, so that no update makes it worse.

    An update excludes suspected anomalies and trains a copy of the model on fresh rows and a
    uniform sample of all older ones (experience replay). It judges the copy on rows of both kinds
    that no version was trained on, and accepts or discards it. Meanwhile any thread can go on
    scoring without waiting: it uses the previous model until the new one is accepted. With a
    folder, each version is one model file that is written to disk before it is used, so a program
    that is killed leaves the last good version.

    Rows are assumed to be independent, apart from drift. Detectors of ordered series are not
    supported.

    For an `ImageClassifier`, a row is an image with its label ``y``, and its score is the
    log-probability of that label. Images whose label the classifier finds improbable are suspected,
    such as labelling mistakes; images that have been labelled with care are ``trusted``.

    Parameters
    ----------
    detector : IsolationForest, Autoencoder, DetectorEnsemble or ImageClassifier
        Fitted. It is copied and never changed.
    calibration : array-like of shape (n_samples, n_features), or images
        Mostly normal rows, preferably not trained on. They set the suspicion limit and fill the
        replay memory; the defaults require at least 334.
    folder : str or os.PathLike, optional
        Folder for the versions. If it holds versions of the same kind and features, they are
        continued.
    y : array-like of shape (n_samples,), optional
        Labels of the calibration images.
    suspicion_rate : float, default=0.01
        Fraction of normal rows that may be excluded, in (0, 0.5]. If the detector itself flags
        fewer rows than that, choose a lower rate.
    max_suspected_fraction : float, default=0.5
        If a larger fraction of an update's rows is suspected, nothing is learned, in (0, 1].
    replay_ratio : float, default=1.0
        Number of older rows trained on per fresh row, at least 0.
    held_out_fraction : float, default=0.3
        Fraction of the rows that is only used to judge candidates, in (0, 1).
    max_passes : int, default=5
        Largest number of passes over an update's rows while the candidate is not good enough.
    tolerance : float, default=0.25
        Largest drop in the mean score of fresh or older rows that is accepted, in standard
        deviations of the first calibration's scores: 0.25 moves a 1 % tail of a normal distribution
        to 1.9 %.
    significance : float, default=1e-3
        p-value of the two-sample test below which scores have left the calibrated range.
    adwin_delta : float, default=0.002
        Parameter of `Adwin`, which follows the ranks of the scores among the calibration scores.
    replay_size : int or None, default=None
        Number of older rows kept for training. None: 2000, or 300 images.
    held_out_size : int or None, default=None
        Number of older rows kept for judging. None: 1000, or 300 images.
    keep_versions : int, default=10
        Number of versions kept in the folder, at least 1.
    random_state : int, RandomState or None, default=None
        Seed of all random draws.

    Attributes
    ----------
    offset_ : float
        Samples with a lower score are anomalous.
    version_ : int
        Number of the version in use.
    versions_ : list of Version
        Versions in the folder, oldest first.
    reports_ : list of UpdateReport
        Reports of the last 100 updates, oldest first.
    history_ : dict of str to ndarray of shape (n_reports,)
        The fields of `reports_` by name, and ``accepted``: numbers, booleans or strings.
    detector_ : detector or classifier
        Copy of the model in use.
    n_features_in_ : int
        Number of features.

    Raises
    ------
    ValueError
        If a parameter is out of range, there are too few rows, or the folder holds versions of
        another kind or of other features.

    References
    ----------
    J. S. Vitter, "Random Sampling with a Reservoir", ACM Transactions on Mathematical Software 11,
    1985.

    D. Rolnick et al., "Experience Replay for Continual Learning", NeurIPS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import IncrementalLearner, IsolationForest
    >>> X = np.random.default_rng(0).normal(size=(3000, 4))
    >>> forest = IsolationForest(random_state=0).fit(X[:1000])
    >>> learner = IncrementalLearner(forest, X[1000:2000], random_state=0)
    >>> learner.update(X[2000:]).accepted
    True
    """

    _learner: "_core.learn.IncrementalLearner"
    _reader: Learns

    def __init__(
        self,
        detector: Any,
        calibration: Any,
        folder: str | os.PathLike[str] | None = None,
        *,
        y: ArrayLike | None = None,
        suspicion_rate: float = 0.01,
        max_suspected_fraction: float = 0.5,
        replay_ratio: float = 1.0,
        held_out_fraction: float = 0.3,
        max_passes: int = 5,
        tolerance: float = 0.25,
        significance: float = 1e-3,
        adwin_delta: float = 0.002,
        replay_size: int | None = None,
        held_out_size: int | None = None,
        keep_versions: int = 10,
        random_state: Any = None,
    ) -> None:
        if not hasattr(detector, "_learning_rows"):
            raise TypeError(
                "IncrementalLearner: expected a detector such as IsolationForest or Autoencoder, "
                f"or an ImageClassifier, got {type(detector).__name__}"
            )
        file = detector._to_model_file()
        self._reader = _reader_of(detector, file)
        rows = self._reader._learning_rows("IncrementalLearner", calibration, y)
        default_replay, default_held_out = self._reader._default_memory
        self._learner = _core.learn.IncrementalLearner(
            file,
            rows,
            folder,
            list(getattr(detector, "feature_names_in_", [])),
            suspicion_rate=suspicion_rate,
            max_suspected_fraction=max_suspected_fraction,
            replay_ratio=replay_ratio,
            held_out_fraction=held_out_fraction,
            max_passes=max_passes,
            tolerance=tolerance,
            significance=significance,
            adwin_delta=adwin_delta,
            replay_size=default_replay if replay_size is None else replay_size,
            held_out_size=default_held_out if held_out_size is None else held_out_size,
            keep_versions=keep_versions,
            seed=seed_of(random_state),
        )

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Self:
        """Resume from the newest intact version in a folder, with its memory.

        Parameters
        ----------
        folder : str or os.PathLike

        Returns
        -------
        learner : IncrementalLearner

        Raises
        ------
        secondlook.ModelFileError
            If no version is intact, the newest was not written by a learner, or the folder mixes
            versions of several models.
        OSError
            If the folder cannot be read.
        """
        learner = cls.__new__(cls)
        learner._learner = _core.learn.IncrementalLearner.open(folder)
        file = learner._learner.model_file()
        learner._reader = _reader_of(build(file), file)
        return learner

    def score_samples(self, X: Any, y: ArrayLike | None = None) -> NDArray[np.float64]:
        """Score rows by the model in use: higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or images
        y : array-like of shape (n_samples,), optional
            Labels of the images.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
        """
        scores: NDArray[np.float64] = self._on_rows("score_samples", X, y)
        return scores

    def anomaly_score(self, X: Any, y: ArrayLike | None = None) -> NDArray[np.float64]:
        """Evidence for the abnormal, ``-score_samples(X)``: what `secondlook.decide` takes."""
        return -self.score_samples(X, y)

    def decision_function(self, X: Any, y: ArrayLike | None = None) -> NDArray[np.float64]:
        """Score rows relative to the offset of the same version: negative is anomalous."""
        values: NDArray[np.float64] = self._on_rows("decision_function", X, y)
        return values

    def predict(self, X: Any, y: ArrayLike | None = None) -> NDArray[np.int64]:
        """Return +1 for normal rows, -1 for anomalous ones, and 0 where there is no score."""
        return calls(self.decision_function(X, y))

    def update(self, X: Any, y: ArrayLike | None = None, *, trusted: bool = False) -> UpdateReport:
        """Learn from new rows, unless the model gets worse.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or images
            At least 10 rows.
        y : array-like of shape (n_samples,), optional
            Labels of the images.
        trusted : bool, default=False
            Whether all rows are known to be normal. None is then suspected.

        Returns
        -------
        report : UpdateReport

        Raises
        ------
        ValueError
            If the rows cannot be scored. After any exception the learner is unchanged.
        OSError
            If the version cannot be written, or another program has added one meanwhile.

        Warns
        -----
        secondlook.DriftWarning
            If the rows' scores have left the calibrated range.
        """
        with ProgressBar("Learning on") as progress:
            report = UpdateReport(**self._on_rows("update", X, y, trusted, progress))
        if report.drift:
            warn_caller(
                "IncrementalLearner: live scores have left the calibrated range "
                f"(p-value {report.p_value:.2g}, distance {report.ks_statistic:.2f}); "
                f"update {report.outcome}: {report.reason}",
                DriftWarning,
            )
        return report

    def rollback(self, version: int, reason: str = "") -> None:
        """Return to a version in the folder, with its memory; it becomes a new version.

        Parameters
        ----------
        version : int
            Number of the version.
        reason : str, default=""
            Text kept with the new version.

        Raises
        ------
        ValueError
            If the number is unknown, the version is damaged, or the learner has no folder.
        """
        self._learner.rollback(version, reason)

    @property
    def detector_(self) -> Any:
        """Copy of the model in use."""
        return build(self._learner.model_file())

    @property
    def versions_(self) -> list[Version]:
        """Versions in the folder, oldest first; without a folder, the one in use."""
        return [
            Version(
                version["number"],
                version["reason"],
                np.datetime64(version["time_ns"], "ns"),
                version["in_use"],
            )
            for version in self._learner.versions
        ]

    @property
    def reports_(self) -> list[UpdateReport]:
        """Reports of the last 100 updates, oldest first."""
        return [UpdateReport(**report) for report in self._learner.history]

    @property
    def history_(self) -> dict[str, NDArray[Any]]:
        """Figures of each of these updates, by name."""
        reports = self.reports_
        names = [*(field.name for field in fields(UpdateReport)), "accepted"]
        return {name: np.array([getattr(report, name) for report in reports]) for name in names}

    @property
    def offset_(self) -> float:
        """Samples with a lower score are anomalous."""
        return self._learner.offset

    @property
    def version_(self) -> int:
        """Number of the version in use."""
        return self._learner.version

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return self._learner.n_features

    def _shown(self) -> dict[str, Any]:
        return {
            "learns": type(self._reader).__name__,
            "version": self.version_,
            "n_versions": len(self.versions_),
            "n_updates": len(self.reports_),
            "offset": self.offset_,
            "n_features": self.n_features_in_,
        }

    def _on_rows(self, method: str, X: Any, y: ArrayLike | None, *more: Any) -> Any:
        """Call the core's method of this name; its errors name the columns of bad values."""
        rows = self._reader._learning_rows("IncrementalLearner", X, y)
        try:
            return getattr(self._learner, method)(rows, *more)
        except ValueError as error:
            if isinstance(self._reader, TabularDetector):
                self._reader._name_bad_values(method, rows, error)
            raise


def _reader_of(detector: Any, file: "_core.store.ModelFile") -> Learns:
    """Return an object that validates rows as the detector does, without holding its model."""
    if isinstance(detector, TabularDetector):
        return detector._row_reader()
    return cast(Learns, build(file))
