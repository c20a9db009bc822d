"""Perturbations of the exposure and the detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from torch import Tensor


def gaussian_noise(pixels: Tensor, *, sigma: float, normal_field: Tensor, out: Tensor | None = None) -> Tensor:
    """Electronic noise everywhere, the background too: x + σz, z the view's standard-normal field."""
    import torch

    return torch.add(pixels, normal_field, alpha=sigma, out=out)


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
    keyed=True,
    shares=("normal_field",),
    source="White additive noise of the detector's electronics; severities double from 1/200 of full scale.",
)
