"""Fat, glandular tissue, skin and muscle: a power-law field shaped by anatomy and breast density."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from mammo_fixtures.exams.phantoms.anatomy import Anatomy, fine
from mammo_fixtures.exams.phantoms.keyed import keyed
from mammo_fixtures.exams.phantoms.recipe import Recipe

Array = NDArray[np.float32]

ELONGATION = 1.3
"""Ducts and ligaments run towards the nipple: structures are this much longer along x, and narrower along y."""
LONGEST_MM = 45.0
"""The power law levels off at structures of this length."""
FAT_LAYER_MM = 14.0
"""Under the skin and before the chest wall fat prevails over this depth."""
FAT_TEXTURE = 0.028
"""Standard deviation of what the field adds everywhere."""
SOFTNESS = 0.8
"""Standard deviations of the field over which fat turns into glandular tissue."""
SKIN_MM = 1.5
SKIN = 0.06
MUSCLE = 0.26
"""What the pectoral muscle adds, a fraction of full scale."""


def tissue(recipe: Recipe, anatomy: Anatomy, density: str, *key: str) -> Array:
    """Grey values (rows, columns) of a breast without findings, before the detector; 0 outside the breast."""
    field = power_law_field(recipe, *key, "parenchyma")
    skin = fine(recipe, anatomy.skin_mm)
    value = field + fine(recipe, _gland_bias(recipe, anatomy, density))
    value *= -1 / SOFTNESS
    np.exp(value, out=value)
    value += 1
    np.divide(recipe.gland, value, out=value)
    field *= FAT_TEXTURE
    value += field
    value += fine(recipe, _fat_and_muscle(recipe, anatomy))
    value += SKIN * np.exp(-((skin / SKIN_MM) ** 2))
    # the rim of a compressed breast is round, and thickness equalised in part by the processing
    thinning = np.clip(skin / anatomy.roll_off_mm, 0, 1)
    value *= np.sqrt(1 - (1 - thinning) ** 3)
    return value


def inside(recipe: Recipe, anatomy: Anatomy) -> NDArray[np.bool_]:
    """The breast, without the background."""
    mask: NDArray[np.bool_] = fine(recipe, anatomy.skin_mm) > 0
    return mask


def power_law_field(recipe: Recipe, *key: str) -> Array:
    """A Gaussian field of mean 0 and standard deviation 1 whose power spectrum falls as f^-exponent."""
    amplitude = _amplitude(recipe.rows, recipe.columns, recipe.pixel_mm, recipe.power_law)
    shape = (*amplitude.shape, 2)
    normal = keyed(recipe.seed, *key).standard_normal(shape, dtype=np.float32).view(np.complex64)[..., 0]
    normal *= amplitude
    field: Array = fft.irfft2(normal, s=(recipe.rows, recipe.columns), workers=1)
    return field


@lru_cache(maxsize=4)
def _amplitude(rows: int, columns: int, pixel_mm: float, exponent: float) -> Array:
    down = fft.fftfreq(rows, pixel_mm)[:, None] / ELONGATION
    across = fft.rfftfreq(columns, pixel_mm)[None, :] * ELONGATION
    power = (down**2 + across**2 + LONGEST_MM**-2) ** (-exponent / 2)
    power[0, 0] = 0
    both = np.full(power.shape[1], 2.0)
    both[0] = 1
    both[-1] = 1 if columns % 2 == 0 else 2
    # irfft2 divides by the number of pixels; 2 for the real and the imaginary part
    scale = rows * columns / np.sqrt(2 * (power * both).sum())
    return np.asarray(np.sqrt(power) * scale, dtype=np.float32)


def _gland_bias(recipe: Recipe, anatomy: Anatomy, density: str) -> Array:
    share = recipe.glandular_share[density]
    steps = np.arange(anatomy.skin_mm.shape[1]) * (recipe.pixel_mm * 8)
    from_wall = np.clip(steps / FAT_LAYER_MM, 0, 1)[None, :]
    covered = np.clip(anatomy.skin_mm / FAT_LAYER_MM, 0, 1) * (0.4 + 0.6 * from_wall)
    muscle = np.clip(1 + anatomy.muscle_mm / 6.0, 0, 1)
    bias: Array = (3.4 * share - 1.0 - 2.8 * (1 - covered) * (1.3 - share) - 6.0 * muscle).astype(np.float32)
    return bias


def _fat_and_muscle(recipe: Recipe, anatomy: Anatomy) -> Array:
    border = np.clip(anatomy.muscle_mm / 3.0 + 0.5, 0, 1)
    value: Array = (recipe.fat + MUSCLE * border).astype(np.float32)
    return value
