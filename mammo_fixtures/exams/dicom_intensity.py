"""From stored values to fractions of the intensity range: Rescale, inversion, padding (PS3.3 C.7.6.3, C.11.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import dicom_header as header
from mammo_fixtures.exams.intensity import stated_range
from mammo_fixtures.exams.view import as_fraction

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from mammo_fixtures.exams.dicom_pixels import PixelLayout
    from mammo_fixtures.exams.view_file import ViewFile


def fractions(
    dataset: Dataset, file: ViewFile, stored: NDArray[Any], layout: PixelLayout, inverted: bool
) -> tuple[NDArray[np.float32], tuple[float, float], str]:
    """Fractions, the range they are fractions of, and how both came about; declared padding becomes 0.

    The arithmetic is in integers wherever Rescale is whole, so that nothing is rounded before the one division.
    """
    slope = header.number(dataset, "RescaleSlope", default=1.0)
    intercept = header.number(dataset, "RescaleIntercept", default=0.0)
    if slope <= 0:
        raise UnusableInput(f"Rescale Slope (0028,1053) must be positive, got {slope:g}; export the image again")
    full = (0.0, float(2**layout.bits_stored - 1))
    values = _rescaled(stored, slope, intercept)
    stated = file.intensity_low is not None or file.intensity_high is not None
    low = full[0] if file.intensity_low is None else file.intensity_low
    high = full[1] if file.intensity_high is None else file.intensity_high
    padding = _padding(dataset, stored, layout, already=((high if inverted else low) - intercept) / slope)
    if stated or values is not stored or layout.signed:
        image = values if padding is None else values[~padding]
        found = (float(image.min()), float(image.max())) if image.size else (low, high)
        if stated:
            full = stated_range(file.intensity_low, file.intensity_high, full, found)
        elif found[0] < full[0] or found[1] > full[1]:
            raise UnusableInput(
                f"pixels after Rescale must lie within 0…{full[1]:g} (Bits Stored {layout.bits_stored}), "
                f"got {found[0]:g}…{found[1]:g}; state intensity_low and intensity_high in the manifest"
            )
    pixels = as_fraction(_inverted(values, full) if inverted else values, full)
    if padding is not None:
        np.copyto(pixels, np.float32(0), where=padding)
    source = "manifest" if stated else f"Bits Stored {layout.bits_stored}"
    said = f"{full[0]:g}…{full[1]:g} ({source})"
    if values is not stored:
        said += f", rescaled × {slope:g} {'+' if intercept >= 0 else '−'} {abs(intercept):g}"
    return pixels, full, said + (", padding set to 0" if padding is not None else "")


def _rescaled(stored: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    """Stored values × Rescale Slope + Rescale Intercept; themselves where that changes nothing."""
    if (slope, intercept) == (1.0, 0.0):
        return stored
    if slope.is_integer() and intercept.is_integer():
        return stored * np.int64(slope) + np.int64(intercept)
    return stored * np.float64(slope) + np.float64(intercept)


def _inverted(values: NDArray[Any], intensity_range: tuple[float, float]) -> NDArray[Any]:
    """Low + high − value, in integers where they are integers, so that nothing is rounded."""
    low, high = intensity_range
    mirrored: NDArray[Any]
    if values.dtype.kind == "f" or not (low + high).is_integer():
        mirrored = (low + high) - values
    elif values.dtype.kind == "u" and low == 0 and high <= np.iinfo(values.dtype).max:
        mirrored = values.dtype.type(high) - values
    else:
        mirrored = np.int64(low + high) - values.astype(np.int64)
    return mirrored


def _padding(
    dataset: Dataset, stored: NDArray[Any], layout: PixelLayout, *, already: float
) -> NDArray[np.bool_] | None:
    """Pixels that the file declares as padding around the image (PS3.3 C.7.5.1.1.2).

    None where there are none, or where their stored value is `already` the one that becomes 0.
    """
    if dataset.get("PixelPaddingValue") is None:
        return None
    ends = [_padding_value(dataset, "PixelPaddingValue", layout)]
    if dataset.get("PixelPaddingRangeLimit") is not None:
        ends.append(_padding_value(dataset, "PixelPaddingRangeLimit", layout))
    if min(ends) == max(ends) == already:
        return None
    padding: NDArray[np.bool_] = (stored >= min(ends)) & (stored <= max(ends))
    return padding if padding.any() else None


def _padding_value(dataset: Dataset, keyword: str, layout: PixelLayout) -> int:
    value = dataset.get(keyword)
    if isinstance(value, bytes):  # US or SS, which implicit VR does not tell apart
        return int.from_bytes(value[:2], "little", signed=layout.signed)
    whole = int(header.number(dataset, keyword))
    return whole - 2**16 if layout.signed and whole > 2**15 - 1 else whole
