"""Stored pixel values of a single-frame greyscale DICOM image (PS3.5 section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.dicom_codecs import Frame, codec_for, decode_frame
from mammo_fixtures.exams.dicom_meta import DEFLATED, EXPLICIT
from mammo_fixtures.exams.limits import check_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
RLE = "1.2.840.10008.1.2.5"
NATIVE = (IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLayout:
    """How a data set says that its pixels are stored (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1:
            raise UnusableInput(f"Rows and Columns must be at least 1, got {self.rows} and {self.columns}")
        check_pixels(self.rows, self.columns)
        if self.bits_allocated not in (8, 16):
            raise UnusableInput(f"Bits Allocated (0028,0100) must be 8 or 16, got {self.bits_allocated}")
        if not 1 < self.bits_stored <= self.bits_allocated:
            raise UnusableInput(
                f"Bits Stored (0028,0101) must be 2…{self.bits_allocated} (Bits Allocated), got {self.bits_stored}"
            )
        if self.high_bit != self.bits_stored - 1:
            # Values further up are retired (PS3.5 8.1.1), and common readers take the lowest bits all the same.
            raise UnusableInput(
                f"High Bit (0028,0102) must be {self.bits_stored - 1}, one less than Bits Stored, got "
                f"{self.high_bit}; export the image again"
            )


def stored_values(pixel_data: bytes, syntax: str, layout: PixelLayout, *, swapped_bytes: bool = False) -> NDArray[Any]:
    """Stored values (rows, columns), int16 where signed, else uint8 or uint16; may be read-only.

    `swapped_bytes`: 8-bit pixels that big-endian 16-bit words hold in pairs (PS3.5 A.3, OW).
    """
    if syntax in NATIVE:
        patterns = _native(pixel_data, syntax, layout, swapped_bytes)
        bits = layout.bits_allocated
    else:
        codec = codec_for(syntax)
        patterns, bits = decode_frame(
            codec,
            Frame(
                data=_encapsulated(pixel_data),
                syntax=syntax,
                rows=layout.rows,
                columns=layout.columns,
                bits_allocated=layout.bits_allocated,
                bits_stored=layout.bits_stored,
                signed=layout.signed,
            ),
        )
    if syntax in NATIVE or syntax == RLE:
        # The other bits may hold overlays (retired, PS3.5 8.1.1): they are no part of the value.
        return _values(patterns, layout.bits_stored, layout.signed)
    if bits > layout.bits_stored:
        _check_width(patterns, bits, layout)
    return _values(patterns, min(bits, layout.bits_stored), layout.signed)


def _native(pixel_data: bytes, syntax: str, layout: PixelLayout, swapped_bytes: bool) -> NDArray[Any]:
    pixels = layout.rows * layout.columns
    needed = pixels * layout.bits_allocated // 8
    if len(pixel_data) < needed:
        raise UnusableInput(
            f"Pixel Data (7FE0,0010) must hold {needed} bytes for {layout.rows} × {layout.columns} pixels, "
            f"got {len(pixel_data)} (truncated?); copy the file again"
        )
    if len(pixel_data) > needed + needed % 2:
        raise UnusableInput(
            f"Pixel Data (7FE0,0010) must hold {needed} bytes for {layout.rows} × {layout.columns} pixels, "
            f"got {len(pixel_data)}; Rows, Columns or Bits Allocated are wrong in the file"
        )
    if layout.bits_allocated == 8:
        patterns = np.frombuffer(pixel_data, np.uint8)
        if swapped_bytes:
            patterns = patterns[: len(pixel_data) // 2 * 2].reshape(-1, 2)[:, ::-1].ravel()
    else:
        patterns = np.frombuffer(pixel_data, ">u2" if syntax == BIG_ENDIAN else "<u2", count=pixels)
    return patterns[:pixels].reshape(layout.rows, layout.columns)


def _encapsulated(pixel_data: bytes) -> bytes:
    from pydicom.encaps import generate_fragments, parse_basic_offsets

    try:
        # The first item is the Basic Offset Table; of one frame all others are fragments (PS3.5 A.4).
        parse_basic_offsets(pixel_data)
        fragments = list(generate_fragments(pixel_data))[1:]
    except Exception as cause:  # pydicom raises ValueError, struct.error and others on damaged items
        raise UnusableInput(
            "Pixel Data (7FE0,0010) must be undamaged encapsulated fragments, but cannot be taken apart; copy the "
            "file again"
        ) from cause
    if not fragments:
        raise UnusableInput("Pixel Data (7FE0,0010) must hold one compressed frame, got none; export the image again")
    return b"".join(fragments)


def _values(patterns: NDArray[Any], bits: int, signed: bool) -> NDArray[Any]:
    """The lowest `bits` bits of each pattern, as a two's complement number where signed."""
    if signed:
        above = 16 - bits
        return (patterns.astype(np.uint16) << above).view(np.int16) >> above
    largest = 2**bits - 1
    if bits < 8 * patterns.itemsize and patterns.max() > largest:
        patterns = patterns & patterns.dtype.type(largest)
    return patterns


def _check_width(patterns: NDArray[Any], bits: int, layout: PixelLayout) -> None:
    """A codestream may be wider than Bits Stored, but its values may not: which of the two is right is not known."""
    values = _values(patterns, bits, layout.signed)
    if layout.signed:
        low, high = -(2 ** (layout.bits_stored - 1)), 2 ** (layout.bits_stored - 1) - 1
    else:
        low, high = 0, 2**layout.bits_stored - 1
    least, most = int(values.min()), int(values.max())
    if least < low or most > high:
        raise UnusableInput(
            f"pixels must fit Bits Stored (0028,0101) {layout.bits_stored}, {low}…{high}, got {least}…{most} "
            f"in a {bits}-bit codestream; correct Bits Stored in the file"
        )
