"""Calcifications: clusters of fine grains, and coarse benign ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mammo_fixtures.exams.phantoms.findings import Place
from mammo_fixtures.exams.phantoms.masses import patch
from mammo_fixtures.exams.phantoms.recipe import Recipe

Array = NDArray[np.float32]

_SUBPIXELS = 6
"""Grains are drawn on a grid this much finer than the pixel, then averaged: partial volume."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cluster:
    """A cluster's grains in space, in mm from its centre: towards the nipple, across in CC, across in MLO."""

    grains_mm: NDArray[np.float64]
    sizes_mm: NDArray[np.float64]
    shapes: NDArray[np.float64]
    """Elongation, and orientation in either view."""
    contrasts: NDArray[np.float64]
    radius_mm: float


def draw_cluster(recipe: Recipe, random: np.random.Generator) -> Cluster:
    """Grains inside an ellipsoid, each as bright as it is thick."""
    count = int(random.integers(recipe.cluster_grains[0], recipe.cluster_grains[1] + 1))
    radius = random.uniform(*recipe.cluster_diameter_mm) / 2
    direction = random.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    grains = direction * radius * random.uniform(0, 1, (count, 1)) ** (1 / 3) * np.array([1.0, 0.8, 0.8])
    low, high = recipe.grain_mm
    sizes = low + (high - low) * random.beta(1.6, 2.2, count)
    per_mm = np.exp(random.uniform(*np.log(recipe.grain_contrast_per_mm)))
    shapes = np.stack([random.uniform(1.0, 1.6, count), *random.uniform(0, np.pi, (2, count))], axis=1)
    return Cluster(grains_mm=grains, sizes_mm=sizes, shapes=shapes, contrasts=per_mm * sizes, radius_mm=float(radius))


def add_cluster(
    recipe: Recipe, value: Array, region: NDArray[np.bool_], cluster: Cluster, place: Place, position: str
) -> None:
    """Add a cluster as CC or MLO sees it; its region is the ellipse around the grains."""
    across = 1 if position == "CC" else 2
    for grain, size, shape, contrast in zip(
        cluster.grains_mm, cluster.sizes_mm, cluster.shapes, cluster.contrasts, strict=True
    ):
        centre = Place(x_mm=place.x_mm + grain[0], y_mm=place.y_mm + grain[across])
        _add_spheroid(recipe, value, centre, size, shape[0], shape[across], contrast)
    margin = 0.6
    rows, columns, dy, dx = patch(recipe, place, cluster.radius_mm + margin, value.shape)
    ellipse = (dx / (cluster.radius_mm + margin)) ** 2 + (dy / (0.8 * cluster.radius_mm + margin)) ** 2 < 1
    region[rows, columns] |= ellipse


def add_coarse(
    recipe: Recipe, value: Array, region: NDArray[np.bool_], place: Place, random: np.random.Generator
) -> None:
    """Add one to three coarse calcifications near a place."""
    for _ in range(int(random.integers(1, 4))):
        size = random.uniform(*recipe.coarse_calcification_mm)
        centre = Place(x_mm=place.x_mm + random.uniform(-3, 3), y_mm=place.y_mm + random.uniform(-3, 3))
        contrast = random.uniform(*recipe.coarse_calcification_contrast)
        _add_spheroid(recipe, value, centre, size, random.uniform(1, 1.4), random.uniform(0, np.pi), contrast)
        rows, columns, dy, dx = patch(recipe, centre, 0.7 * size, value.shape)
        region[rows, columns] |= np.hypot(dy, dx) < 0.7 * size


def _add_spheroid(
    recipe: Recipe, value: Array, centre: Place, size_mm: float, elongation: float, turn: float, contrast: float
) -> None:
    rows, columns, dy, dx = patch(recipe, centre, 0.5 * size_mm * elongation + 2 * recipe.pixel_mm, value.shape)
    if not dy.size or not dx.size:
        return
    step = ((np.arange(_SUBPIXELS) + 0.5) / _SUBPIXELS - 0.5) * recipe.pixel_mm
    y = (dy + step[None, :]).reshape(-1, 1)
    x = (dx.T + step[None, :]).reshape(1, -1)
    along = (x * np.cos(turn) + y * np.sin(turn)) / np.sqrt(elongation)
    across = (y * np.cos(turn) - x * np.sin(turn)) * np.sqrt(elongation)
    radius = size_mm / 2
    inside = np.clip(1 - (along**2 + across**2) / radius**2, 0, 1)
    profile = np.sqrt(inside)
    shape = (dy.size, _SUBPIXELS, dx.size, _SUBPIXELS)
    value[rows, columns] += (contrast * profile.reshape(shape).mean(axis=(1, 3))).astype(np.float32)
