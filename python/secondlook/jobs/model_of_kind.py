"""Loading of a model file for a job that needs a certain kind."""

import os
from collections.abc import Collection

from secondlook.errors import ModelFileError
from secondlook.store import ModelFile
from secondlook.store.load import build

__all__ = ["IMAGE_KINDS", "TABLE_KINDS", "load_of_kind"]

TABLE_KINDS = ("autoencoder", "detector_ensemble", "isolation_forest", "lstm_forecaster")
IMAGE_KINDS = ("image_classifier",)


def load_of_kind(
    path: str | os.PathLike[str], kinds: Collection[str], way_out: str
) -> tuple[str, object]:
    """Return the kind of a model and the model; a model of another kind is not even built.

    Parameters
    ----------
    path : path
    kinds : collection of str
        Kinds that the job can use.
    way_out : str
        Advice for a model of another kind.

    Raises
    ------
    secondlook.ModelFileError
        If the file is damaged or of another kind.
    OSError
        If it cannot be read.
    """
    file = ModelFile.read(path)
    if file.kind not in kinds:
        raise ModelFileError(
            f"'{os.fspath(path)}': expected a model of the kind {' or '.join(kinds)}, got "
            f"{file.kind}; {way_out}"
        )
    try:
        return file.kind, build(file)
    except ModelFileError as error:
        raise ModelFileError(f"'{os.fspath(path)}': {error}") from None
