"""The headers of JPEG and JPEG 2000 codestreams, read before a decoder in C++ meets them.

Some decoders end the process on a damaged header, and none says how many of the bits are the value's.
"""

from __future__ import annotations

from dataclasses import dataclass

SIZ = b"\xff\x4f\xff\x51"
"""Start of codestream, then the image and tile size segment (ISO/IEC 15444-1, A.5.1)."""
SIZ_BYTES = 45
"""From the start of codestream to the end of the first component's entry."""
FRAMES = (0xC0, 0xC1, 0xC3, 0xF7)
"""Start of frame: baseline, extended, lossless, JPEG-LS. The others do not occur in DICOM."""
SCAN = 0xDA
SEGMENTS = (0xC4, 0xDB, 0xDD, 0xF8, 0xFE, *range(0xE0, 0xF0))
"""Tables, restart interval, JPEG-LS parameters, comment, application data: what may stand between frame and scan."""
END = b"\xff\xd9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Codestream:
    """What a codestream says of its image."""

    rows: int
    columns: int
    components: int
    bits: int


def read_jpeg(data: bytes) -> Codestream:
    """The frame header of JPEG or JPEG-LS (ISO/IEC 10918-1, B.2.2). Raises ValueError on a damaged header."""
    _check_end(data)
    found = None
    place = 2  # after SOI
    while place + 10 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        if marker in FRAMES and found is None:
            found = Codestream(
                bits=data[place + 4],
                rows=int.from_bytes(data[place + 5 : place + 7], "big"),
                columns=int.from_bytes(data[place + 7 : place + 9], "big"),
                components=data[place + 9],
            )
        elif marker == SCAN and found is not None:
            return found
        elif marker not in SEGMENTS:
            break
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    raise ValueError("no JPEG frame header before a scan")


def _check_end(data: bytes) -> None:
    """A fragment may be padded with a zero byte; a codestream without its end has lost pixels that decoders make up."""
    if not data.rstrip(b"\0").endswith(END):
        raise ValueError("a codestream without its end")


def read_jpeg_2000(data: bytes) -> Codestream:
    """The SIZ segment of JPEG 2000 or HTJ2K, in a JP2 file too. Raises ValueError on a damaged header."""
    _check_end(data)
    start = data.find(SIZ)
    if start < 0 or len(data) < start + SIZ_BYTES:
        raise ValueError("no JPEG 2000 image header")
    # Extent and offset of the image on the reference grid; tiles must begin at or before it and not be empty.
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top = (
        int.from_bytes(data[start + place : start + place + 4], "big") for place in range(8, 40, 4)
    )
    if not (tile_left <= left < tile_left + tile_width and tile_top <= top < tile_top + tile_height):
        raise ValueError("JPEG 2000 tiles that do not hold the image")
    if data[start + 43 : start + 45] != b"\x01\x01":
        raise ValueError("a subsampled JPEG 2000 component")
    return Codestream(
        rows=bottom - top,
        columns=right - left,
        components=int.from_bytes(data[start + 40 : start + 42], "big"),
        bits=(data[start + 42] & 0x7F) + 1,
    )
