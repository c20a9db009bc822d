"""Perturbations of the single coefficients of the spatial spectrum: some removed, or their phases shifted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from mammo_fixtures.perturbations.keyed import Key


def fourier_field(key: Key, shape: tuple[int, int]) -> Tensor:
    """One number per coefficient of a real image's half spectrum, uniform in (−1, 1), float32 on the CPU.

    Conjugate coefficients, of which the half spectrum holds both in its first and, for an even number of columns, its
    last column, have opposite numbers. Coefficients that are their own conjugate, among them the mean, have zero.
    """
    from mammo_fixtures.perturbations.fields import uniform_field

    rows, columns = shape
    field = uniform_field(key, "fourier field", (rows, columns // 2 + 1)).mul_(2).sub_(1)
    pairs = (rows - 1) // 2
    for column in {0, columns // 2} if columns % 2 == 0 else {0}:
        field[rows - pairs :, column] = -field[1 : pairs + 1, column].flip(0)
        field[0, column] = 0
        if rows % 2 == 0:
            field[rows // 2, column] = 0
    return field


def fourier_mask(
    pixels: Tensor, *, kept: float, fourier: Tensor, fourier_field: Tensor, out: Tensor | None = None
) -> Tensor:
    """Each conjugate pair of Fourier coefficients kept with a probability; the mean always.

    The pairs kept at one severity are among those kept at any milder one. The up to three further coefficients that are
    their own conjugate, at the Nyquist frequencies, are no pair and stay.
    """
    import torch

    image: Tensor = torch.fft.irfft2(fourier * (fourier_field.abs() < kept), s=pixels.shape, out=out)
    return image


def phase_noise(
    pixels: Tensor, *, degrees: float, fourier: Tensor, fourier_field: Tensor, out: Tensor | None = None
) -> Tensor:
    """Each Fourier coefficient's phase shifted by a uniform number of degrees in ±w, amplitudes and mean kept.

    Conjugate coefficients are shifted by opposite angles, so that the image stays real.
    """
    import torch

    angle = fourier_field * math.radians(degrees)
    turns = torch.complex(torch.cos(angle), torch.sin(angle))
    image: Tensor = torch.fft.irfft2(turns.mul_(fourier), s=pixels.shape, out=out)
    return image


FOURIER_MASK = Perturbation(
    name="fourier_mask",
    apply=fourier_mask,
    parameter="kept",
    unit="of the coefficients kept",
    unit_label="kept",
    set="extended",
    severities=(0.95, 0.90, 0.80, 0.60, 0.40),
    valid=(0.0, 1.0),
    nothing=1.0,
    keyed=True,
    shares=("fourier", "fourier_field"),
    source="Random Fourier mask of Jo and Bengio 2017, arXiv:1711.11561: objects stay recognisable, statistics change.",
)

PHASE_NOISE = Perturbation(
    name="phase_noise",
    apply=phase_noise,
    parameter="degrees",
    unit="degrees",
    unit_label="deg",
    integer_digits=3,
    decimals=0,
    set="extended",
    severities=(15, 30, 60, 90, 120),
    valid=(0.0, 180.0),
    nothing=0.0,
    keyed=True,
    shares=("fourier", "fourier_field"),
    source="Phase noise of Geirhos et al. 2018, arXiv:1808.08750.",
)
