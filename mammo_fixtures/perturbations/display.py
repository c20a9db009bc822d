"""Perturbations of processing and display."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from torch import Tensor


def contrast(pixels: Tensor, *, factor: float, breast_deviation: Tensor, out: Tensor | None = None) -> Tensor:
    """The breast's contrast scaled about its mean, inside the mask feathered over 2 mm; background kept."""
    import torch

    return torch.add(pixels, breast_deviation, alpha=factor - 1, out=out)


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
