"""A detector that learns on without getting worse."""

import os
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook._shared.progress import ProgressBar
from secondlook._shared.random_state import seed_of
from secondlook._shared.warn_caller import warn_caller
from secondlook.detect.tabular import TabularDetector
from secondlook.errors import DriftWarning
from secondlook.store.load import build


class Learns(Protocol):
    """What a learner may guard: a detector of rows, or a classifier of images."""

    _default_memory: ClassVar[tuple[int, int]]

    def _to_model_file(self) -> "_core.store.ModelFile": ...
    def _learning_rows(self, who: str, X: Any, y: ArrayLike | None) -> NDArray[Any]: ...


@dataclass(frozen=True)
class UpdateReport:
    """What an update did, and why.

    Mean scores are NaN where nothing was trained; a row's score counts no lower than the limit.
    """

    outcome: str  #: "accepted", "rolled_back" (a candidate was worse) or "refused" (none trained)
    reason: str  #: in words
    version: int  #: in use after the update
    time_ns: int  #: of the update, since 1970
    seconds: float  #: that it took
    n_rows: int  #: that came
    n_suspected: int  #: of them, kept out as suspected anomalies
    n_learned: int  #: of them, trained on
    n_held_out: int  #: of them, only judged on
    n_replayed: int  #: older rows trained on
    n_passes: int  #: over the rows trained on
    fresh_before: float  #: mean score of the fresh rows held out: model in use
    fresh_after: float  #: the same: candidate
    replay_before: float  #: mean score of those older rows that lost most: when they came
    replay_after: float  #: the same: candidate
    allowed_loss: float  #: by which either mean may fall
    drift: bool  #: whether the rows' scores have left the calibrated range
    mean_changed: bool  #: ADWIN's part in that
    ks_statistic: float  #: the two-sample test's: distance from the calibration scores
    p_value: float  #: the same

    @property
    def accepted(self) -> bool:
        """Whether the candidate is in use."""
        return self.outcome == "accepted"


@dataclass(frozen=True)
class Version:
    """A version in a learner's folder."""

    number: int
    reason: str  #: why it is there
    time: np.datetime64  #: when it was made
    in_use: bool


class IncrementalLearner:
    """A detector that learns on, and is guarded while it does.

    An update keeps suspected anomalies out, trains a copy of the model on fresh rows and a uniform
    sample of all older ones (replay), judges it on rows of both kinds that no version was trained
    on, and takes it or leaves it. Scoring goes on meanwhile, from any thread and without waiting,
    on the model before; then it is on the new one. With a folder each version is one model file, on
    the disk before it is used: a program that is killed leaves the last good one.

    Rows are taken to be independent but for drift; detectors of ordered series are out of scope.

    Of an `ImageClassifier` a row is an image with its label ``y``, and its score the
    log-probability of that label: suspected is what is labelled as the classifier would hardly have
    it, such as a slip, and images that somebody has labelled with care are ``trusted``.

    Parameters
    ----------
    detector : IsolationForest, Autoencoder, DetectorEnsemble or ImageClassifier
        Fitted. It is copied and stays as it is.
    calibration : array-like of shape (n_samples, n_features), or images
        Mostly normal rows, best not trained on. They set the limit of suspicion and begin the
        replay; with the defaults 334 are needed.
    folder : str or os.PathLike, optional
        Where versions are kept. One with versions of the same kind and features is continued.
    y : array-like of shape (n_samples,), optional
        Labels of the calibration's images.
    suspicion_rate : float, default=0.01
        Share of normal rows that may be kept out, in (0, 0.5]; best below the fraction that the
        detector's own limits call anomalous.
    max_suspected_fraction : float, default=0.5
        Where more of an update's rows are suspected, nothing is learned.
    replay_ratio : float, default=1.0
        Older rows trained on for each fresh one.
    held_out_fraction : float, default=0.3
        Of the rows, to judge on and never to train on.
    max_passes : int, default=5
        Over an update's rows, until the candidate holds.
    tolerance : float, default=0.25
        By how many standard deviations of the first calibration's scores the mean score of fresh or
        of older rows may fall: 0.25 moves a 1 % tail of a normal distribution to 1.9 %.
    significance : float, default=1e-3
        p-value of the two-sample test below which scores have left the calibrated range.
    adwin_delta : float, default=0.002
        Of `Adwin`, which follows the scores' places among the calibration scores.
    replay_size : int or None, default=None
        Older rows kept to train on. None: 2000, or 300 images.
    held_out_size : int or None, default=None
        Older rows kept to judge on. None: 1000, or 300 images.
    keep_versions : int, default=10
        In the folder.
    random_state : int, RandomState or None, default=None
        Seed of all draws.

    Attributes
    ----------
    offset_ : float
        Samples that score below are anomalous.
    version_ : int
        In use.
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
            np.asarray(rows, dtype=np.float64, order="C"),
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
        """Go on from the newest whole version in a folder, with all that was remembered.

        Parameters
        ----------
        folder : str or os.PathLike

        Returns
        -------
        learner : IncrementalLearner

        Raises
        ------
        secondlook.ModelFileError
            If no version reads whole, the newest is no learner's, or the folder mixes models.
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
        scores: NDArray[np.float64] = self._learner.score_samples(self._rows(X, y))
        return scores

    def anomaly_score(self, X: Any, y: ArrayLike | None = None) -> NDArray[np.float64]:
        """Evidence for the abnormal, ``-score_samples(X)``: what `secondlook.decide` takes."""
        return -self.score_samples(X, y)

    def decision_function(self, X: Any, y: ArrayLike | None = None) -> NDArray[np.float64]:
        """Score rows relative to the offset of the same version: negative is anomalous."""
        values: NDArray[np.float64] = self._learner.decision_function(self._rows(X, y))
        return values

    def predict(self, X: Any, y: ArrayLike | None = None) -> NDArray[np.int64]:
        """Call rows normal, +1, where ``decision_function`` is at least 0, else anomalous, -1."""
        return np.where(self.decision_function(X, y) >= 0, 1, -1)

    def update(self, X: Any, y: ArrayLike | None = None, *, trusted: bool = False) -> UpdateReport:
        """Learn from new rows, if that does no harm.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or images
            At least 10 rows.
        y : array-like of shape (n_samples,), optional
            Labels of the images.
        trusted : bool, default=False
            Whether somebody has confirmed that all rows are normal: none is then suspected.

        Returns
        -------
        report : UpdateReport

        Raises
        ------
        ValueError
            If the rows cannot be scored. After any exception all is as before.
        OSError
            If the version cannot be written, or another program has added one.

        Warns
        -----
        secondlook.DriftWarning
            If the rows' scores have left the calibrated range.
        """
        with ProgressBar("Learning on") as progress:
            report = UpdateReport(**self._learner.update(self._rows(X, y), trusted, progress))
        if report.drift:
            warn_caller(
                "IncrementalLearner: live scores have left the calibrated range "
                f"(p-value {report.p_value:.2g}, distance {report.ks_statistic:.2f}); "
                f"update {report.outcome}: {report.reason}",
                DriftWarning,
            )
        return report

    def rollback(self, version: int, reason: str = "") -> None:
        """Go back to a version in the folder, with all that was remembered then.

        It becomes a new version.

        Parameters
        ----------
        version : int
            Its number.
        reason : str, default=""
            Kept with the new version.

        Raises
        ------
        ValueError
            If there is none of this number, it does not read whole, or there is no folder.
        """
        self._learner.rollback(version, reason)

    @property
    def detector_(self) -> Any:
        """A copy of the model in use, as the detector or classifier that it is."""
        return build(self._learner.model_file())

    @property
    def versions_(self) -> list[Version]:
        """The versions in the folder, oldest first; without a folder the one in use."""
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
    def history_(self) -> list[UpdateReport]:
        """Reports of the last 100 updates, oldest first."""
        return [UpdateReport(**fields) for fields in self._learner.history]

    @property
    def offset_(self) -> float:
        """Samples that score below are anomalous."""
        return self._learner.offset

    @property
    def version_(self) -> int:
        """Number of the version in use."""
        return self._learner.version

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return self._learner.n_features

    def _rows(self, X: Any, y: ArrayLike | None) -> NDArray[Any]:
        return self._reader._learning_rows("IncrementalLearner", X, y)


def _reader_of(detector: Any, file: "_core.store.ModelFile") -> Learns:
    """Return what checks rows as the detector does, independent of it and, for rows, modelless."""
    if isinstance(detector, TabularDetector):
        return detector._row_reader()
    return cast(Learns, build(file))
