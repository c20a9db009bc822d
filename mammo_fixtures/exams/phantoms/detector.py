"""The detector: transfer, signal-dependent noise, and stored integers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from mammo_fixtures.exams.phantoms.keyed import keyed
from mammo_fixtures.exams.phantoms.recipe import Recipe

Array = NDArray[np.float32]

_TAPS = 4
"""Filter taps on either side."""


def expose(recipe: Recipe, value: Array, *key: str, dose: float = 1.0) -> Array:
    """The object's grey values as the detector gives them at a share of the full dose; `value` is overwritten."""
    noise = keyed(recipe.seed, *key, "noise").standard_normal(value.shape, dtype=np.float32)
    noise *= noise_deviation(recipe, value, dose) / np.float32(_noise_kept(recipe))
    value += noise
    return transfer(recipe, value)


def noise_deviation(recipe: Recipe, value: Array, dose: float = 1.0) -> Array:
    """Standard deviation of the noise at a grey value.

    Grey is the logarithm of exposure times -`log_gain`, and a logarithm of n photons deviates by n^-1/2: brighter
    tissue let fewer photons through and is noisier.
    """
    deviation: Array = np.exp((value - np.float32(0.5)) * np.float32(0.5 / recipe.log_gain))
    deviation *= np.float32(recipe.noise / np.sqrt(dose))
    return deviation


def transfer(recipe: Recipe, value: Array) -> Array:
    """Blur by the detector's transfer exp(-ln 2 (f/f50)²), edges repeated."""
    taps = transfer_taps(recipe.transfer_half_per_mm, recipe.pixel_mm)
    blurred: Array = correlate1d(correlate1d(value, taps, axis=0, mode="nearest"), taps, axis=1, mode="nearest")
    return blurred


@lru_cache(maxsize=4)
def transfer_taps(half_per_mm: float, pixel_mm: float) -> NDArray[np.float64]:
    """The finite filter whose response is the transfer up to the Nyquist frequency.

    A sampled Gaussian would not do: at a third of a pixel's width it blurs far too little.
    """
    frequency = (np.arange(2000) + 0.5) / 2000 * 0.5 / pixel_mm
    response = np.exp(-np.log(2) * (frequency / half_per_mm) ** 2)
    offset = np.arange(-_TAPS, _TAPS + 1) * pixel_mm
    taps = (response[None, :] * np.cos(2 * np.pi * offset[:, None] * frequency[None, :])).mean(axis=1)
    return np.asarray(taps / taps.sum())


def store(recipe: Recipe, value: Array, breast: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Integers of `bits_stored`; inside the breast at least 1, the background exactly 0."""
    top = 2**recipe.bits_stored - 1
    stored: NDArray[np.uint16] = np.clip(np.rint(value * np.float32(top)), 1, top).astype(np.uint16)
    stored *= breast
    return stored


def _noise_kept(recipe: Recipe) -> float:
    # share of white noise's deviation that is left after the transfer
    return float((transfer_taps(recipe.transfer_half_per_mm, recipe.pixel_mm) ** 2).sum())
