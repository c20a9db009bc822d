"""What a DICOM file says, read a second time: pydicom's own pixel pipeline and decoders, arithmetic in float64."""

import warnings

import numpy as np
from pydicom import dcmread
from pydicom.pixels import pixel_array

from mammo_fixtures.exams.quiet_pydicom import quiet_pydicom

UNLIKE = 1e-6
"""float32 fractions and float64 arithmetic may differ by so much."""


class Undecided(Exception):
    """The second reader does not read this file."""


def fractions_again(path):
    """Fractions of 0 … 2^Bits Stored − 1, bright is dense, padding 0."""
    with quiet_pydicom():
        try:
            dataset = dcmread(path)
            values = _stored(dataset)
        except Exception as cause:
            raise Undecided(f"{type(cause).__name__}") from cause
        slope, intercept = (float(dataset.get(name) or default) for name, default in _RESCALE)
        high = 2.0 ** int(dataset.BitsStored) - 1
        padding = _padding(dataset, values)
        values = values * slope + intercept
        shape = str(dataset.get("PresentationLUTShape", "")).strip()
        if str(dataset.PhotometricInterpretation).strip() == "MONOCHROME1" or shape == "INVERSE":
            values = high - values
        values = values / high
        values[padding] = 0
    return values


_RESCALE = (("RescaleSlope", 1), ("RescaleIntercept", 0))


def _stored(dataset):
    bits = int(dataset.BitsStored)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if "SamplesPerPixel" not in dataset:
            dataset.SamplesPerPixel = 1
        patterns = np.asarray(pixel_array(dataset, correct_unused_bits=False))
        patterns = patterns.astype(patterns.dtype.newbyteorder("="))
    if patterns.ndim != 2:
        raise Undecided(f"{patterns.ndim} dimensions")
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated and syntax != "1.2.840.10008.1.2.5":
        return patterns.astype(np.float64)
    unsigned = patterns.view(f"u{patterns.itemsize}").astype(np.int64)
    value = unsigned & (2**bits - 1)
    if int(dataset.PixelRepresentation):
        value = np.where(value >= 2 ** (bits - 1), value - 2**bits, value)
    return value.astype(np.float64)


def _padding(dataset, values):
    ends = []
    for name in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        value = dataset.get(name)
        if value is None or (name == "PixelPaddingRangeLimit" and not ends):
            continue
        if isinstance(value, bytes):
            value = int.from_bytes(value[:2], "little")
        value = int(value)
        ends.append(value - 2**16 if int(dataset.PixelRepresentation) and value > 2**15 - 1 else value)
    if not ends:
        return np.zeros(values.shape, bool)
    return (values >= min(ends)) & (values <= max(ends))
