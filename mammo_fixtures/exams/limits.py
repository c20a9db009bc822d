"""Sizes beyond which a file is damaged or hostile, refused before memory is asked for."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import BinaryIO, Protocol

from mammo_fixtures.errors import UnusableInput

MOST_PIXELS = 2**27
"""134 million: a 24 × 30 cm film digitised at 25 µm has 115."""
MOST_BYTES = 2**31
"""Of an image file, or of a text once it is unpacked."""
MOST_SETTINGS_BYTES = 2**24
"""Of a file that a person writes or draws: tolerances, outlines of regions."""


class Readable(Protocol):
    """What can be read from: a file, or an unpacking one."""

    def read(self, size: int, /) -> bytes: ...


def check_pixels(rows: int, columns: int) -> None:
    """Refuse an image too large to be a mammogram."""
    if rows * columns > MOST_PIXELS:
        raise UnusableInput(
            f"an image may have at most {MOST_PIXELS} pixels, got {rows} × {columns}; its header is damaged, or it is "
            "no mammogram"
        )


def read_at_most(stream: Readable, most: int = MOST_BYTES) -> bytes:
    """All that is left of a stream."""
    content = stream.read(most + 1)
    if len(content) > most:
        raise UnusableInput(f"a file of this kind may hold at most {most} bytes, got more; it is damaged, or another")
    return content


def unpacked(content: bytes, most: int = MOST_BYTES) -> bytes:
    """The content of a .gz file; a small file that unpacks to a huge one is refused while it does."""
    with gzip.open(io.BytesIO(content)) as stream:
        return read_at_most(stream, most)


def check_deflated(stream: BinaryIO, most: int = MOST_BYTES) -> None:
    """Refuse the rest of a stream of raw deflate (RFC 1951) that would unpack to more; what is unpacked is dropped."""
    unpacker, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while packed := unpacker.unconsumed_tail or stream.read(2**16):
        total += len(unpacker.decompress(packed, 2**20))
        if total > most:
            raise UnusableInput(f"a deflated data set may unpack to at most {most} bytes, got more; it is damaged")
        if unpacker.eof:
            return
