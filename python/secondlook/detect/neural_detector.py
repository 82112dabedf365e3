"""What detectors with a network share: how it is trained."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook.core.progress import ProgressBar
from secondlook.detect.tabular import TabularDetector


class NeuralDetector(TabularDetector):
    """A detector whose model is a network, trained in passes over its samples."""

    @abstractmethod
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Train anew."""

    def partial_fit(self, X: ArrayLike, y: None = None) -> Self:
        """Train on by one pass over new samples, at the learning rate reached.

        Features keep the scale of the first training. `offset_` is stale afterwards: deciding
        warns until `fit_offset`. An untrained model is trained by `fit`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            New rows, or one series, mostly normal; of no fewer samples than `fit` needs.
        y : None
            Ignored.

        Returns
        -------
        self : NeuralDetector
        """
        if not hasattr(self, "_model"):
            return self.fit(X)
        samples = self._own_or_validated(X, reset=False)
        with ProgressBar("Training") as progress:
            self._model.partial_fit(samples, progress)
        return self

    @property
    def history_(self) -> NDArray[np.float64]:
        """Training loss, loss over the samples held back, and learning rate of each epoch."""
        history: NDArray[np.float64] = self._fitted_attribute().history
        return history

    def _train(self, model: Any, fit: Callable[..., Any], samples: Any) -> Self:
        """Train a new model by its method `fit`; keep what it learned, also when interrupted."""
        try:
            with ProgressBar("Training") as progress:
                fit(samples, progress)
        finally:
            if model.fitted:
                self._model = model
        return self
