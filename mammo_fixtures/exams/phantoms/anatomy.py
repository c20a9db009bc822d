"""The shape of a compressed breast: outline, distance to the skin, nipple and pectoral muscle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mammo_fixtures.exams.phantoms.keyed import keyed
from mammo_fixtures.exams.phantoms.recipe import Recipe

Array = NDArray[np.float32]

COARSE = 8
"""Smooth maps are computed on every eighth pixel and interpolated."""
NO_MUSCLE_MM = -1e3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """One view of a breast with its chest wall at the left; x runs from the chest wall, y from the top, in mm.

    The coarse maps hold every eighth pixel, `skin_mm` the distance to the skin, negative outside the breast,
    `muscle_mm` the depth inside the pectoral muscle, negative outside it.
    """

    nipple_mm: tuple[float, float]
    skin_mm: Array
    muscle_mm: Array
    roll_off_mm: float


def shape_breast(recipe: Recipe, exam_id: str, side: str, position: str) -> Anatomy:
    """The anatomy of one view; both sides of an exam resemble each other, both views share the depth."""
    woman = keyed(recipe.seed, exam_id, "woman")
    view = keyed(recipe.seed, exam_id, side, position, "shape")
    depth = woman.uniform(*recipe.depth_mm) + keyed(recipe.seed, exam_id, side, "depth").uniform(-1.5, 1.5)
    half_height = woman.uniform(*recipe.half_height_mm)
    roll_off = woman.uniform(*recipe.roll_off_mm)
    height = recipe.rows * recipe.pixel_mm
    y = _coarse_mm(recipe.rows, recipe.pixel_mm)
    x = _coarse_mm(recipe.columns, recipe.pixel_mm)
    bulge, droop = view.uniform(1.8, 2.2), view.uniform(-3, 3)
    if position == "CC":
        nipple_y = height / 2 + droop
        outline_y = np.linspace(nipple_y - half_height, nipple_y + half_height, 1500)
        reach = _reach_cc(outline_y, nipple_y, half_height, depth, bulge)
        inside = _reach_cc(y, nipple_y, half_height, depth, bulge)
        muscle = np.full((y.size, x.size), NO_MUSCLE_MM, np.float32)
    else:
        nipple_y = height * 0.58 + droop
        fold = min(0.90 * half_height, height - nipple_y - 2)
        axilla = view.uniform(0.45, 0.6) * depth
        outline_y = np.linspace(-20, nipple_y + fold, 1500)
        reach = _reach_mlo(outline_y, nipple_y, fold, axilla, depth, bulge)
        inside = _reach_mlo(y, nipple_y, fold, axilla, depth, bulge)
        muscle = _muscle_mm(x, y, top=view.uniform(0.30, 0.42) * depth, foot=view.uniform(0.55, 0.75) * height)
    skin = _signed_distance(x, y, inside, np.stack([reach, outline_y], axis=1))
    return Anatomy(nipple_mm=(float(depth), float(nipple_y)), skin_mm=skin, muscle_mm=muscle, roll_off_mm=roll_off)


def fine(recipe: Recipe, coarse: Array) -> Array:
    """A coarse map on every pixel, by linear interpolation."""
    down, right = _hats(recipe.rows, coarse.shape[0]), _hats(recipe.columns, coarse.shape[1])
    result: Array = down @ (coarse @ right.T)
    return result


def at(recipe: Recipe, coarse: Array, x_mm: float, y_mm: float) -> float:
    """The value of a coarse map nearest to a place."""
    step = COARSE * recipe.pixel_mm
    row = min(max(round(y_mm / step), 0), coarse.shape[0] - 1)
    column = min(max(round(x_mm / step), 0), coarse.shape[1] - 1)
    return float(coarse[row, column])


def _coarse_mm(pixels: int, pixel_mm: float) -> NDArray[np.float64]:
    # one knot beyond the last pixel, so that every pixel lies between two knots
    return np.asarray((np.arange(-(-pixels // COARSE) + 1) * COARSE + 0.5) * pixel_mm, np.float64)


@lru_cache(maxsize=8)
def _hats(pixels: int, knots: int) -> Array:
    offset = np.arange(pixels)[:, None] / COARSE - np.arange(knots)[None, :]
    return np.asarray(np.maximum(1 - np.abs(offset), 0), np.float32)


def _reach_cc(y: NDArray[np.float64], nipple: float, half: float, depth: float, bulge: float) -> NDArray[np.float64]:
    t = np.abs((y - nipple) / half)
    return depth * _arc(t, bulge) + _nipple_bump(y, nipple)


def _reach_mlo(
    y: NDArray[np.float64], nipple: float, fold: float, axilla: float, depth: float, bulge: float
) -> NDArray[np.float64]:
    below = depth * _arc(np.clip((y - nipple) / fold, 0, None), bulge)
    above = axilla + (depth - axilla) * _arc(np.clip((nipple - y) / (nipple + 20), 0, 1), bulge) ** 1.3
    return np.where(y > nipple, below, above) + _nipple_bump(y, nipple)


def _arc(t: NDArray[np.float64], bulge: float) -> NDArray[np.float64]:
    inside = np.maximum(1 - np.minimum(t, 2) ** bulge, 0) ** (1 / bulge)
    return np.asarray(np.where(t < 1, inside, -0.2 * (t - 1)))


def _nipple_bump(y: NDArray[np.float64], nipple: float) -> NDArray[np.float64]:
    # 3 mm high and 6 mm wide, as a nipple in profile
    return 3.0 * np.exp(-(np.abs(y - nipple) ** 3) / (2 * 2.8**3))


def _muscle_mm(x: NDArray[np.float64], y: NDArray[np.float64], *, top: float, foot: float) -> Array:
    # the anterior border runs from `top` at the upper edge to the chest wall at `foot`, slightly convex
    t = y / foot
    border = top * (1 - t + 0.35 * t * (1 - t))
    slope = np.hypot(1, top / foot)
    depth: Array = ((border[:, None] - x[None, :]) / slope).astype(np.float32)
    return depth


def _signed_distance(
    x: NDArray[np.float64], y: NDArray[np.float64], reach: NDArray[np.float64], outline: NDArray[np.float64]
) -> Array:
    grid = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1).reshape(-1, 2)
    distance = cKDTree(outline).query(grid, distance_upper_bound=60)[0]
    distance = np.minimum(distance, 60).reshape(y.size, x.size)
    signed: Array = np.where(x[None, :] < reach[:, None], distance, -distance).astype(np.float32)
    return signed
