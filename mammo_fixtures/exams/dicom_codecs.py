"""Decoders of compressed DICOM frames, by transfer syntax."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.codestream import Codestream, read_jpeg, read_jpeg_2000

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One compressed frame and what its data set says of it."""

    data: bytes
    syntax: str
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    signed: bool


@dataclass(frozen=True, slots=True)
class Codec:
    """A transfer syntax's decoder: the module it needs, what to install for it, and how it is called."""

    name: str
    module: str
    distribution: str
    decode: Callable[[Frame], tuple[NDArray[Any], int]]
    """Gives unsigned bit patterns, and how many low bits of each are the value's."""


def codec_for(syntax: str) -> Codec:
    """The decoder of a transfer syntax, ready to be called."""
    codec = CODECS.get(syntax)
    if codec is None:
        raise UnusableInput(
            f"Transfer Syntax UID (0002,0010) must be one that can be decoded, got {syntax}; "
            "export it uncompressed or as JPEG 2000, JPEG-LS, JPEG lossless or RLE"
        )
    try:
        importlib.import_module(codec.module)
    except ImportError as cause:
        raise UnusableInput(
            f"Transfer Syntax UID (0002,0010) {syntax} ({codec.name}) needs a decoder; pip install {codec.distribution}"
        ) from cause
    return codec


def decode_frame(codec: Codec, frame: Frame) -> tuple[NDArray[Any], int]:
    """Bit patterns (rows, columns), unsigned, and the number of their bits in use."""
    try:
        pixels, bits = codec.decode(frame)
        return pixels.reshape(frame.rows, frame.columns), bits
    except (UnusableInput, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as cause:  # each decoder has its own family; the RLE one, in Rust, panics past Exception
        raise UnusableInput(
            f"Pixel Data (7FE0,0010) must be undamaged {codec.name} ({frame.syntax}) of {frame.rows} × {frame.columns} "
            f"pixels, but cannot be decoded ({type(cause).__name__}); copy the file again"
        ) from cause


def _container(bits: int) -> np.dtype[Any]:
    return np.dtype(np.uint8 if bits <= 8 else "<u2")


def _bits(frame: Frame, found: Codestream) -> int:
    """Bits of each value in the codestream, which must be of the image that the data set describes."""
    if (found.rows, found.columns, found.components) != (frame.rows, frame.columns, 1) or not 1 < found.bits <= 16:
        raise ValueError(f"a codestream of another image: {found}")
    return found.bits


def _rle(frame: Frame) -> tuple[NDArray[Any], int]:
    from rle.utils import decode_pixel_data

    data = decode_pixel_data(
        frame.data, version=2, rows=frame.rows, columns=frame.columns, bits_allocated=frame.bits_allocated
    )
    return np.frombuffer(data, _container(frame.bits_allocated)), frame.bits_allocated


def _jpeg_ls(frame: Frame) -> tuple[NDArray[Any], int]:
    from jpeg_ls import decode_pixel_data

    bits = _bits(frame, read_jpeg(frame.data))
    data, _ = decode_pixel_data(frame.data)
    return np.frombuffer(data, _container(bits)), bits


def _gdcm_jpeg(frame: Frame) -> tuple[NDArray[Any], int]:
    return _gdcm(frame, _bits(frame, read_jpeg(frame.data)))


def _gdcm_jpeg_2000(frame: Frame) -> tuple[NDArray[Any], int]:
    return _gdcm(frame, _bits(frame, read_jpeg_2000(frame.data)))


def _gdcm(frame: Frame, bits: int) -> tuple[NDArray[Any], int]:
    import gdcm

    syntax = gdcm.TransferSyntax.GetTSType(frame.syntax)
    if syntax == gdcm.TransferSyntax.TS_END:  # HTJ2K came with gdcm 3.2
        raise UnusableInput(
            f"Transfer Syntax UID (0002,0010) {frame.syntax} is newer than the python-gdcm installed, "
            f"{gdcm.Version.GetVersion()}; pip install --upgrade python-gdcm"
        )
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame.data)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((frame.columns, frame.rows, 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    container = _container(bits)
    image.SetPixelFormat(gdcm.PixelFormat(1, 8 * container.itemsize, bits, bits - 1, int(frame.signed)))
    # gdcm's Python binding gives bytes as text.
    return np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), container), bits


_GDCM = "python-gdcm"
CODECS = {
    "1.2.840.10008.1.2.4.50": Codec("JPEG baseline", "gdcm", _GDCM, _gdcm_jpeg),
    "1.2.840.10008.1.2.4.57": Codec("JPEG lossless", "gdcm", _GDCM, _gdcm_jpeg),
    "1.2.840.10008.1.2.4.70": Codec("JPEG lossless, first-order prediction", "gdcm", _GDCM, _gdcm_jpeg),
    "1.2.840.10008.1.2.4.80": Codec("JPEG-LS lossless", "jpeg_ls", "pyjpegls", _jpeg_ls),
    "1.2.840.10008.1.2.4.81": Codec("JPEG-LS near-lossless", "jpeg_ls", "pyjpegls", _jpeg_ls),
    "1.2.840.10008.1.2.4.90": Codec("JPEG 2000 lossless", "gdcm", _GDCM, _gdcm_jpeg_2000),
    "1.2.840.10008.1.2.4.91": Codec("JPEG 2000", "gdcm", _GDCM, _gdcm_jpeg_2000),
    "1.2.840.10008.1.2.4.201": Codec("HTJ2K lossless", "gdcm", _GDCM, _gdcm_jpeg_2000),
    "1.2.840.10008.1.2.4.202": Codec("HTJ2K lossless RPCL", "gdcm", _GDCM, _gdcm_jpeg_2000),
    "1.2.840.10008.1.2.4.203": Codec("HTJ2K", "gdcm", _GDCM, _gdcm_jpeg_2000),
    "1.2.840.10008.1.2.5": Codec("RLE lossless", "rle", "pylibjpeg-rle", _rle),
}
"""JPEG extended (…4.51) is missing: no decoder at hand reads its 12-bit form."""
