"""JPEG 2000 with a quality layer for each compression ratio: coded once, cut after any layer (ISO/IEC 15444-1)."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.threads import number_of_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS = 12
TOP = 2**BITS - 1
_CONTAINER_BITS = 16
_OFFSET = 2 ** (_CONTAINER_BITS - 1) - 2 ** (BITS - 1)
"""Puts 12-bit values in the middle of the 16-bit container: the coder's level shift then makes them signed 12 bits."""

_VARIABLE = "OPJ_NUM_THREADS"
_MOST_THREADS = 8
"""They are made anew for each image."""

_COD, _SOT, _PLT, _SOD, _EOC = b"\xff\x52", b"\xff\x90", b"\xff\x58", b"\xff\x93", b"\xff\xd9"
"""Markers: coding style, start of the tile-part, its packets' lengths, start of data, end (A.2)."""


def coded(values: NDArray[np.uint16], ratios: Sequence[float]) -> bytes:
    """Codestream of 12-bit values, irreversible 9/7, one layer per ratio; ratios fall, and 1 stands for all detail."""
    # The coder counts 16 bits a pixel.
    rates = [ratio * _CONTAINER_BITS / BITS if ratio > 1 else 1 for ratio in ratios]
    return _saved(values, irreversible=True, quality_mode="rates", quality_layers=rates, progression="LRCP", plt=True)


def lossless_ratio(values: NDArray[np.uint16]) -> float:
    """12 bits × pixels ÷ bytes of the reversible 5/3 codestream."""
    return ratio_of(_saved(values, irreversible=False), values.size)


def ratio_of(codestream: bytes, pixels: int) -> float:
    """12 bits × pixels ÷ bytes of a codestream."""
    return BITS * pixels / 8 / len(codestream)


def decoded(codestream: bytes) -> NDArray[np.int16]:
    """The 12-bit values, clipped to their range."""
    from PIL import Image

    with _threads(), Image.open(io.BytesIO(codestream)) as image:
        values: NDArray[np.uint16] = np.clip(np.asarray(image), _OFFSET, _OFFSET + TOP)
    values -= np.uint16(_OFFSET)
    return values.view(np.int16)


def cut(codestream: bytes, layers: int) -> bytes:
    """The codestream with its first layers only, as if the others had never been coded.

    Layers follow one another (progression LRCP), and packet lengths stand in PLT segments (A.7.3): the header's number
    of layers (A.6.1) and the tile-part's length (A.4.2) are set anew and the later packets dropped.
    """
    stream = bytearray(codestream)
    place, lengths, coding, tile = 2, bytearray(), 0, 0
    while stream[place : place + 2] != _SOD:
        marker, size = bytes(stream[place : place + 2]), int.from_bytes(stream[place + 2 : place + 4])
        if marker == _COD:
            coding = place
        elif marker == _SOT:
            tile = place
        if marker == _PLT:
            lengths += stream[place + 5 : place + 2 + size]
            del stream[place : place + 2 + size]
        else:
            place += 2 + size
    packets = _numbers(lengths)
    total = int.from_bytes(stream[coding + 6 : coding + 8])
    kept = sum(packets[: len(packets) // total * layers])
    stream[coding + 6 : coding + 8] = layers.to_bytes(2)
    body = stream[: place + 2 + kept]
    body[tile + 6 : tile + 10] = (len(body) - tile).to_bytes(4)
    return bytes(body + _EOC)


def _numbers(lengths: bytes | bytearray) -> list[int]:
    """Packet lengths: seven bits a byte, the top bit set on all bytes of a number but its last."""
    numbers, number = [], 0
    for byte in lengths:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(number)
            number = 0
    return numbers


def _saved(values: NDArray[np.uint16], **options: object) -> bytes:
    from PIL import Image

    target = io.BytesIO()
    with _threads():
        Image.fromarray(values + np.uint16(_OFFSET)).save(target, "JPEG2000", no_jp2=True, **options)
    return target.getvalue()


@contextmanager
def _threads() -> Iterator[None]:
    """As many as torch may use, in the coder: blocks are coded one by one, so that threads change no bit.

    OpenJPEG knows one way to be told, a variable of the environment, which it reads anew for each image.
    """
    if _VARIABLE in os.environ:
        yield
        return
    threads = min(number_of_threads(), _MOST_THREADS)
    os.environ[_VARIABLE] = str(threads if threads > 1 else 0)
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE, None)
