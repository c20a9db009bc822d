"""An image plus a multiple of what severities share: most of noise and several display curves are no more than that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.threads import in_bands

if TYPE_CHECKING:
    from torch import Tensor


def added(pixels: Tensor, other: Tensor, amount: float, out: Tensor | None) -> Tensor:
    """pixels + amount · other, in `out` or in fresh memory."""
    import torch

    out = torch.empty_like(pixels) if out is None else out
    in_bands(lambda rows: torch.add(pixels[rows], other[rows], alpha=amount, out=out[rows]), out)
    return out
