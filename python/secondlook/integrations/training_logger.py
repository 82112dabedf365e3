"""Base class of what records a training in an experiment tracker."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from secondlook.plot import history


class TrainingLogger(ABC):
    """Records epochs as a callback, and the trained model by `log_model`."""

    def __init__(self) -> None:
        self._epochs: set[int] = set()  # recorded ones of the present training

    def __call__(self, figures: Mapping[str, float]) -> None:
        """Record the figures of an epoch: the callback of ``ImageClassifier.fit``.

        Parameters
        ----------
        figures : dict of str to float
            Figures by name, and ``epoch``. NaN is not recorded.
        """
        epoch = int(figures["epoch"])
        if epoch in self._epochs:  # another training
            self._epochs.clear()
        self._epochs.add(epoch)
        known = {
            name: float(value)
            for name, value in figures.items()
            if name != "epoch" and not np.isnan(value)
        }
        self._log_epoch(epoch, known)

    def log_model(
        self,
        model: Any,
        *,
        figures: Mapping[str, Any] | None = None,
        file_name: str = "model.safetensors",
    ) -> None:
        """Record a fitted model: parameters, epochs, file and figures.

        The epochs are those of `history_` that this object has not recorded as a callback. The
        picture ``history`` shows them, if matplotlib is installed.

        Parameters
        ----------
        model : ImageClassifier, or a detector that can be saved
            A fitted model.
        figures : dict of str to a display of `secondlook.plot` or matplotlib Figure, optional
            More pictures, by name.
        file_name : str, default="model.safetensors"
            Name of the model file, which `secondlook.load` reads.
        """
        with TemporaryDirectory() as folder:
            path = Path(folder) / file_name
            model.save(path)  # an unfitted model raises here, before anything is recorded
            self._log_parameters(
                {name: _plain(value) for name, value in model.get_params().items()}
            )
            for epoch in _epochs_of(model):
                if epoch["epoch"] not in self._epochs:
                    self(epoch)
            self._log_file(path)
        for name, figure in (figures or {}).items():
            self._log_figure(name, getattr(figure, "figure_", figure))
        if hasattr(model, "history_") and find_spec("matplotlib"):
            import matplotlib.pyplot as plt

            figure = history(model).figure_
            self._log_figure("history", figure)
            plt.close(figure)

    @abstractmethod
    def _log_parameters(self, parameters: dict[str, Any]) -> None:
        """Record the constructor's arguments, as plain values."""

    @abstractmethod
    def _log_epoch(self, epoch: int, figures: dict[str, float]) -> None:
        """Record an epoch, counted from 1."""

    @abstractmethod
    def _log_file(self, path: Path) -> None:
        """Record a file, which is deleted afterwards."""

    @abstractmethod
    def _log_figure(self, name: str, figure: Any) -> None:
        """Record a matplotlib figure."""


def _epochs_of(model: Any) -> Iterator[dict[str, float]]:
    """Return the figures of each epoch, as a callback gets them."""
    columns = getattr(model, "history_", {})
    for index, values in enumerate(zip(*columns.values(), strict=True)):
        yield {"epoch": index + 1, **dict(zip(columns, map(float, values), strict=True))}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | bool | int | float | None) else str(value)
