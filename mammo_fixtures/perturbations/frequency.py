"""Perturbations of the spatial spectrum."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mammo_fixtures.perturbations.cosine_transform import Gain
    from mammo_fixtures.perturbations.shared import Shared

_NEGLIGIBLE = 1e-9
"""Gains below this are dropped: far under float32's rounding of one grey level in 16 bits."""
_NOTCH_OCTAVES = 0.5 / math.sqrt(2 * math.log(2))
"""Standard deviation that makes the notch one octave wide at half its depth."""


@lru_cache(maxsize=256)
def gaussian_gain(wavelength_mm: float, n: int, spacing_mm: float, dtype: torch.dtype, device: torch.device) -> Gain:
    """exp(−f²λ²/2) at the DCT frequencies of an axis of n pixels; the radial mask is the product of both axes' gains.

    Not to be changed: kept for the next view.
    """
    import torch

    from mammo_fixtures.perturbations.cosine_transform import Gain, frequencies

    # On the CPU: a GPU takes longer to begin five small calls than to do a whole image.
    frequency = frequencies(n, spacing_mm, torch.empty(0))
    gain = torch.exp(-0.5 * (frequency * wavelength_mm) ** 2)
    return Gain.of(torch.where(gain > _NEGLIGIBLE, gain, 0.0), dtype, device)


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
    rows, columns = (
        gaussian_gain(wavelength_mm, n, mm, pixels.dtype, pixels.device)
        for n, mm in zip(pixels.shape, spacing_mm, strict=True)
    )
    return filtered(spectrum, rows, columns, out)


def highpass(
    pixels: Tensor,
    *,
    wavelength_mm: float,
    spectrum: Tensor,
    spacing_mm: tuple[float, float],
    out: Tensor | None = None,
) -> Tensor:
    """Structure coarser than the cut-off wavelength fades: spectrum × (1 − exp(−f²λ²/2)), the image's mean kept.

    The image minus its low-pass. Values leave [0, 1]: the breast is negative in much of its inside.
    """
    import torch

    mean = spectrum[0, 0] / math.sqrt(pixels.numel())
    low = lowpass(pixels, wavelength_mm=wavelength_mm, spectrum=spectrum, spacing_mm=spacing_mm, out=out)
    return torch.sub(pixels, low, out=low).add_(mean)


def bandstop(
    pixels: Tensor,
    *,
    centre_per_mm: float,
    spectrum: Tensor,
    spacing_mm: tuple[float, float],
    out: Tensor | None = None,
) -> Tensor:
    """An octave of the spectrum removed: × 1 − exp(−log₂²(f/f₀)/2s²), half depth half an octave either side of f₀."""
    import torch

    from mammo_fixtures.perturbations.cosine_transform import filtered_by, frequencies

    highest = centre_per_mm * 2 ** (_NOTCH_OCTAVES * math.sqrt(-2 * math.log(_NEGLIGIBLE)))
    # On the CPU: how many there are a GPU would have to be waited for.
    squares = [frequencies(n, mm, torch.empty(0)).square() for n, mm in zip(pixels.shape, spacing_mm, strict=True)]
    rows, columns = (each[each <= highest**2].div_(centre_per_mm**2).to(pixels) for each in squares)
    octaves = (rows[:, None] + columns).log2_().mul_(0.5)
    notch = octaves.square_().mul_(-1 / (2 * _NOTCH_OCTAVES**2)).exp_()
    band = filtered_by(spectrum, notch, torch.empty_like(pixels) if out is None else out)
    return torch.sub(pixels, band, out=band)


def _grid(shared: Shared) -> tuple[str, float]:
    """Which grid ends first, the image's or that to which the classifier resamples it, and its pixels in mm."""
    own, reads = min(shared.spacing_mm), shared.classifier_pixel_mm or 0.0
    return ("classifier's input", reads) if reads > 1.001 * own else ("pixel grid", own)


def passes_everything(shared: Shared, wavelength_mm: float) -> str:
    """Says so where the mask exceeds 0.99 at the highest frequency that the classifier sees: it sees no change."""
    grid, pixel_mm = _grid(shared)
    gain = math.exp(-0.5 * (wavelength_mm / (2 * pixel_mm)) ** 2)
    return (
        f"gain {gain:.3f} at the Nyquist frequency of the {grid}: the filter does nothing here" if gain > 0.99 else ""
    )


def beyond_nyquist(shared: Shared, centre_per_mm: float) -> str:
    """Says so where the notch's centre lies beyond the highest frequency that the classifier sees."""
    grid, pixel_mm = _grid(shared)
    nyquist = 1 / (2 * pixel_mm)
    return (
        f"the {grid} ends at {nyquist:.2f} cycles/mm: most of the notch lies beyond" if centre_per_mm > nyquist else ""
    )


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

HIGHPASS = Perturbation(
    name="highpass",
    apply=highpass,
    parameter="wavelength_mm",
    unit="mm",
    unit_label="mm",
    integer_digits=2,
    severities=(32, 16, 8, 4, 2),
    valid=(0.01, 1000.0),
    nothing=math.inf,
    shares=("spectrum", "spacing_mm"),
    source="Complement of `lowpass`; wavelengths from half a breast's depth to the size of a coarse calcification.",
)

BANDSTOP = Perturbation(
    name="bandstop",
    apply=bandstop,
    parameter="centre_per_mm",
    unit="cycles/mm",
    unit_label="cpmm",
    decimals=3,
    set="extended",
    ladder="profile",
    severities=(0.125, 0.25, 0.5, 1, 2, 4),
    valid=(0.001, 50.0),
    nothing=0.0,
    shares=("spectrum", "spacing_mm"),
    flag=beyond_nyquist,
    source="Octave bands, as in critical-band masking: which detail a classifier rests on.",
)
