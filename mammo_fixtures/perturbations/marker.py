"""A laterality marker in the background, naming the wrong side."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mammo_fixtures.perturbations.shared import Shared

Point = tuple[float, float]

WIDTH = 0.65
"""Of a letter, in heights."""
STROKE = 0.16
"""Thickness of its strokes, in heights."""
MARGIN_MM = 2.0
"""Between the marker and the edges of the image."""
_ARC_STEPS = 16


def _bowl(centre: Point, radius: float) -> tuple[Point, ...]:
    """The right half of a circle as a polygon, from its top to its bottom."""
    angles = [math.pi * (step / _ARC_STEPS - 0.5) for step in range(_ARC_STEPS + 1)]
    return tuple((centre[0] + radius * math.sin(a), centre[1] + radius * math.cos(a)) for a in angles)


_IN, _LEFT, _RIGHT = STROKE / 2, STROKE / 2, WIDTH - STROKE / 2
_BOWL = 0.5 * (0.56 - 2 * _IN)
LETTERS: dict[str, tuple[tuple[Point, ...], ...]] = {
    "L": (((_IN, _LEFT), (1 - _IN, _LEFT), (1 - _IN, _RIGHT)),),
    "R": (
        ((1 - _IN, _LEFT), (_IN, _LEFT), *_bowl((_IN + _BOWL, _RIGHT - _BOWL), _BOWL), (_IN + 2 * _BOWL, _LEFT)),
        ((_IN + 2 * _BOWL, _RIGHT - _BOWL - 0.05), (1 - _IN, _RIGHT)),
    ),
}
"""Strokes as polygons of (row, column) in heights, the upper left corner (0, 0)."""


def letter(name: str, height_mm: float, spacing_mm: tuple[float, float]) -> NDArray[np.float32]:
    """A letter as it covers pixels, 0 … 1, its edges one pixel wide."""
    shape = [
        max(1, math.ceil(mm / pixel)) for mm, pixel in zip((height_mm, WIDTH * height_mm), spacing_mm, strict=True)
    ]
    rows, columns = ((np.arange(n) + 0.5) * mm for n, mm in zip(shape, spacing_mm, strict=True))
    nearest = np.full(shape, np.inf)
    for stroke in LETTERS[name]:
        for start, end in pairwise(stroke):
            nearest = np.minimum(nearest, _distance(rows[:, None], columns, start, end, height_mm))
    covered: NDArray[np.float32] = (0.5 + (STROKE / 2 * height_mm - nearest) / max(spacing_mm)).clip(0, 1)
    return covered.astype(np.float32)


def _distance(rows: NDArray[Any], columns: NDArray[Any], start: Point, end: Point, scale: float) -> NDArray[np.float64]:
    """Of points to a line between two, all in mm but for the line, which is in `scale`."""
    row, column = rows - start[0] * scale, columns - start[1] * scale
    down, across = (end[0] - start[0]) * scale, (end[1] - start[1]) * scale
    along = ((row * down + column * across) / (down**2 + across**2)).clip(0, 1)
    distance: NDArray[np.float64] = np.hypot(row - along * down, column - along * across)
    return distance


def marker_place(shape: tuple[int, int], shared: Shared) -> tuple[int, int] | None:
    """Upper left pixel of a box of that shape: in the corner away from the chest wall, upper then lower, that holds
    neither breast nor the view's own markers; else where least of it lies on the breast, then on the markers. None
    where the image is too small.
    """
    rows, columns = shared.view.shape
    down, across = rows - shape[0], columns - shape[1]
    if down < 0 or across < 0:
        return None
    away = [min(round(MARGIN_MM / mm), room) for mm, room in zip(shared.spacing_mm, (down, across), strict=True)]
    left = across - away[1] if shared.chest_wall == "left" else away[1]
    corners = [(away[0], left), (down - away[0], left)]

    def covered(place: tuple[int, int]) -> tuple[int, int]:
        box = slice(place[0], place[0] + shape[0]), slice(place[1], place[1] + shape[1])
        return int(shared.mask_array[box].sum()), int(shared.foreground.flags[box].sum())

    free = [corner for corner in corners if not any(covered(corner))]
    if free:
        return free[0]
    tried = [(row, column) for row in _places(down) for column in _places(across)]
    return min([*corners, *tried], key=covered)


def _places(room: int) -> list[int]:
    return sorted({room * step // 24 for step in range(25)})


def marker(pixels: Tensor, *, height_mm: float, itself: Shared, out: Tensor | None = None) -> Tensor:
    """A lead letter, at the end of the range that the background is not, naming the other side: L on a right breast.

    It stands upright in the background of the corner away from the chest wall and never covers the breast.
    """
    import torch

    out = torch.empty_like(pixels) if out is None else out
    out.copy_(pixels)
    drawn = letter("R" if itself.view.side == "L" else "L", height_mm, itself.spacing_mm)
    place = marker_place((drawn.shape[0], drawn.shape[1]), itself)
    if place is None:
        return out
    box = (slice(place[0], place[0] + drawn.shape[0]), slice(place[1], place[1] + drawn.shape[1]))
    weight = torch.from_numpy(drawn).to(pixels.device) * ~itself.mask[box]
    lead = 1.0 if itself.background < 0.5 else 0.0
    out[box] += weight * (lead - out[box])
    return out


def no_room(shared: Shared, height_mm: float) -> str:
    """Says so where the marker does not fit into the background."""
    shape = letter("L", height_mm, shared.spacing_mm).shape
    place = marker_place((shape[0], shape[1]), shared)
    if place is None:
        return "the image is too small for the marker: none was drawn"
    box = shared.mask_array[place[0] : place[0] + shape[0], place[1] : place[1] + shape[1]]
    return "no corner of the background takes the marker: only part of it was drawn" if box.any() else ""


MARKER = Perturbation(
    name="marker",
    apply=marker,
    parameter="height_mm",
    unit="mm",
    unit_label="mm",
    integer_digits=2,
    decimals=0,
    severities=(5, 10, 15),
    valid=(0.5, 100.0),
    nothing=0.0,
    set="extended",
    ladder="set",
    version=2,
    shares=("itself",),
    flag=no_room,
    source=(
        "Lead markers are placed by hand, and now and then the wrong one; classifiers learn them as shortcuts "
        "(Zech et al. 2018, 10.1371/journal.pmed.1002683). Heights of markers in use."
    ),
)
