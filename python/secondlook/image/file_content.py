"""Formats of files, recognised by their first bytes and not by their names."""

from pathlib import Path
from typing import Literal

# Enough bytes to recognise DICOM without a preamble.
HEAD_LENGTH = 1024

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITMAP_HEADER_LENGTHS = (12, 40, 52, 56, 64, 108, 124)
_SHORT_VRS = b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
_LONG_VRS = b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()


def read_head(file: Path) -> bytes:
    """Return the first bytes of a file."""
    with file.open("rb") as stream:
        return stream.read(HEAD_LENGTH)


def is_raster(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a JPEG, PNG, TIFF or BMP."""
    if head.startswith(b"BM"):  # as text may, too
        return int.from_bytes(head[14:18], "little") in _BITMAP_HEADER_LENGTHS
    return head.startswith(_MAGIC)


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins with these bytes is DICOM, with a preamble or without."""
    return has_preamble(head) or _n_elements(head) >= 2


def has_preamble(head: bytes) -> bool:
    """Whether a file that begins with these bytes is DICOM with a preamble."""
    return head[128:132] == b"DICM"


def _n_elements(head: bytes) -> int:
    """Count the elements of a data set that begins with group 2 or 8, their tags ascending."""
    order: Literal["little", "big"] = "big" if head[:1] == b"\0" else "little"
    at, before, n = 0, (0, 0), 0
    while len(head) >= at + 8:
        tag = (
            int.from_bytes(head[at : at + 2], order),
            int.from_bytes(head[at + 2 : at + 4], order),
        )
        if tag <= before or (n == 0 and tag[0] not in (2, 8)):
            return 0
        vr = head[at + 4 : at + 6]
        if vr in _LONG_VRS:
            at, length = at + 12, int.from_bytes(head[at + 8 : at + 12], order)
        elif vr in _SHORT_VRS:
            at, length = at + 8, int.from_bytes(head[at + 6 : at + 8], order)
        else:
            at, length = at + 8, int.from_bytes(head[at + 4 : at + 8], order)
        n, before = n + 1, tag
        if length % 2 != 0:  # odd, or undefined, in which case the end is unknown
            return n if length == 0xFFFFFFFF else 0
        at += length
    return n
