"""Base class of detectors that train a network."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook.detect.tabular import TabularDetector


class NeuralDetector(TabularDetector):
    """Base class of detectors whose model is a network, trained in passes over its samples."""

    def partial_fit(self, X: ArrayLike, y: None = None) -> Self:
        """Train for one more pass over new samples, at the current learning rate.

        Features keep the scale of the first training. `offset_` is stale afterwards: deciding warns
        until `fit_offset` is called. An untrained model is trained by `fit`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            New rows, or one series, mostly normal; at least as many samples as `fit` needs.
        y : None
            Ignored.

        Returns
        -------
        self : NeuralDetector
        """
        return self._train_on(X)

    @property
    def history_(self) -> dict[str, NDArray[np.float64]]:
        """Figures of each epoch: `loss`, `validation_loss`, `learning_rate`."""
        history: dict[str, NDArray[np.float64]] = self._fitted_attribute().history
        return history
