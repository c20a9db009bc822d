"""Perturbations of the exposure: noise of the electronics and of the photons."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.added import added
from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mammo_fixtures.perturbations.cosine_transform import Gain


def gaussian_noise(pixels: Tensor, *, sigma: float, normal_field: Tensor, out: Tensor | None = None) -> Tensor:
    """Electronic noise everywhere, the background too: x + σz, z the view's standard-normal field."""
    return added(pixels, normal_field, sigma, out)


def uniform_noise(pixels: Tensor, *, width: float, uniform_field: Tensor, out: Tensor | None = None) -> Tensor:
    """White noise without tails in the breast: x + U(−w, w)."""
    return added(pixels, uniform_field, width, out)


def quantum_noise(pixels: Tensor, *, dose_fraction: float, quantum_field: Tensor, out: Tensor | None = None) -> Tensor:
    """Photon noise as if the view had been taken at a fraction of its dose, in the breast.

    x + √(v(s)(1/d − 1))·n: v(s) is the view's own noise variance at local signal s (`noise_law`), n a field of unit
    variance with the spectrum of the view's own noise: white, as on a photoconductor, or falling as through a
    scintillator. On FOR PROCESSING pixels with a declared gain v = k·s, exactly; elsewhere the law is measured from the
    view and approximate: signal and processing stay as they were. A little less than nominal dose may help a
    classifier; scores need not fall steadily.
    """
    return added(pixels, quantum_field, math.sqrt(1 / dose_fraction - 1), out)


def shaped_noise(white: Tensor, spacing_mm: tuple[float, float], half_per_mm: float) -> Tensor:
    """Noise of unit variance at every pixel whose amplitude spectrum is exp(−(f/f₀)² ln 2), f₀ in cycles/mm.

    `white` stands for its cosine coefficients: those of a standard-normal field are one, too. Where f₀ is infinite the
    noise is `white` itself.
    """
    import torch

    from mammo_fixtures.perturbations.cosine_transform import filtered

    if math.isinf(half_per_mm):
        return white
    (rows_gain, rows), (columns_gain, columns) = (
        _noise_gain(n, mm, half_per_mm, white.dtype, white.device)
        for n, mm in zip(white.shape, spacing_mm, strict=True)
    )
    noise = filtered(white, rows_gain, columns_gain, torch.empty_like(white))
    return noise.div_(rows[:, None]).div_(columns)


@lru_cache(maxsize=64)
def _noise_gain(
    n: int, spacing_mm: float, half_per_mm: float, dtype: torch.dtype, device: torch.device
) -> tuple[Gain, Tensor]:
    """The gain along an axis of n pixels, and the deviation of each pixel that it makes of unit noise."""
    import torch

    from mammo_fixtures.perturbations.cosine_transform import Gain, frequencies

    gain = torch.exp(-math.log(2) * (frequencies(n, spacing_mm, torch.empty(0)) / half_per_mm) ** 2)
    # Mirrored edges meet themselves, which raises the variance of the outermost pixels.
    return Gain.of(gain, dtype, device), _deviation(gain).to(device, dtype)


def _deviation(gain: Tensor) -> Tensor:
    """Standard deviation at each pixel of an axis: √Σ g²φ², φ the cosines (1, √2 cos(πk(j+½)/n), …)/√n."""
    import torch

    n = gain.numel()
    squares = gain**2
    turned = torch.polar(squares, torch.arange(n, dtype=gain.dtype, device=gain.device) * (math.pi / n))
    turned[0] = 0
    return torch.sqrt(squares.mean() + torch.fft.ifft(turned).real)


GAUSSIAN_NOISE = Perturbation(
    name="gaussian_noise",
    apply=gaussian_noise,
    parameter="sigma",
    unit="of full scale",
    unit_label="fs",
    decimals=3,
    severities=(0.005, 0.01, 0.02, 0.04, 0.08),
    valid=(1e-6, 10.0),
    nothing=0.0,
    version=2,
    keyed=True,
    shares=("normal_field",),
    source="White additive noise of the detector's electronics; severities double from 1/200 of full scale.",
)

QUANTUM_NOISE = Perturbation(
    name="quantum_noise",
    apply=quantum_noise,
    parameter="dose_fraction",
    unit="of acquired dose",
    unit_label="dose",
    severities=(0.80, 0.60, 0.40, 0.25, 0.10),
    valid=(0.001, 1.0),
    nothing=1.0,
    version=2,
    keyed=True,
    shares=("quantum_field",),
    source=(
        "Photon statistics: variance is inverse to dose. The noise law is measured from the view; so is its spectrum: "
        "white, or falling to half amplitude at 5, 7 or 10 cycles/mm. Published dose ladders (M-SYNTH) run "
        "20-100 %."
    ),
)

UNIFORM_NOISE = Perturbation(
    name="uniform_noise",
    apply=uniform_noise,
    parameter="width",
    unit="of full scale",
    unit_label="fs",
    set="extended",
    severities=(0.01, 0.02, 0.04, 0.08, 0.16),
    valid=(1e-6, 10.0),
    nothing=0.0,
    keyed=True,
    shares=("uniform_field",),
    source="White bounded noise, beside the normal one of half its width's deviation; severities double from 1/100.",
)
