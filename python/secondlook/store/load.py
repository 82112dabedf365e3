"""Loading of models from files."""

import os
from importlib import import_module
from typing import Protocol, cast, runtime_checkable

from secondlook._core.store import ModelFile
from secondlook.errors import ModelFileError

__all__ = ["LoadableModel", "build", "load", "register_model"]


@runtime_checkable
class LoadableModel(Protocol):
    """Interface of classes that `load` can build."""

    @classmethod
    def _from_model_file(cls, file: ModelFile) -> object:
        """Build the fitted model, or raise `ModelFileError` if the file does not contain one."""


# The class of each kind of model, which is imported when a file needs it.
_HOMES: dict[str, str] = {
    "autoencoder": "secondlook:Autoencoder",
    "detector_ensemble": "secondlook:DetectorEnsemble",
    "image_classifier": "secondlook:ImageClassifier",
    "isolation_forest": "secondlook:IsolationForest",
    "lstm_forecaster": "secondlook:LSTMForecaster",
}


def register_model(kind: str, home: str) -> None:
    """Register the class of a kind of model, for `load`.

    Parameters
    ----------
    kind : str
        Kind in the file, such as ``"isolation_forest"``.
    home : str
        ``"module:Class"``; the class must have the class method ``_from_model_file(file)``.

    Raises
    ------
    ValueError
        If another class is registered for the kind.
    """
    if _HOMES.setdefault(kind, home) != home:
        raise ValueError(
            f"register_model: expected a new kind, but {kind!r} is already registered as "
            f"{_HOMES[kind]}, got {home}"
        )


def load(path: str | os.PathLike[str]) -> object:
    """Load a model of any kind from a file.

    Parameters
    ----------
    path : str or os.PathLike
        A file written by a model's ``save``.

    Returns
    -------
    object
        The fitted model.

    Raises
    ------
    OSError
        If the file cannot be opened or read.
    secondlook.ModelFileError
        If it is truncated, damaged, of a newer format or of an unknown kind.
    """
    file = ModelFile.read(path)  # errors already name the file
    try:
        return build(file)
    except ModelFileError as error:
        raise ModelFileError(f"'{os.fspath(path)}': {error}") from None


def build(file: ModelFile) -> object:
    """Build the model in a file that is in memory.

    Parameters
    ----------
    file : ModelFile

    Returns
    -------
    object
        The fitted model.

    Raises
    ------
    secondlook.ModelFileError
        If the file is of an unknown kind, or does not contain a model of its kind.
    """
    home = _HOMES.get(file.kind)
    if home is None:
        known = ", ".join(sorted(_HOMES))
        raise ModelFileError(f"expected a model of a known kind ({known}), got '{file.kind}'")
    module, _, name = home.partition(":")
    model = cast(LoadableModel, getattr(import_module(module), name))
    return model._from_model_file(file)
