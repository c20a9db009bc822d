"""The Fourier sensitivity map: one wave at a time added to the view, over frequencies and orientations.

Each cell of the polar grid is a perturbation of its own, a record for every orientation with the frequency as its
severity; `fourier_map` stands for the mean over orientations, which tolerances may name. A map, not a ladder, so these
records stand beside the catalogue.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mammo_fixtures.perturbations.keyed import Key
    from mammo_fixtures.perturbations.shared import Shared

Pair = tuple[float, float]

AMPLITUDE = 0.01
"""Root mean square of the wave, of full scale."""
ORIENTATIONS_DEGREES = (0, 45, 90, 135)
"""Of the direction in which the wave varies: 0 away from the chest wall, 90 up, whichever side the chest wall is on."""
FREQUENCIES_PER_MM = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0)
"""Cycles/mm, from structure of 16 mm to just under the Nyquist frequency of 0.1 mm pixels."""
SUBSET = 60
BEYOND_GRID = "beyond the pixel grid"
BEYOND_CLASSIFIER = "beyond the classifier's pixels"
_PHASE = -math.pi / 4
"""At the chest wall and half way up: with both signs these are Hartley's real waves cos t + sin t."""
_NO_WAVE = 1e-6
"""Deviation of a wave of amplitude 1 under which the image is too small to hold any of it."""


def fourier_wave(
    pixels: Tensor,
    *,
    frequency_per_mm: float,
    orientation_degrees: float,
    spacing_mm: Pair,
    chest_wall: str,
    key: Key,
    out: Tensor | None = None,
) -> Tensor:
    """One wave of that frequency added everywhere, its sign keyed on the exam.

    Its mean over the image is 0 and its root mean square 0.01 of full scale, exactly, whether or not a whole number of
    waves fits; its L2 norm therefore grows with the square root of the pixel count (Yin et al. 2019).
    """
    import torch

    out = torch.empty_like(pixels) if out is None else out
    rows, columns = _phases(pixels.shape, frequency_per_mm, orientation_degrees, spacing_mm, chest_wall)
    mean, deviation = _moments(rows, columns)
    if deviation < _NO_WAVE:
        return out.copy_(pixels)
    scale = _sign(key) * AMPLITUDE / deviation
    # cos(r + c) = cos r cos c − sin r sin c: two outer products instead of a wave a pixel.
    for start, of_row, of_column, factor in (
        (pixels, np.cos(rows), np.cos(columns), scale),
        (out, np.sin(rows), np.sin(columns), -scale),
    ):
        down, across = (
            torch.from_numpy(values.astype(np.float32)).to(pixels.device) for values in (factor * of_row, of_column)
        )
        torch.addcmul(start, down[:, None], across, out=out)
    return out.sub_(scale * mean)


def fourier_mean(pixels: Tensor, *, frequency_per_mm: float, out: Tensor | None = None) -> Tensor:
    """Refuses: the mean over orientations is of metrics, not of pixels."""
    names = ", ".join(record.name for record in FOURIER_CELLS)
    raise UnusableInput(f"fourier_map: a wave must have an orientation, got none; perturb by one of {names}")


def wave_vector(frequency_per_mm: float, orientation_degrees: float) -> Pair:
    """Cycles/mm along rows' and columns' axes, without sign."""
    angle = math.radians(orientation_degrees)
    return abs(frequency_per_mm * math.sin(angle)), abs(frequency_per_mm * math.cos(angle))


def beyond_grid(frequency_per_mm: float, orientation_degrees: float, spacing_mm: Pair) -> bool:
    """Whether pixels of this spacing cannot hold the wave: along an axis it varies faster than every other pixel."""
    vector = wave_vector(frequency_per_mm, orientation_degrees)
    return any(cycles * mm > 0.5 * (1 + 1e-9) for cycles, mm in zip(vector, spacing_mm, strict=True))


def _phases(
    shape: tuple[int, ...], frequency_per_mm: float, orientation_degrees: float, spacing_mm: Pair, chest_wall: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Of each row and of each column, radians: the wave is the cosine of their sum."""
    angle = math.radians(orientation_degrees)
    turn = 2 * math.pi * frequency_per_mm
    up_mm = ((shape[0] - 1) / 2 - np.arange(shape[0])) * spacing_mm[0]
    from_wall_mm = np.arange(shape[1]) * spacing_mm[1]
    if chest_wall == "right":
        from_wall_mm = from_wall_mm[::-1]
    return turn * math.sin(angle) * up_mm, turn * math.cos(angle) * from_wall_mm + _PHASE


def _moments(rows: NDArray[Any], columns: NDArray[Any]) -> Pair:
    """Mean and standard deviation of cos(r + c) over all pixels: a double sum is the product of two single ones."""
    mean = float((np.exp(1j * rows).mean() * np.exp(1j * columns).mean()).real)
    twice = float((np.exp(2j * rows).mean() * np.exp(2j * columns).mean()).real)
    return mean, math.sqrt(max(0.5 + 0.5 * twice - mean**2, 0.0))


def _sign(key: Key) -> float:
    """One for all views of an exam."""
    return 1.0 if replace(key, side="", position="").uniform("fourier map") < 0.5 else -1.0


def _beyond(orientation_degrees: float, shared: Shared, frequency_per_mm: float) -> str:
    if not beyond_grid(frequency_per_mm, orientation_degrees, shared.spacing_mm):
        return ""
    return "the pixel grid cannot hold this frequency: its pixels show another one"


def _beyond_grid(orientation_degrees: float, shared: Shared, frequency_per_mm: float) -> float:
    return float(beyond_grid(frequency_per_mm, orientation_degrees, shared.spacing_mm))


def _beyond_classifier(orientation_degrees: float, shared: Shared, frequency_per_mm: float) -> float | None:
    if shared.classifier_pixels_mm is None:
        return None
    return float(beyond_grid(frequency_per_mm, orientation_degrees, shared.classifier_pixels_mm))


FOURIER_MAP = Perturbation(
    name="fourier_map",
    apply=fourier_mean,
    parameter="frequency_per_mm",
    unit="cycles/mm",
    unit_label="cpmm",
    decimals=4,
    set="extended",
    ladder="profile",
    severities=FREQUENCIES_PER_MM,
    valid=(0.001, 50.0),
    nothing=0.0,
    may_cancel=True,
    averages=tuple(f"fourier_map_{degrees:03d}" for degrees in ORIENTATIONS_DEGREES),
    source="Radial profile of the map of Yin et al. 2019, arXiv:1906.08988.",
)

FOURIER_CELLS = tuple(
    replace(
        FOURIER_MAP,
        name=name,
        apply=partial(fourier_wave, orientation_degrees=degrees),
        averages=(),
        keyed=True,
        subset=SUBSET,
        shares=("spacing_mm", "chest_wall", "key"),
        flag=partial(_beyond, degrees),
        notes={
            BEYOND_GRID: partial(_beyond_grid, degrees),
            BEYOND_CLASSIFIER: partial(_beyond_classifier, degrees),
        },
        source="Yin et al. 2019, arXiv:1906.08988: one Fourier basis image at a time, its norm fixed, its sign random.",
    )
    for name, degrees in zip(FOURIER_MAP.averages, ORIENTATIONS_DEGREES, strict=True)
)
