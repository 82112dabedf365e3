"""From a file to the model in it."""

import os
from importlib import import_module
from typing import Protocol, cast, runtime_checkable

from secondlook._core.store import ModelFile
from secondlook.errors import ModelFileError

__all__ = ["LoadableModel", "build", "load", "register_model"]


@runtime_checkable
class LoadableModel(Protocol):
    """What a class offers so that `load` can build it."""

    @classmethod
    def _from_model_file(cls, file: ModelFile) -> object:
        """Build the fitted model, or raise `ModelFileError` where the file does not hold one."""


# Where the class of each kind lives; it is imported when a file asks for it.
_HOMES: dict[str, str] = {
    "autoencoder": "secondlook:Autoencoder",
    "detector_ensemble": "secondlook:DetectorEnsemble",
    "image_classifier": "secondlook:ImageClassifier",
    "isolation_forest": "secondlook:IsolationForest",
    "lstm_forecaster": "secondlook:LSTMForecaster",
}


def register_model(kind: str, home: str) -> None:
    """Make files of a kind loadable.

    Parameters
    ----------
    kind : str
        As the file names it, such as ``"isolation_forest"``.
    home : str
        ``"module:Class"``; the class has the class method ``_from_model_file(file)``.

    Raises
    ------
    ValueError
        If the kind has another home already.
    """
    if _HOMES.setdefault(kind, home) != home:
        raise ValueError(f"register_model: {kind!r} is {_HOMES[kind]} already, got {home}")


def load(path: str | os.PathLike[str]) -> object:
    """Load the model that a file holds, whatever its kind.

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
        If it is cut off, damaged, of a newer format or of an unknown kind.
    """
    file = ModelFile.read(path)  # its errors name the file already
    try:
        return build(file)
    except ModelFileError as error:
        raise ModelFileError(f"'{os.fspath(path)}': {error}") from None


def build(file: ModelFile) -> object:
    """Build the model that a file in memory holds.

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
        If it is of an unknown kind, or does not hold a model of its kind.
    """
    home = _HOMES.get(file.kind)
    if home is None:
        known = ", ".join(sorted(_HOMES))
        raise ModelFileError(f"expected a model of a known kind ({known}), got '{file.kind}'")
    module, _, name = home.partition(":")
    model = cast(LoadableModel, getattr(import_module(module), name))
    return model._from_model_file(file)
