"""Perturbations of processing and display."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.added import added
from mammo_fixtures.perturbations.equalisation import local_equalisation
from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from mammo_fixtures.exams import View


def contrast(pixels: Tensor, *, factor: float, breast_deviation: Tensor, out: Tensor | None = None) -> Tensor:
    """The breast's contrast scaled about its mean, inside the mask feathered over 2 mm; background kept."""
    return added(pixels, breast_deviation, factor - 1, out)


def brightness(pixels: Tensor, *, offset: float, feathered_mask: Tensor, out: Tensor | None = None) -> Tensor:
    """The breast made lighter, inside the mask feathered over 2 mm; background kept."""
    return added(pixels, feathered_mask, offset, out)


def gamma(pixels: Tensor, *, exponent: float, log_pixels: Tensor, out: Tensor | None = None) -> Tensor:
    """The display curve bent: x^γ, lighter where γ < 1. Values are first clipped to [0, 1], and stay there."""
    import torch

    # 2 to the γ·log₂ x: with the logarithm shared, several times as fast as a power. To the base e the background's −∞
    # would take a slow path.
    return torch.mul(log_pixels, exponent, out=out).exp2_()


def log_pixels(pixels: Tensor) -> Tensor:
    """Logarithm to the base 2 of the pixels clipped to [0, 1]; −∞ where they are 0."""
    import torch

    # The logarithm of 0 itself takes a slow path of its own.
    smallest = torch.finfo(torch.float32).tiny
    return pixels.clamp(smallest, 1).log2_().masked_fill_(pixels <= 0, -torch.inf)


def window(pixels: Tensor, *, fraction: float, window_centre: float, out: Tensor | None = None) -> Tensor:
    """A display window narrowed to a fraction of its width, as pixels: (x − c)/fraction + c, clipped to [0, 1].

    Its centre c stays: that of the view's first VOI window, else the breast's median. A classifier that applies the
    VOI afterwards sees exactly the narrower window; one that does not sees the full range narrowed about c.
    """
    import torch

    out = torch.mul(pixels, 1 / fraction, out=out)
    return out.add_(window_centre * (1 - 1 / fraction)).clamp_(0, 1)


def window_centre(view: View, mask: NDArray[np.bool_], background: float) -> float:
    """Centre of the view's first VOI window, as a fraction of its range, else the breast's median.

    Without a breast it is the background, which then stays as it is.
    """
    import numpy as np

    from mammo_fixtures.exams.voi import Window

    for voi in view.voi:
        if isinstance(voi, Window):
            return voi.as_fractions(view.intensity_range)[0]
    return float(np.median(view.pixels[mask])) if mask.any() else background


def fine_detail(pixels: Tensor, spectrum: Tensor, spacing_mm: tuple[float, float]) -> Tensor:
    """Pixels minus their blur by a Gaussian of 1 mm: the low-pass of wavelength 2π mm."""
    import torch

    from mammo_fixtures.perturbations.frequency import lowpass

    wavelength_mm = 2 * math.pi * SHARPENING_SIGMA_MM
    blurred = lowpass(pixels, wavelength_mm=wavelength_mm, spectrum=spectrum, spacing_mm=spacing_mm)
    return torch.sub(pixels, blurred, out=blurred)


def sharpening(pixels: Tensor, *, amount: float, fine_detail: Tensor, out: Tensor | None = None) -> Tensor:
    """Unsharp mask: x + amount · (x − x blurred by a Gaussian of 1 mm). The background near the skin goes negative."""
    return added(pixels, fine_detail, amount, out)


def bit_depth(pixels: Tensor, *, bits: float, out: Tensor | None = None) -> Tensor:
    """Fewer grey levels: clipped to [0, 1] and rounded to the nearest of 2^bits."""
    import torch

    steps = round(2**bits) - 1
    return torch.clamp(pixels, 0, 1, out=out).mul_(steps).round_().div_(steps)


CONTRAST = Perturbation(
    name="contrast",
    apply=contrast,
    parameter="factor",
    unit="of the contrast",
    unit_label="x",
    severities=(0.90, 0.75, 0.50, 0.30, 0.15),
    valid=(0.0, 4.0),
    nothing=1.0,
    may_cancel=True,
    shares=("breast_deviation",),
    source=(
        "Another vendor's processing or display curve, to first order; a classifier that standardises each image "
        "cancels it."
    ),
)

BRIGHTNESS = Perturbation(
    name="brightness",
    apply=brightness,
    parameter="offset",
    unit="of full scale",
    unit_label="fs",
    severities=(0.02, 0.05, 0.10, 0.20, 0.30),
    valid=(-1.0, 1.0),
    nothing=0.0,
    set="extended",
    may_cancel=True,
    shares=("feathered_mask",),
    source="An offset of the display curve; a classifier that standardises each image cancels it.",
)

_CURVES = "Display and film curves differ between vendors by such exponents; 2.2 is the exponent of common monitors."

GAMMA_LIGHTER = Perturbation(
    name="gamma_lighter",
    apply=gamma,
    parameter="exponent",
    unit="exponent",
    unit_label="g",
    severities=(0.90, 0.80, 0.65, 0.50, 0.40),
    valid=(0.1, 1.0),
    nothing=1.0,
    shares=("log_pixels",),
    source=_CURVES,
)

GAMMA_DARKER = Perturbation(
    name="gamma_darker",
    apply=gamma,
    parameter="exponent",
    unit="exponent",
    unit_label="g",
    severities=(1.10, 1.25, 1.50, 2.00, 2.50),
    valid=(1.0, 10.0),
    nothing=1.0,
    shares=("log_pixels",),
    source=_CURVES,
)

WINDOW = Perturbation(
    name="window",
    apply=window,
    parameter="fraction",
    unit="of the width",
    unit_label="w",
    severities=(0.90, 0.75, 0.60, 0.45, 0.30),
    valid=(0.01, 1.0),
    nothing=1.0,
    set="extended",
    shares=("window_centre",),
    source="Window width as set by hand or by another preset; centre and width as in PS3.3 C.11.2.1.2.",
)


SHARPENING_SIGMA_MM = 1.0
"""Standard deviation of the blur that sharpening subtracts."""

SHARPENING = Perturbation(
    name="sharpening",
    apply=sharpening,
    parameter="amount",
    unit="of the fine detail",
    unit_label="x",
    severities=(0.25, 0.5, 1, 2, 4),
    valid=(0.0, 20.0),
    nothing=0.0,
    set="extended",
    shares=("fine_detail",),
    source="Edge enhancement by another vendor's processing; severities double.",
)

LOCAL_EQUALISATION = Perturbation(
    name="local_equalisation",
    apply=local_equalisation,
    parameter="clip_limit",
    unit="of a tile's pixels in one grey level",
    unit_label="clip",
    decimals=3,
    severities=(0.002, 0.005, 0.01, 0.02, 0.04),
    valid=(1e-5, 1.0),
    nothing=0.0,
    set="extended",
    shares=("mask", "breast_box", "equalisation"),
    source="Contrast-limited adaptive histogram equalisation: Pizer et al. 1987, 10.1016/S0734-189X(87)80186-X.",
)

FEWEST_BITS_STORED = 8
"""In PNG and JPEG, and in what a classifier reads: one that keeps less of an image is a fault to be told."""

BIT_DEPTH = Perturbation(
    name="bit_depth",
    apply=bit_depth,
    parameter="bits",
    unit="bits",
    unit_label="bit",
    integer_digits=2,
    decimals=0,
    severities=(10, 8, 7, 6, 5),
    valid=(1, 24),
    nothing=math.inf,
    set="extended",
    may_cancel=True,
    may_cancel_from=FEWEST_BITS_STORED,
    source=(
        "Export to fewer bits: 10 in many viewers, 8 in PNG and JPEG, fewer as a stress test. A view or a classifier "
        "that has no more bits itself cancels it."
    ),
)
