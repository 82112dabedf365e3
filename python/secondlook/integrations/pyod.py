"""Detectors with PyOD's names."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from secondlook._shared.required import required

with required("secondlook.integrations.pyod", "pyod"):
    from pyod.models.base import BaseDetector


class PyODAdapter(BaseDetector):
    """A detector of secondlook as one of PyOD.

    Higher scores are more abnormal, and label 1 is abnormal. `predict`, `predict_proba`,
    `predict_confidence` and the rest are PyOD's own.

    Parameters
    ----------
    detector : IsolationForest, Autoencoder or another detector over rows
        A copy is trained. It must score every row, which `LSTMForecaster` does not.
    contamination : float, default=0.1
        Fraction of the training rows that are called abnormal, in (0, 0.5]. The detector's own
        `contamination` is not used.

    Attributes
    ----------
    detector_ : detector
        The trained copy.
    decision_scores_ : ndarray of shape (n_samples,)
        Scores of the training rows.
    threshold_ : float
        Rows with a higher score are abnormal.
    labels_ : ndarray of shape (n_samples,)
        1 for the abnormal training rows, 0 for the others.

    References
    ----------
    Y. Zhao, Z. Nasrullah, Z. Li, "PyOD: A Python Toolbox for Scalable Outlier Detection", JMLR 20,
    2019.

    Examples
    --------
    ::

        model = PyODAdapter(IsolationForest(random_state=0), contamination=0.05).fit(rows)
        model.labels_.sum(), model.predict_proba(new_rows)[:, 1]
    """

    def __init__(self, detector: Any, contamination: float = 0.1) -> None:
        super().__init__(contamination=contamination)
        self.detector = detector

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Train on rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : Any
            Ignored.

        Returns
        -------
        self : PyODAdapter

        Raises
        ------
        ValueError
            If the detector does not score every row.
        """
        self._set_n_classes(None)
        detector = clone(self.detector).fit(X)
        scores = detector.anomaly_score(X)
        unknown = int(np.isnan(scores).sum())
        if unknown:
            raise ValueError(
                f"PyODAdapter.fit: expected a detector that scores every row, but "
                f"{type(detector).__name__} has no score for {unknown} of {len(scores)}"
            )
        self.detector_, self.decision_scores_ = detector, scores
        self._process_decision_scores()
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return ``detector_.anomaly_score(X)``: higher is more abnormal."""
        check_is_fitted(self, "detector_")
        scores: NDArray[np.float64] = self.detector_.anomaly_score(X)
        return scores
