"""Mixin of estimators that can be saved to files and pickled."""

import os
from abc import abstractmethod
from typing import Any, ClassVar

from secondlook import _core


class KeptInFile:
    """An estimator whose fitted state, `_model`, is a model of the core."""

    _core_type: ClassVar[Any]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the fitted model to a file that `secondlook.load` and C++ can read.

        Parameters
        ----------
        path : str or os.PathLike
            An existing file is replaced atomically.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._to_model_file().write(path)

    @abstractmethod
    def _to_model_file(self) -> "_core.store.ModelFile":
        """Return everything that is needed to restore the model."""

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        state.pop("_compared", None)  # a weak reference to the model of this process
        if "_model" in state:
            state = {**state, "_model": state["_model"].to_file().serialize()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[misc]
        if "_model" in state:
            file = _core.store.ModelFile.parse(state["_model"])
            self._model = self._core_type.from_file(file)
