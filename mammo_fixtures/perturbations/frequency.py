"""Perturbations of the spatial spectrum."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

_NEGLIGIBLE = 1e-9
"""Gains below this are dropped: far under float32's rounding of one grey level in 16 bits."""


def gaussian_gain(wavelength_mm: float, rows_or_columns: int, spacing_mm: float, like: Tensor) -> Tensor:
    """exp(−f²λ²/2) at the DCT frequencies of one axis; the radial mask is the product of both axes' gains."""
    import torch

    from mammo_fixtures.perturbations.cosine_transform import frequencies

    frequency = frequencies(rows_or_columns, spacing_mm, like)
    gain = torch.exp(-0.5 * (frequency * wavelength_mm) ** 2)
    return torch.where(gain > _NEGLIGIBLE, gain, 0.0).to(like.dtype)


def lowpass(
    pixels: Tensor,
    *,
    wavelength_mm: float,
    spectrum: Tensor,
    spacing_mm: tuple[float, float],
    out: Tensor | None = None,
) -> Tensor:
    """Detail finer than the cut-off wavelength fades: spectrum × exp(−f²λ²/2), f radial in cycles/mm.

    In space a Gaussian of standard deviation λ/2π. A grain of radius r keeps 1 − exp(−r²/2σ²) of its contrast. Edges
    are extended symmetrically. Mild severities ring beside bright markers (undershoot to about −0.02), which is the
    band limit of the pixel grid and is not clipped. As a float operation it can be inverted in principle; only
    rounding to stored integers afterwards loses the detail for good.
    """
    import torch

    from mammo_fixtures.perturbations.cosine_transform import filtered

    out = torch.empty_like(pixels) if out is None else out
    rows_gain, columns_gain = (
        gaussian_gain(wavelength_mm, n, mm, pixels) for n, mm in zip(pixels.shape, spacing_mm, strict=True)
    )
    return filtered(spectrum, rows_gain, columns_gain, out)


def passes_everything(spacing_mm: tuple[float, float], wavelength_mm: float) -> str:
    """Says so where the mask at the Nyquist frequency of every axis exceeds 0.99: the filter does nothing there."""
    gain = math.exp(-0.5 * (wavelength_mm / (2 * min(spacing_mm))) ** 2)
    return f"gain {gain:.3f} at the pixel grid's Nyquist frequency: the filter does nothing here" if gain > 0.99 else ""


LOWPASS = Perturbation(
    name="lowpass",
    apply=lowpass,
    parameter="wavelength_mm",
    unit="mm",
    unit_label="mm",
    severities=(0.17, 0.22, 0.33, 0.50, 0.67, 1.00, 2.00, 4.00),
    valid=(0.01, 100.0),
    nothing=0.0,
    shares=("spectrum", "spacing_mm"),
    flag=passes_everything,
    source=(
        "Severities: Makino et al., Scientific Reports 2022, 10.1038/s41598-022-10526-z. Its public code gives the "
        "mask's form with a radius in DFT bins; that 1/λ is the Gaussian's standard deviation in cycles/mm is our "
        "reading."
    ),
)
