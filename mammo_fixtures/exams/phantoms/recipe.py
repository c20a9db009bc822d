"""The recipe of a phantom cohort: every number that decides its pixels."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.given import given

GENERATOR_VERSION = "1"
"""Raised whenever the same recipe would give other pixels."""
DENSITIES = ("A", "B", "C", "D")

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a phantom cohort is made of; `fixtures/phantoms/recipe.toml` explains each entry.

    Lengths are mm, frequencies cycles/mm, grey values fractions of full scale.
    """

    seed: str
    exams: int
    rows: int
    columns: int
    pixel_mm: float
    bits_stored: int
    transfer_half_per_mm: float
    noise: float
    log_gain: float
    depth_mm: Range
    half_height_mm: Range
    roll_off_mm: Range
    fat: float
    gland: float
    power_law: float
    glandular_share: Mapping[str, float]
    cluster_diameter_mm: Range
    cluster_grains: tuple[int, int]
    grain_mm: Range
    grain_contrast_per_mm: Range
    mass_diameter_mm: Range
    mass_contrast: Range
    round_mass_diameter_mm: Range
    round_mass_contrast: Range
    coarse_calcification_mm: Range
    coarse_calcification_contrast: Range

    def __post_init__(self) -> None:
        if tuple(self.glandular_share) != DENSITIES:
            got = ", ".join(self.glandular_share) or "none"
            raise UnusableInput(f"phantom recipe: glandular_share must name the densities A, B, C, D, got {got}")
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if isinstance(value, tuple) and not (len(value) == 2 and 0 < value[0] <= value[1]):
                raise UnusableInput(f"phantom recipe: {name} must be (low, high) with 0 < low <= high, got {value}")
            if isinstance(value, int | float) and not value > 0:
                raise UnusableInput(f"phantom recipe: {name} must be positive, got {value}")

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that name this recipe and the generator's version."""
        text = json.dumps([GENERATOR_VERSION, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def fresh(self, seed: str, exams: int | None = None) -> Recipe:
        """Other phantoms of the same kind: another seed, and another number of exams where given."""
        return replace(self, seed=seed, exams=self.exams if exams is None else exams)


def read_recipe(path: Path | None = None) -> Recipe:
    """Read a recipe; None means the shipped one."""
    path = given("phantoms/recipe.toml") if path is None else path
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableInput(f"{path}: a phantom recipe must be readable TOML, got: {error}; see recipe.toml") from error
    return _recipe(entries, str(path))


def _recipe(entries: Mapping[str, Any], where: str) -> Recipe:
    names = {field.name for field in fields(Recipe)}
    if unknown := sorted(set(entries) - names):
        raise UnusableInput(f"{where}: a phantom recipe has no entry {', '.join(unknown)}; remove it")
    if missing := sorted(names - set(entries)):
        raise UnusableInput(f"{where}: a phantom recipe needs {', '.join(missing)}; add it")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entries.items()}
    return Recipe(**values)
