"""The chunks of a PNG file and their checksums (PNG specification, third edition, 5.3), which Pillow skips in part."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from mammo_fixtures.exams.limits import check_pixels

MAGIC = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class PngHeader:
    """What IHDR says."""

    rows: int
    columns: int
    depth: int
    colour_type: int


def checked_header(content: bytes) -> PngHeader:
    """The header of a PNG whose every chunk is whole.

    Raises ValueError on a damaged file, UnusableInput on a huge image.
    """
    if not content.startswith(MAGIC):
        raise ValueError("no PNG signature")
    kinds: list[bytes] = []
    place = len(MAGIC)
    while place < len(content) and (not kinds or kinds[-1] != b"IEND"):
        length = int.from_bytes(content[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(content):
            raise ValueError("it breaks off")
        kinds.append(content[place + 4 : place + 8])
        if zlib.crc32(memoryview(content)[place + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            raise ValueError(f"a checksum does not fit, in chunk {len(kinds)}")
        place = end + 4
    if not kinds or kinds[0] != b"IHDR" or kinds[-1] != b"IEND" or b"IDAT" not in kinds:
        raise ValueError("header, data or end are missing")
    header = PngHeader(
        columns=int.from_bytes(content[16:20], "big"),
        rows=int.from_bytes(content[20:24], "big"),
        depth=content[24],
        colour_type=content[25],
    )
    check_pixels(header.rows, header.columns)
    return header
