"""The File Meta Information of a DICOM file (PS3.10 section 7.1): explicit VR, little endian, group 0002."""

from __future__ import annotations

import io
from typing import BinaryIO

from mammo_fixtures.exams.limits import FewReads, inflated

DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT = "1.2.840.10008.1.2.1"
START = 132
"""Preamble and prefix come first."""
LONG = (b"OB", b"OW", b"OF", b"SQ", b"UT", b"UN")
"""Value representations with two reserved bytes and a length of four (PS3.5 7.1.2)."""
MOST_BYTES = 2**20


def transfer_syntax(stream: BinaryIO) -> str:
    """Transfer Syntax UID, empty where it is not found; the stream then stands at the first byte of the data set."""
    stream.seek(START)
    syntax, place = "", START
    while place < MOST_BYTES:
        head = stream.read(8)
        if len(head) < 8 or head[:2] != b"\x02\x00":
            break
        length = int.from_bytes(stream.read(4), "little") if head[4:6] in LONG else int.from_bytes(head[6:8], "little")
        value = stream.read(min(length, MOST_BYTES))
        if head[2:4] == b"\x10\x00":
            syntax = value.rstrip(b"\0 ").decode("ascii", "replace")
        place = stream.tell()
    stream.seek(place)
    return syntax


def parsable(stream: BinaryIO) -> tuple[FewReads, str]:
    """The file as pydicom may parse it, unpacked and with a limit, and the transfer syntax that it names.

    A deflated data set is unpacked here, within limits, and handed on as the explicit little endian that it then is.
    """
    syntax = transfer_syntax(stream)
    if syntax == DEFLATED:
        end = stream.tell()
        content = inflated(stream)
        stream.seek(0)
        head = stream.read(end).replace(DEFLATED.encode(), EXPLICIT.encode().ljust(len(DEFLATED), b"\0"))
        stream = io.BytesIO(head + content)
    stream.seek(0)
    return FewReads(stream), syntax
