"""Where a finding lies in a breast, the same for both its views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mammo_fixtures.exams.phantoms.anatomy import Anatomy, at
from mammo_fixtures.exams.phantoms.keyed import keyed
from mammo_fixtures.exams.phantoms.recipe import Recipe

_DRAWS = 400
_WALL_MM = 3.0
"""Distance a finding keeps from the chest wall, beyond its own radius."""
_SKIN_MM = 4.0
_MUSCLE_MM = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Centre of a finding in one view, in mm from the chest wall and from the top."""

    x_mm: float
    y_mm: float


def place(recipe: Recipe, anatomies: dict[str, Anatomy], radius_mm: float, *key: str) -> dict[str, Place]:
    """A place in each view at one distance from the nipple, well inside the tissue."""
    random = keyed(recipe.seed, *key, "place")
    best: tuple[float, dict[str, Place]] = (-np.inf, {})
    for _ in range(_DRAWS):
        distance = random.uniform(12, 50)
        places = {}
        room = np.inf
        for position, anatomy in anatomies.items():
            angle = np.deg2rad(random.uniform(-75, 75))
            x = anatomy.nipple_mm[0] - distance * np.cos(angle)
            y = anatomy.nipple_mm[1] + distance * np.sin(angle)
            places[position] = Place(x_mm=float(x), y_mm=float(y))
            room = min(
                room,
                x - radius_mm - _WALL_MM,
                at(recipe, anatomy.skin_mm, x, y) - radius_mm - _SKIN_MM,
                -at(recipe, anatomy.muscle_mm, x, y) - radius_mm - _MUSCLE_MM,
            )
        if room >= 0:
            return places
        best = max(best, (room, places), key=lambda pair: pair[0])
    # a breast too small for the finding gets the roomiest place drawn
    return best[1]
