"""What models of the core share that are kept in files and pickles."""

import os
from abc import abstractmethod
from typing import Any, ClassVar

from secondlook import _core


class KeptInFile:
    """An estimator whose fitted state, `_model`, is a model of the core."""

    _core_type: ClassVar[Any]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a file, which `secondlook.load` and C++ read.

        Parameters
        ----------
        path : str or os.PathLike
            Replaced as one step, whatever happens meanwhile.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._to_model_file().write(path)

    @abstractmethod
    def _to_model_file(self) -> "_core.store.ModelFile":
        """Return all that is needed to build the same model again."""

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        state.pop("_compared", None)  # a weak reference, to this process's model
        if "_model" in state:
            state = {**state, "_model": state["_model"].to_file().serialize()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[misc]
        if "_model" in state:
            file = _core.store.ModelFile.parse(state["_model"])
            self._model = self._core_type.from_file(file)
