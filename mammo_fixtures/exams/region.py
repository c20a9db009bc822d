"""Lesion regions: a mask in a PNG or outlines in a JSON file."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.limits import MOST_SETTINGS_BYTES, read_at_most
from mammo_fixtures.exams.png_chunks import MAGIC, checked_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.exams.remote_file import FilePath

MOST_CORNERS = 100_000
"""Of all outlines of a region: each outline is filled, so time grows with them."""
LARGEST_SHARE = 0.5
"""Of the image: what is larger is no lesion, but likely a mask whose background is not zero."""
AIR_SHARE = 0.25
"""Of an image's border, that the background covers: the breast leaves it more than two of four edges."""
MASK_MODES = ("1", "L", "I;16", "I")


def region_on(path: FilePath | None, pixels: NDArray[Any]) -> NDArray[np.bool_] | None:
    """The region of an image with these pixels, as `read_region` has it, refused where it marks air alone."""
    region = read_region(path, pixels.shape)
    if region is None:
        return None
    first = pixels[region][0]
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    # Only at an end of the range is a value surely the background's; an image of one value has no breast to lie on.
    at_end = first in (pixels.min(), pixels.max()) and bool((pixels != first).any())
    if at_end and float((border == first).mean()) >= AIR_SHARE and bool((pixels[region] == first).all()):
        raise UnusableInput(
            f"the region must lie on the breast, got {int(region.sum())} pixels that all have the background's value; "
            "look whether it was drawn on a mirrored or resized image, or belongs to another view"
        )
    return region


def read_region(path: FilePath | None, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """The region on the pixel grid of an image of this shape, read-only; None without a path.

    A PNG is a mask of the image's size, not zero inside. A JSON file is a list of polygons, each a list of
    [row, column] corners in pixels, pixel centres on whole numbers: `[[[10, 20], [10, 40], [30, 30]]]`.
    """
    if path is None:
        return None
    try:
        with path.open("rb") as stream:
            content = read_at_most(stream, MOST_SETTINGS_BYTES)
    except OSError as cause:
        raise UnusableInput(
            f"roi_path must be a readable file, got {cause.strerror or type(cause).__name__!r}; look "
            "whether it is there"
        ) from cause
    region = _mask(content) if content.startswith(MAGIC[:4]) else _polygons(content, shape)
    if region.shape != tuple(shape):
        raise UnusableInput(
            f"the mask must have the image's rows and columns {tuple(shape)}, got {region.shape}; "
            "draw it on the stored image"
        )
    share = float(region.mean())
    if share == 0:
        raise UnusableInput(
            "the region must mark at least one pixel, got none; leave roi_path empty where a view shows no lesion"
        )
    if share > LARGEST_SHARE:
        raise UnusableInput(
            f"the region must be smaller than half of the image, got {share:.0%} of it (inverted?); a mask is not zero "
            "inside the lesion and zero elsewhere"
        )
    region.flags.writeable = False
    return region


def _mask(content: bytes) -> NDArray[np.bool_]:
    from PIL import Image

    try:
        checked_header(content)
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            mode, pixels = image.mode, np.asarray(image)
    except UnusableInput:
        raise
    except Exception as cause:  # Pillow raises OSError, SyntaxError, ValueError and others on damaged files
        raise UnusableInput("the mask must be an undamaged PNG, but cannot be decoded; copy it again") from cause
    if mode not in MASK_MODES:
        raise UnusableInput(f"the mask must be a greyscale PNG, got mode {mode}; export it as greyscale")
    mask: NDArray[np.bool_] = pixels != 0
    return mask


def _polygons(content: bytes, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    from PIL import Image, ImageDraw

    rows, columns = shape
    canvas = Image.new("1", (columns, rows))
    pen = ImageDraw.Draw(canvas)
    try:
        polygons = json.loads(content)
        if not isinstance(polygons, list) or not all(isinstance(polygon, list) for polygon in polygons):
            raise TypeError
        if sum(map(len, polygons)) > MOST_CORNERS:
            raise UnusableInput(
                f"the region may have at most {MOST_CORNERS} corners, got more; give a PNG mask instead"
            )
        for polygon in polygons:
            pen.polygon([_corner(corner, rows, columns) for corner in polygon], fill=1, outline=1)
    except UnusableInput:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError) as cause:
        raise UnusableInput(
            "the region must be a PNG mask or a JSON list of polygons of at least two [row, column] "
            "corners, such as [[[10, 20], [10, 40], [30, 30]]]; got something else"
        ) from cause
    return np.array(canvas, dtype=np.bool_)


def _corner(corner: Any, rows: int, columns: int) -> tuple[int, int]:
    if not isinstance(corner, list) or any(isinstance(number, (bool, str)) for number in corner):
        raise TypeError
    row, column = (float(number) for number in corner)
    if not (-0.5 <= row <= rows - 0.5 and -0.5 <= column <= columns - 0.5):
        raise UnusableInput(
            f"a region's corners must lie inside the image of {rows} rows and {columns} columns, got row {row:g}, "
            f"column {column:g}; corners are [row, column] in pixels"
        )
    # Pillow cuts fractions off, which would move every region up and to the left.
    return min(round(column), columns - 1), min(round(row), rows - 1)
