"""Which image side the chest wall is on, and mirroring a view for a classifier that expects it on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHEST_WALLS = ("left", "right")
EDGE_SHARE = 0.02
"""Share of the columns, at each side, that is looked at."""
HISTOGRAM_BINS = 256
TISSUE_DISTANCE = 0.03
"""Pixels further than this share of the range from the background count as breast."""
DECISIVE_SHARE = 0.01
"""The two edges must differ by at least this share of their pixels, or the chest wall cannot be told."""

Pixels = TypeVar("Pixels")


def chest_wall_side(pixels: NDArray[np.float32]) -> str:
    """Image side whose edge columns carry more breast, `left` or `right`; empty where neither does.

    For files that do not say. Breast is what differs from the background, the commonest value of both edges, so that
    bright and dark backgrounds do alike.
    """
    width = max(1, round(pixels.shape[1] * EDGE_SHARE))
    left, right = pixels[:, :width], pixels[:, -width:]
    edges = np.concatenate((left.ravel(), right.ravel()))
    low, high = float(edges.min()), float(edges.max())
    if low == high:
        return ""
    counts, bounds = np.histogram(edges, bins=HISTOGRAM_BINS, range=(low, high))
    commonest = int(counts.argmax())
    background = (bounds[commonest] + bounds[commonest + 1]) / 2
    distance = TISSUE_DISTANCE * (high - low)
    share_left, share_right = (float((np.abs(edge - background) > distance).mean()) for edge in (left, right))
    if abs(share_left - share_right) < DECISIVE_SHARE:
        return ""
    return "left" if share_left > share_right else "right"


def toward(pixels: Pixels, chest_wall: str, wanted: str | None) -> Pixels:
    """Pixels with the chest wall on the wanted side: themselves, or mirrored left to right.

    Takes a NumPy array or a torch tensor (…, rows, columns) and never changes it. `wanted` None means as stored.
    """
    if wanted is None or chest_wall == wanted:
        return pixels
    if chest_wall not in CHEST_WALLS or wanted not in CHEST_WALLS:
        raise UnusableInput(
            f"chest wall must be 'left' or 'right' to be turned to {wanted!r}, got {chest_wall!r}; "
            "write Patient Orientation (0020,0020) into the file or crop the image so that the breast meets one edge"
        )
    stored: Any = pixels
    # A torch tensor takes no negative strides and has its own flip.
    mirrored: Pixels = stored.flip(-1) if hasattr(stored, "flip") else stored[..., ::-1]
    return mirrored
