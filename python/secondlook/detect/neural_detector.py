"""What detectors with a network share: how it is trained."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook.detect.tabular import TabularDetector


class NeuralDetector(TabularDetector):
    """A detector whose model is a network, trained in passes over its samples."""

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
        return self._train_on(X)

    @property
    def history_(self) -> dict[str, NDArray[np.float64]]:
        """Figures of each epoch: `loss`, `validation_loss`, `learning_rate`."""
        history: dict[str, NDArray[np.float64]] = self._fitted_attribute().history
        return history
