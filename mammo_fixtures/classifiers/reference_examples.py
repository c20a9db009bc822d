"""What the reference classifier learns from: crops and coarse views of phantoms that are not shipped."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mammo_fixtures.exams.phantoms import PhantomView, Recipe, render_exam
from mammo_fixtures.exams.phantoms.keyed import keyed
from mammo_fixtures.exams.phantoms.plan import CLUSTER, MASS

CROP = 192
"""Pixels a side of a crop: 19.2 mm, a cluster with its surroundings."""
CELL = 8
"""Pixels a side of a cell of the maps that the branches draw in training; the mass branch's are twice as wide."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """Inputs and, for each cell, whether it lies in a lesion of the branch's kind."""

    crops: NDArray[np.uint16]
    crop_cells: NDArray[np.bool_]
    coarse_views: NDArray[np.float32]
    coarse_cells: NDArray[np.bool_]


def gather_examples(recipe: Recipe, numbers: Iterable[int], workers: int) -> Examples:
    """Render exams and keep what the branches are trained on, in the order of the exams."""
    numbers = list(numbers)
    if workers == 1:
        parts = [examples_of(recipe, number) for number in numbers]
    else:
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            parts = list(pool.map(partial(examples_of, recipe), numbers, chunksize=4))
    crops, crop_cells, coarse_views, coarse_cells = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Examples(crops=crops, crop_cells=crop_cells, coarse_views=coarse_views, coarse_cells=coarse_cells)


def examples_of(
    recipe: Recipe, number: int
) -> tuple[NDArray[np.uint16], NDArray[np.bool_], NDArray[np.float32], NDArray[np.bool_]]:
    """Crops, their cells, coarse views and their cells of one exam."""
    crops, crop_cells, coarse_views, coarse_cells = [], [], [], []
    for view in render_exam(recipe, number):
        stored, region = upright(view)
        grains = region if view.breast.finding == CLUSTER else np.zeros_like(region)
        for row, column in _corners(recipe, view, stored, region):
            window = (slice(row, row + CROP), slice(column, column + CROP))
            crops.append(stored[window])
            crop_cells.append(_share(grains[window], CELL) > 0.5)
        coarse_views.append(_share(stored, CELL) / np.float32(2**recipe.bits_stored - 1))
        mass = region if view.breast.finding == MASS else np.zeros_like(region)
        coarse_cells.append(_share(mass, 2 * CELL) > 0.5)
    return np.stack(crops), np.stack(crop_cells), np.stack(coarse_views), np.stack(coarse_cells)


def upright(view: PhantomView) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """Pixels and region with the chest wall at the left, as the reference classifier reads them."""
    if view.breast.side == "L":
        return view.stored, view.region
    return view.stored[:, ::-1], view.region[:, ::-1]


def _corners(
    recipe: Recipe, view: PhantomView, stored: NDArray[np.uint16], region: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Where crops begin: two about a finding, where there is one, and two anywhere in the breast."""
    random = keyed(recipe.seed, view.breast.exam_id, view.breast.side, view.position, "crops")
    limits = (stored.shape[0] - CROP, stored.shape[1] - CROP)
    centres = []
    for place in (region, region, stored > 0, stored > 0):
        inside = np.flatnonzero(place)
        if inside.size:
            centre = divmod(int(inside[random.integers(inside.size)]), stored.shape[1])
            centres.append(tuple(c + int(random.integers(-CROP // 4, CROP // 4)) for c in centre))
    return [(min(max(r - CROP // 2, 0), limits[0]), min(max(c - CROP // 2, 0), limits[1])) for r, c in centres]


def _share(pixels: NDArray[np.generic], cell: int) -> NDArray[np.float32]:
    rows, columns = pixels.shape[0] // cell, pixels.shape[1] // cell
    cells = pixels[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell)
    mean: NDArray[np.float32] = cells.mean(axis=(1, 3), dtype=np.float32)
    return mean
