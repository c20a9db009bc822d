"""Whether views look as they are declared: their intensity range, and the side that each breast lies on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mammo_fixtures.exams.view import View

TINY_SHARE = 0.25
"""A view whose brightest pixel stays below this share of its range likely uses fewer bits than declared: a 12-bit image
in 14 bits reaches exactly a quarter."""
BEYOND_SHARE = 0.001
"""Share of pixels outside the declared range that is no longer a defect of single pixels."""
CLIPPED_SHARE = 0.2
"""Share of what is not background that has the brightest value: an image that a too small range has cut off. Dense
breasts, markers and implants saturate less."""
_STANDING = {"L": "left", "R": "right"}
"""Image side of the chest wall as mammograms are hung and mostly stored."""


def range_doubt(view: View) -> str:
    """What speaks against the declared intensity range, or an empty text."""
    pixels = view.pixels
    low, high = float(pixels.min()), float(pixels.max())
    if high < TINY_SHARE:
        return f"its pixels stay below {high:.2g} of the range"
    if low > 1 - TINY_SHARE:  # the same of pixels that were inverted
        return f"its pixels stay above {low:.2g} of the range"
    beyond = float(((pixels < 0) | (pixels > 1)).mean())
    if beyond > BEYOND_SHARE:
        return f"{beyond:.1%} of its pixels lie outside the range"
    # Where the brightest pixels are the background, as in images for processing, nothing can be said of them.
    inside = pixels[pixels > low]
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    at_top = float((inside == high).mean()) if inside.size else 0.0
    if low < high and at_top > CLIPPED_SHARE and float((border == high).mean()) < float((border == low).mean()):
        return f"{at_top:.0%} of what is not background has the brightest value"
    return ""


def exchanged_sides(walls: Mapping[str, str]) -> bool:
    """Whether the breasts of one exam lie where the other side's should, from the image side of each one's chest wall.

    Exams whose breasts all lie on one image side were turned before, and say nothing.
    """
    return len(walls) == 2 and all(wall and wall != _STANDING[side] for side, wall in walls.items())
