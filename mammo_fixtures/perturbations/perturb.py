"""Perturbs one view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.catalogue import PERTURBATIONS
from mammo_fixtures.perturbations.record import Perturbation
from mammo_fixtures.perturbations.shared import Shared

if TYPE_CHECKING:
    import torch

    from mammo_fixtures.exams import View


def perturb(
    view: View,
    name: str,
    severity: float | Sequence[float],
    *,
    seed: int = 0,
    device: str | torch.device = "cpu",
    quantise_bits: int | None = None,
) -> torch.Tensor:
    """A view under a perturbation, in fresh memory.

    One severity gives float32 (rows, columns); a sequence gives (severities, rows, columns), the shared work done
    once. The severity `nothing` of the record gives the clean pixels, bit for bit. `quantise_bits` rounds the result to
    that many bits, 1 to 16, and clips it to [0, 1], as storing it would.
    """
    import torch

    if quantise_bits is not None and quantise_bits not in range(1, 17):
        raise UnusableInput(f"quantise_bits must be a whole number from 1 to 16, or None, got {quantise_bits!r}")
    record = PERTURBATIONS[name]
    shared = Shared(view, device=device, seed=seed)
    several = isinstance(severity, Sequence)
    severities = tuple(severity) if isinstance(severity, Sequence) else (severity,)
    stack = torch.empty((len(severities), *view.shape), dtype=torch.float32, device=device)
    for image, each in zip(stack, severities, strict=True):
        apply(record, shared, each, out=image)
        if quantise_bits is not None:
            steps = 2**quantise_bits - 1
            image.clamp_(0, 1).mul_(steps).round_().div_(steps)
    return stack if several else stack[0]


def apply(record: Perturbation, shared: Shared, severity: float, out: torch.Tensor) -> torch.Tensor:
    """Fill `out` with the view under one severity; what severities share is taken from `shared`."""
    if math.isnan(severity):
        raise UnusableInput(f"{record.name}: {record.parameter} must be a number, got nan")
    severity = record.check(severity)
    if severity == record.nothing:
        return out.copy_(shared.pixels)
    record.apply(shared.pixels, **{record.parameter: severity}, **shared.of(record), out=out)
    return out
