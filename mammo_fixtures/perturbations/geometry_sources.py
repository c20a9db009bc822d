"""Where each geometric perturbation takes its pixels from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.source_map import SourceMap

if TYPE_CHECKING:
    from torch import Tensor

    from mammo_fixtures.perturbations.keyed import Key
    from mammo_fixtures.perturbations.shared import Shared

Pair = tuple[float, float]

UPRIGHT = ((1.0, 0.0), (0.0, 1.0))


def rotation_source(degrees: float, spacing_mm: Pair, pivot: Pair) -> SourceMap:
    """The turn undone, about the pivot, true in millimetres also where rows and columns are spaced differently."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    aspect = spacing_mm[0] / spacing_mm[1]
    return _about(pivot, ((cosine, sine / aspect), (-sine * aspect, cosine)))


def magnification_source(percent: float, pivot: Pair) -> SourceMap:
    """The enlargement undone, about the pivot."""
    shrink = 1 / (1 + percent / 100)
    return _about(pivot, ((shrink, 0.0), (0.0, shrink)))


def translation_source(shift_mm: float, spacing_mm: Pair, key: Key) -> SourceMap:
    """The shift along the chest wall undone, up or down as the view's key says."""
    return SourceMap(matrix=UPRIGHT, offset=(-signed_rows(shift_mm, spacing_mm, key), 0.0))


def signed_rows(shift_mm: float, spacing_mm: Pair, key: Key) -> float:
    """How many rows down a translation moves the breast."""
    return in_pixels(shift_mm, spacing_mm[0]) * (1 if key.uniform("translation") < 0.5 else -1)


def in_pixels(length_mm: float, spacing_mm: float) -> float:
    """A length in pixels; 7 mm at 0.07 mm are 100, although division gives a little more."""
    pixels = length_mm / spacing_mm
    return float(round(pixels)) if abs(pixels - round(pixels)) < 1e-9 * max(1.0, pixels) else pixels


def posterior_cut_source(depth_mm: float, spacing_mm: Pair, chest_wall: str) -> SourceMap:
    """The shift towards the chest wall undone."""
    columns = in_pixels(depth_mm, spacing_mm[1])
    return SourceMap(matrix=UPRIGHT, offset=(0.0, columns if chest_wall == "left" else -columns))


def elastic_source(maximum_mm: float, spacing_mm: Pair, elastic_field: Tensor) -> SourceMap:
    """Each pixel from where the field points, at most `maximum_mm` away."""
    pixels = maximum_mm / min(spacing_mm)
    return SourceMap(matrix=UPRIGHT, offset=(0.0, 0.0), displacement=elastic_field, amount=pixels)


SOURCES: dict[str, Callable[[Shared, float], SourceMap]] = {
    "rotation": lambda shared, s: rotation_source(s, shared.spacing_mm, shared.pivot),
    "translation": lambda shared, s: translation_source(s, shared.spacing_mm, shared.key),
    "posterior_cut": lambda shared, s: posterior_cut_source(s, shared.spacing_mm, shared.chest_wall),
    "magnification": lambda shared, s: magnification_source(s, shared.pivot),
    "elastic": lambda shared, s: elastic_source(s, shared.spacing_mm, shared.elastic_field),
}
"""By perturbation: those that interpolate."""


def _about(pivot: Pair, matrix: tuple[Pair, Pair]) -> SourceMap:
    row, column = (centre - line[0] * pivot[0] - line[1] * pivot[1] for centre, line in zip(pivot, matrix, strict=True))
    return SourceMap(matrix=matrix, offset=(row, column))
