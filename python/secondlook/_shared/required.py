"""Packages that only some parts need."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def required(who: str, package: str, install: str | None = None) -> Iterator[None]:
    """Import `package` inside this block.

    Parameters
    ----------
    install : str, optional
        What pip installs, such as ``"'secondlook[plot]'"``; by default `package`.

    Raises
    ------
    ImportError
        If it is not installed, with the command that installs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise missing(who, package, install or package) from error


def missing(who: str, package: str, install: str) -> ImportError:
    """Return the error that `package` is not installed, with the command that installs it."""
    return ImportError(f"{who} needs {package}, which is not installed: pip install {install}")


def require_pandas(who: str) -> Any:
    """Return the module pandas.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    with required(who, "pandas"):
        return importlib.import_module("pandas")
