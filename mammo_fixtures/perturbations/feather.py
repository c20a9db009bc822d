"""The soft edge under which contrast and brightness act, and the mean about which contrast does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.threads import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

FEATHER_MM = 2.0
_BAND = 184
"""Rows that a thread sums at a time; another number may change a mean's last bit."""


def feathered(mask: Tensor, mask_array: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> Tensor:
    """1 inside the breast, falling to 0 over the last 2 mm before its outline; exactly 0 in the background."""
    import torch

    from mammo_fixtures.perturbations.breast_mask import depth_mm

    coarse = torch.from_numpy(depth_mm(mask_array, spacing_mm)).div_(FEATHER_MM).clamp_(0, 1)
    fine = torch.nn.functional.interpolate(
        coarse[None, None].to(mask.device), size=mask.shape, mode="bilinear", align_corners=False
    )[0, 0]
    # Several times as fast as a product with the mask.
    return fine.masked_fill_(~mask, 0)


def breast_mean(pixels: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Mean of the breast, summed in float64; 0 where there is none."""

    def total(first: int) -> float:
        some = slice(first, first + _BAND)
        return float(pixels[some].sum(where=mask[some], dtype=np.float64))

    count = np.count_nonzero(mask)
    return sum(in_threads(total, range(0, pixels.shape[0], _BAND))) / count if count else 0.0
