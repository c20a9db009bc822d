"""Sizes beyond which a file is damaged or hostile, refused before memory is asked for."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from typing import Any, BinaryIO, Protocol

from mammo_fixtures.errors import UnusableInput

MOST_PIXELS = 2**26
"""67 million: a 24 × 30 cm film digitised at 35 µm has 59. Read from a 16-bit file they take some 0.7 GB."""
MOST_BYTES = 2**29
"""Of an image file or a deflated data set, of a manifest once it is unpacked: four times the largest image's."""
MOST_TABLE_BYTES = 2**36
"""Of a score table once it is unpacked: it is read row by row."""
MOST_TABLE_ROWS = 2**32
MOST_LINE_BYTES = 2**20
MOST_ROWS = 2**22
"""Of a manifest: a million exams of four views, which take a kilobyte a row."""
MOST_COLUMNS = 1000
LONGEST_TEXT = 256
"""Letters of an id, a subgroup, a stratum: every breast's text takes as much memory as the longest."""
MOST_TENSORS = 2**16
MOST_HEADER_BYTES = 2**24
"""Of a file of tensors; networks have thousands, which take a hundred bytes each."""
MOST_READS = 100_000
"""While a DICOM header is parsed; real ones need some hundreds."""
MOST_SETTINGS_BYTES = 2**24
"""Of a file that a person writes or draws: tolerances, outlines of regions."""


class Readable(Protocol):
    """What can be read from: a file, or an unpacking one."""

    def read(self, size: int, /) -> bytes: ...


def check_size(stream: BinaryIO, most: int = MOST_BYTES) -> None:
    """Refuse a file that is too large for one image, before it is read."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > most:
        raise UnusableInput(
            f"an image file may have at most {most} bytes, got {size} (tomosynthesis, or several frames?); name a "
            "single-frame image"
        )


def check_pixels(rows: int, columns: int) -> None:
    """Refuse an image too large to be a mammogram."""
    if rows * columns > MOST_PIXELS:
        raise UnusableInput(
            f"an image may have at most {MOST_PIXELS} pixels, got {rows} × {columns}; its header is damaged, or it is "
            "no mammogram"
        )


def check_columns(count: int) -> None:
    """Refuse a table of more columns than anybody writes: rows are compared column by column."""
    if count > MOST_COLUMNS:
        raise UnusableInput(f"a table may have at most {MOST_COLUMNS} columns, got {count}; leave out what is not used")


def check_tensors(stream: Readable) -> None:
    """Refuse a safetensors file whose header is too long to be one, or names a tensor twice (of which one would count).

    That sizes, shapes and the length of the file agree is looked at by its reader.
    """
    length = int.from_bytes(stream.read(8), "little")
    if length > MOST_HEADER_BYTES:
        raise UnusableInput(f"its header may have at most {MOST_HEADER_BYTES} bytes, got {length}; copy it again")
    try:
        names = json.loads(stream.read(length), object_pairs_hook=lambda pairs: [name for name, _ in pairs])
    except (ValueError, RecursionError) as error:
        raise UnusableInput(
            f"its header must be JSON, reading it raised {type(error).__name__}; copy it again"
        ) from error
    if not isinstance(names, list) or len(names) > MOST_TENSORS:
        raise UnusableInput(f"its header must name at most {MOST_TENSORS} tensors, got more, or none; copy it again")
    if len(set(map(str, names))) < len(names):
        raise UnusableInput("each tensor may stand once in it, got a name twice; write it again")


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


class ShortLines(io.RawIOBase):
    """The bytes of a text, refused where one of its lines or all of it is too long to be a table's."""

    def __init__(self, stream: Readable, most: int = MOST_TABLE_BYTES, longest: int = MOST_LINE_BYTES) -> None:
        self._stream, self._left, self._most, self._longest, self._line = stream, most, most, longest, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        content = self._stream.read(len(buffer))
        self._left -= len(content)
        first, last = content.find(b"\n"), content.rfind(b"\n")
        longest = self._line + (len(content) if first < 0 else first)
        self._line = longest if last < 0 else len(content) - last - 1
        if longest > self._longest:
            raise UnusableInput(f"a line may have at most {self._longest} bytes, got more; this is no table")
        if self._left < 0:
            raise UnusableInput(
                f"a table may hold at most {self._most} bytes, got more; it is damaged, or another file"
            )
        buffer[: len(content)] = content
        return len(content)


def inflated(stream: BinaryIO, most: int = MOST_BYTES) -> bytes:
    """The rest of a stream of raw deflate (RFC 1951), which may be padded. Raises zlib.error where it is damaged."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacker.decompress(stream.read(), most + 1)
    if len(content) > most:
        raise UnusableInput(f"a deflated data set may unpack to at most {most} bytes, got more; it is damaged")
    if not unpacker.eof:
        raise zlib.error("it breaks off")
    return content


class FewReads(io.RawIOBase):
    """A binary stream that can be read from a limited number of times.

    A parser reads a few times for each element. Millions of them, in sequences of nothing, keep it busy for minutes.
    """

    def __init__(self, stream: BinaryIO, most: int = MOST_READS) -> None:
        self._stream, self._most, self._left = stream, most, most

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise UnusableInput(
                f"a DICOM header may have at most some {self._most // 4} elements, got more; it is damaged"
            )
        return self._stream.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
