"""Sources of CSV text: files, compressed files and open files."""

import bz2
import codecs
import gzip
import lzma
import os
import pathlib
import zipfile
import zlib
from typing import IO, Any

__all__ = ["Path", "Source", "core_encoding", "read_source"]

Path = str | os.PathLike[str]
Source = Path | IO[bytes] | IO[str]

# Encodings that the core decodes, by their names in `codecs`.
_OF_CORE = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "ascii": "utf-8",
    "iso8859-1": "latin-1",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
}
_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_DAMAGED = (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile)


def core_encoding(encoding: str | None) -> str:
    """Return the core's name of an encoding.

    It is "auto" if Python decodes, or if the byte order mark of the file decides.

    Raises
    ------
    ValueError
        If Python does not know the encoding.
    """
    if encoding is None:
        return "auto"
    try:
        return _OF_CORE.get(codecs.lookup(encoding).name, "auto")
    except (LookupError, TypeError):
        raise ValueError(
            f"read_csv: expected encoding as a Python encoding such as 'cp1252', got {encoding!r}"
        ) from None


def read_source(source: Any, encoding: str | None) -> tuple[Path, bytes | None]:
    """Return the name of a source, and its bytes unless the core is to read the file.

    Raises
    ------
    ValueError
        If the source is damaged, contains several files, or cannot be decoded.
    TypeError
        If the source is neither a path nor an open file.
    """
    decodes = encoding is not None and core_encoding(encoding) == "auto"
    if isinstance(source, str | os.PathLike):
        content = _compressed(source)
        if content is None and decodes:
            content = pathlib.Path(source).read_bytes()
        name: Path = source
    elif callable(getattr(source, "read", None)):
        name = getattr(source, "name", None) or f"<{type(source).__name__}>"
        name = name if isinstance(name, str | os.PathLike) else str(name)
        content = source.read()
        if isinstance(content, str):
            return name, _as_core_reads(content, encoding)
    else:
        raise TypeError(f"read_csv: expected a path or an open file, got {type(source).__name__}")
    if content is None or not decodes:
        return name, content
    try:
        return name, codecs.decode(content, str(encoding)).encode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"read_csv: {os.fspath(name)}: expected {encoding}, got byte "
            f"0x{content[error.start]:02x} at index {error.start}"
        ) from None


def _as_core_reads(text: str, encoding: str | None) -> bytes:
    """Encode a decoded text with the encoding that the core uses to decode it."""
    known = core_encoding(encoding)
    return text.encode("utf-8" if known == "auto" else known, errors="surrogatepass")


def _compressed(path: Path) -> bytes | None:
    """Return the content of a compressed file; None for any other file."""
    suffix = pathlib.Path(path).suffix.lower()
    try:
        if suffix == ".zip":
            return _only_member(path)
        if suffix in _OPENERS:
            with _OPENERS[suffix](path, "rb") as file:
                return bytes(file.read())
    except FileNotFoundError:
        return None  # the core raises the error
    except _DAMAGED as error:
        raise ValueError(
            f"read_csv: {os.fspath(path)}: expected a {suffix} file, got a damaged one: {error}"
        ) from None
    return None


def _only_member(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        # macOS adds a folder with metadata.
        names = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        ]
        if len(names) != 1:
            raise ValueError(
                f"read_csv: {os.fspath(path)}: expected one file in the archive, got {len(names)}"
                f"{': ' if names else ''}{', '.join(names[:5])}; open the files to read and pass "
                "them"
            )
        return archive.read(names[0])
