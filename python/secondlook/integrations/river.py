"""Detectors with river's names."""

import math
from collections.abc import Hashable, Mapping
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.required import required
from secondlook.detect.lstm_forecaster import LSTMForecaster

with required("secondlook.integrations.river", "river"):
    from river.base import AnomalyDetector


class RiverAdapter(AnomalyDetector):
    """A detector of secondlook as one of river: one sample at a time, each a dict.

    `learn_one` gathers samples and trains by `partial_fit` whenever there are `every`, so most
    calls are quick and some take as long as a training. A sample has an effect on scores only
    then. Until the first training, scores are 0, unless the detector is already fitted.

    The features are those of the samples of the first training, or of the fitted detector. Later
    ones are ignored; those missing in a sample are NaN, which only some detectors accept, such as
    ``IsolationForest(missing="route")``.

    Parameters
    ----------
    detector : IsolationForest, Autoencoder or another detector with `partial_fit`
        A copy is trained. It must score single rows, which `LSTMForecaster` does not; use its
        `stream`.
    every : int, default=256
        Number of samples per training. An `IsolationForest` is grown once it has `max_samples`,
        whatever this is.

    Raises
    ------
    TypeError
        If the detector cannot continue training or score single rows.

    References
    ----------
    J. Montiel et al., "River: machine learning for streaming data in Python", JMLR 22, 2021.

    Examples
    --------
    ::

        model = StandardScaler() | RiverAdapter(IsolationForest(random_state=0))
        for sample in samples:
            score = model.score_one(sample)
            model.learn_one(sample)
    """

    def __init__(self, detector: Any, every: int = 256) -> None:
        if isinstance(detector, LSTMForecaster) or not hasattr(detector, "partial_fit"):
            raise TypeError(
                "RiverAdapter: expected a detector with partial_fit that scores single rows, got "
                f"{type(detector).__name__}; use its stream()"
            )
        if every < 2:
            raise ValueError(f"RiverAdapter: expected every of at least 2 samples, got {every}")
        self.detector = detector
        self.every = every
        self._model = deepcopy(detector)
        # The model gets rows without names, in the order of these.
        self._names: list[Hashable] = list(vars(self._model).pop("feature_names_in_", ()))
        self._samples: list[dict[Hashable, Any]] = []

    def learn_one(self, x: Mapping[Hashable, Any]) -> None:
        """Gather a sample; train if there are `every`."""
        self._samples.append(dict(x))
        if len(self._samples) < self.every:
            return
        samples, self._samples = self._samples, []
        if not self._names:
            # Sorted: the order in which samples have them must not matter.
            self._names = sorted({name for sample in samples for name in sample}, key=str)
            if not self._names:  # samples without features teach nothing
                return
        self._model.partial_fit(self._rows(samples))

    def score_one(self, x: Mapping[Hashable, Any]) -> float:
        """Return ``anomaly_score`` of a sample: higher is more abnormal; 0 before training."""
        if not self._model.__sklearn_is_fitted__():
            return 0.0
        return float(self._model.anomaly_score(self._rows([x]))[0])

    def _rows(self, samples: list[Any]) -> NDArray[np.float64]:
        names = self._names or list(samples[0])  # of a detector that was fitted without names
        return np.array([[sample.get(name, math.nan) for name in names] for sample in samples])

    @classmethod
    def _unit_test_params(cls) -> Any:
        from secondlook.detect.isolation_forest import IsolationForest

        yield {"detector": IsolationForest(missing="route", random_state=0)}
