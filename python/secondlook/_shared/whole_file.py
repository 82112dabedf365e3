"""Output files that are complete or absent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

__all__ = ["require_writable", "whole_file", "write_text"]


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the path of a temporary file beside `path`, which replaces it if all goes well.

    After an error the temporary file is removed, and an existing file is unchanged.

    Raises
    ------
    OSError
        If the file cannot be created or replaced.
    """
    target = Path(path)
    # The suffix tells writers, such as matplotlib, the format.
    with NamedTemporaryFile(
        dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix, delete=False
    ) as file:
        beside = Path(file.name)
    try:
        # As a new file of this process would have; temporary files are private.
        mask = os.umask(0)
        os.umask(mask)
        beside.chmod(0o666 & ~mask)
        yield beside
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with whole_file(path) as beside:
        beside.write_text(text, "utf-8")


def require_writable(who: str, path: str | os.PathLike[str]) -> None:
    """Raise an error if `path` cannot be written: better before a long job than after it.

    Raises
    ------
    ValueError
        If its folder does not exist, or is not writable, or `path` is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise ValueError(f"{who}: expected an output file, got the folder '{target}'")
    if not target.parent.is_dir():
        raise ValueError(f"{who}: expected an existing folder for '{target}', got none")
    if not os.access(target.parent, os.W_OK):
        raise ValueError(f"{who}: expected a writable folder for '{target}'")
