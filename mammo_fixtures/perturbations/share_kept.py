"""How much of the breast, and of its lesion's region, a geometric perturbation leaves in the image."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.perturbations.breast_mask import Box
from mammo_fixtures.perturbations.geometry_sources import SOURCES
from mammo_fixtures.perturbations.source_map import SourceMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.perturbations.shared import Shared

ENOUGH = 0.95
BREAST, REGION = "share of the breast kept", "share of the region kept"
_POINTS = 20_000
"""About so many pixels of the breast are followed: their share is then right to a fraction of a per cent."""

_STEPS = 30
"""Of the elastic field's inversion; each leaves about half of what was left."""

Points = np.ndarray[Any, np.dtype[np.float64]]


def share_kept(shared: Shared, name: str, severity: float) -> tuple[float, float | None]:
    """Share of the breast and, where the view has one, of the lesion's region that stays in the image, 0 … 1."""
    return _breast_kept(name, shared, severity), _region_kept(name, shared, severity)


def flag_of_share_kept(name: str, shared: Shared, severity: float) -> str:
    """Says so where under 95 % stays."""
    breast, region = share_kept(shared, name, severity)
    short = [
        what for what, kept in (("breast", breast), ("lesion's region", region)) if kept is not None and kept < ENOUGH
    ]
    return f"under {ENOUGH:.0%} of the {' and of the '.join(short)} stays in the image" if short else ""


def notes_of_share_kept(name: str) -> dict[str, Callable[[Shared, float], float | None]]:
    """The shares as numbers that a report tells."""
    return {BREAST: partial(_breast_kept, name), REGION: partial(_region_kept, name)}


def _breast_kept(name: str, shared: Shared, severity: float) -> float:
    return _share(shared, name, severity, shared.breast_points)


def _region_kept(name: str, shared: Shared, severity: float) -> float | None:
    return None if shared.view.region is None else _share(shared, name, severity, shared.region_points)


def central_box(box: Box, share: float) -> Box:
    """The middle of a box with that share of its area, in whole pixels, both sides shortened alike."""
    top, bottom, left, right = box
    rows, columns = ((1 - share**0.5) / 2 * (last - first) for first, last in ((top, bottom), (left, right)))
    return top + round(rows), bottom - round(rows), left + round(columns), right - round(columns)


def points_in(mask: NDArray[np.bool_]) -> Points:
    """Rows and columns (2, points) of pixels evenly over a mask, all of them where they are few."""
    step = max(1, int((mask.size / _POINTS) ** 0.5)) if int(mask[::8, ::8].sum()) * 64 > _POINTS else 1
    points: Points = np.multiply(np.nonzero(mask[::step, ::step]), float(step))
    return points


def _share(shared: Shared, name: str, severity: float, points: Points) -> float:
    if not points.size or name == "mirror":
        return 1.0
    if name == "crop":
        top, bottom, left, right = central_box(shared.breast_box, severity)
        new = points
    else:
        new = destinations(SOURCES[name](shared, severity), points)
        bottom, right = shared.view.shape
        top, left = 0, 0
    inside = (new[0] > top - 0.5) & (new[0] < bottom - 0.5) & (new[1] > left - 0.5) & (new[1] < right - 0.5)
    return float(inside.mean())


def destinations(source: SourceMap, points: Points) -> Points:
    """Where pixels go, the source map undone: (2, points) rows and columns."""
    inverse = np.linalg.inv(np.array(source.matrix))
    offset = np.array(source.offset)[:, None]
    if source.displacement is None:
        moved: Points = inverse @ (points - offset)
        return moved
    field = source.displacement
    last = np.array(field.shape[:2])[:, None] - 1
    new = points
    # p + u(p) = q is solved by p ← q − u(p), which draws nearer each time as the field folds nowhere.
    for _ in range(_STEPS):
        at = np.rint(new).astype(int).clip(0, last)
        new = points - field[at[0], at[1]].double().cpu().numpy().T[::-1] * source.amount
    return new
