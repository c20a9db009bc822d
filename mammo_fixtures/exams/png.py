"""Views in 8- and 16-bit greyscale PNG files."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.intensity import stated_range
from mammo_fixtures.exams.limits import read_at_most
from mammo_fixtures.exams.png_chunks import checked_header
from mammo_fixtures.exams.region import region_on
from mammo_fixtures.exams.view import MAY_SHOW, View, as_fraction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.exams.view_file import ViewFile

COLOUR_TYPES = {0: "greyscale", 2: "colour", 3: "palette", 4: "greyscale with alpha", 6: "colour with alpha"}
LEAST_SHARE_OF_RANGE = 0.25
"""A brightest pixel below this share means that the image uses fewer bits than its container."""


def read_png(file: ViewFile, stream: BinaryIO) -> View:
    """The view in a PNG file; its spacing, and a range other than the container's, must be stated in the manifest."""
    if file.pixel_spacing_mm is None:
        raise UnusableInput("a PNG does not say its pixel spacing; add pixel_spacing_mm to the manifest")
    stored = png_pixels(stream)
    intensity_range, said = png_range(stored, file.intensity_low, file.intensity_high)
    return View(
        pixels=as_fraction(stored, intensity_range),
        pixel_spacing_mm=file.pixel_spacing_mm,
        side=file.side,
        position=file.position,
        exam_id=file.exam_id,
        intensity_range=intensity_range,
        noise_gain=file.noise_gain,
        region=region_on(file.roi_path, stored),
        notes={
            "format": f"PNG, {8 * stored.itemsize} bit",
            "intensity": said,
            "pixel spacing": "manifest",
            MAY_SHOW: "a PNG cannot say that no text is burnt in",
        },
    )


def png_pixels(stream: BinaryIO) -> NDArray[Any]:
    """Stored values (rows, columns), uint8 or uint16."""
    content = read_at_most(stream)
    try:
        header = checked_header(content)
        colour = COLOUR_TYPES.get(header.colour_type, "unknown colour type")
        if colour != "greyscale" or header.depth not in (8, 16):
            raise UnusableInput(
                f"a PNG must be 8- or 16-bit greyscale, got {header.depth}-bit {colour}; export it as greyscale"
            )
        pixels = decoded(content)
    except UnusableInput:
        raise
    except Exception as cause:  # Pillow raises OSError, SyntaxError, ValueError and others on damaged files
        raise UnusableInput(
            f"the PNG must be complete and undamaged, but cannot be decoded ({cause}); copy it again"
        ) from cause
    return pixels.astype(np.uint8 if header.depth == 8 else np.uint16, copy=False)


def decoded(content: bytes) -> NDArray[Any]:
    """Pixels of a PNG whose size was checked, which Pillow would warn of."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            return np.asarray(image)


def png_range(stored: NDArray[Any], low: float | None, high: float | None) -> tuple[tuple[float, float], str]:
    """The intensity range, and who says so."""
    full = float(np.iinfo(stored.dtype).max)
    least, most = float(stored.min()), float(stored.max())
    if low is None and high is None:
        if most < LEAST_SHARE_OF_RANGE * full:
            raise UnusableInput(
                f"the brightest pixel must reach a quarter of the range 0…{full:g} of a {8 * stored.itemsize}-bit PNG, "
                f"got {most:g} (fewer bits than the container?); state intensity_high in the manifest, 4095 for 12 bits"
            )
        return (0.0, full), "container"
    return stated_range(low, high, (0.0, full), (least, most)), "manifest"
