"""Soft-tissue masses: irregular with spicules, or round and circumscribed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mammo_fixtures.exams.phantoms.findings import Place
from mammo_fixtures.exams.phantoms.recipe import Recipe

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mass:
    """One mass as both views show it."""

    diameter_mm: float
    contrast: float
    irregular: bool


def draw_mass(recipe: Recipe, random: np.random.Generator, *, irregular: bool) -> Mass:
    """Size and conspicuity of a mass."""
    sizes = recipe.mass_diameter_mm if irregular else recipe.round_mass_diameter_mm
    contrasts = recipe.mass_contrast if irregular else recipe.round_mass_contrast
    low, high = np.log(contrasts)
    return Mass(
        diameter_mm=float(random.uniform(*sizes)),
        contrast=float(np.exp(random.uniform(low, high))),
        irregular=irregular,
    )


def add_mass(
    recipe: Recipe, value: Array, region: NDArray[np.bool_], mass: Mass, place: Place, random: np.random.Generator
) -> None:
    """Add a mass to the grey values of one view, and to its region."""
    reach = mass.diameter_mm * (1.15 if mass.irregular else 0.75) + 1.0
    rows, columns, dy, dx = patch(recipe, place, reach, value.shape)
    radius: Array = np.hypot(dx, dy) + np.float32(1e-6)
    angle: Array = np.arctan2(dy, dx)
    outline = _outline(mass, angle, random)
    # an ellipsoid's thickness, its margin 0.3 mm (circumscribed) or 1 mm (ill-defined) wide
    margin_mm = 1.0 if mass.irregular else 0.35
    depth = np.clip(1 - (radius / outline) ** 2, 0, None) ** 0.5
    edge = 1 / (1 + np.exp(np.clip((radius - outline) / (0.35 * margin_mm), -30, 30)))
    body = mass.contrast * (0.35 * edge + 0.65 * depth)
    region[rows, columns] |= radius < outline
    if mass.irregular:
        spicules = _spicules(mass, radius, angle, random)
        body = body + mass.contrast * spicules * (1 - edge)
    value[rows, columns] += body.astype(np.float32)


def patch(recipe: Recipe, place: Place, reach_mm: float, shape: tuple[int, ...]) -> tuple[slice, slice, Array, Array]:
    """Rows and columns within reach of a place, and the offsets of their centres in mm."""
    row, column = place.y_mm / recipe.pixel_mm, place.x_mm / recipe.pixel_mm
    reach = reach_mm / recipe.pixel_mm
    rows = slice(max(int(row - reach), 0), min(int(row + reach) + 1, shape[0]))
    columns = slice(max(int(column - reach), 0), min(int(column + reach) + 1, shape[1]))
    dy = ((np.arange(rows.start, rows.stop) + 0.5 - row) * recipe.pixel_mm).astype(np.float32)
    dx = ((np.arange(columns.start, columns.stop) + 0.5 - column) * recipe.pixel_mm).astype(np.float32)
    return rows, columns, dy[:, None], dx[None, :]


def _outline(mass: Mass, angle: Array, random: np.random.Generator) -> Array:
    # harmonics of falling strength make the lobes; a circumscribed mass is a slight ellipse
    strength = 0.10 if mass.irregular else 0.0
    outline = 1 + random.uniform(0.03, 0.08) * np.cos(2 * (angle - random.uniform(0, np.pi)))
    for order in range(3, 10):
        turn, size = random.uniform(0, 2 * np.pi), random.normal()
        if strength:
            outline += strength * (3 / order) ** 0.6 * size * np.cos(order * angle + turn)
    result: Array = np.clip(outline, 0.70, 1.25) * (mass.diameter_mm / 2)
    return result


def _spicules(mass: Mass, radius: Array, angle: Array, random: np.random.Generator) -> Array:
    count = int(random.integers(10, 18))
    directions = (np.arange(count) + random.uniform(-0.35, 0.35, count)) * (2 * np.pi / count)
    lengths = mass.diameter_mm * random.uniform(0.65, 1.05, count)
    widths = random.uniform(0.25, 0.5, count)
    total = np.zeros_like(radius)
    for direction, length, width in zip(directions, lengths, widths, strict=True):
        across = radius * np.sin(np.clip(np.abs(_turned(angle, direction)), 0, np.pi / 2))
        ridge = np.exp(-((across / width) ** 2)) * np.clip(1 - radius / length, 0, 1)
        total = np.maximum(total, ridge)
    result: Array = 0.9 * total
    return result


def _turned(angle: Array, by: float) -> Array:
    turned: Array = np.remainder(angle - by + np.pi, 2 * np.pi) - np.pi
    return turned
