"""Contrast-limited adaptive histogram equalisation (CLAHE) in floating point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.breast_mask import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

TILES = 8
"""Tiles along each side of the breast's box."""
LEVELS = 256
"""Grey levels that are counted; values between them are mapped in between, not rounded."""
_BAND = 128
"""Rows mapped at a time: their coordinates then stay in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Equalisation:
    """What all clip limits share: the breast's range and, tile by tile, the share of its pixels in each level."""

    low: float
    high: float
    shares: NDArray[np.float64]
    """(tiles down, tiles across, levels), each tile's sum is 1."""

    def curves(self, clip_limit: float) -> NDArray[np.float32]:
        """New fraction of the range at the levels' borders: (levels + 1, tiles down, tiles across), from 0 to 1."""
        clipped = np.minimum(self.shares, clip_limit)
        clipped += (1 - clipped.sum(axis=2, keepdims=True)) / LEVELS
        borders = np.zeros((LEVELS + 1, *clipped.shape[:2]))
        np.cumsum(np.moveaxis(clipped, 2, 0), axis=0, out=borders[1:])
        return borders.astype(np.float32)


def equalisation_of(pixels: NDArray[np.float32], mask: NDArray[np.bool_], box: Box) -> Equalisation:
    """Histograms of the breast's pixels in the tiles of its box; a tile without any is left as it is."""
    top, bottom, left, right = box
    inside = mask[top:bottom, left:right]
    values = pixels[top:bottom, left:right][inside]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    level = np.zeros(values.shape, dtype=np.int64)
    if high > low:
        level = np.minimum((values - low) * (LEVELS / (high - low)), LEVELS - 1).astype(np.int64)
    down = np.arange(bottom - top) * TILES // max(bottom - top, 1)
    across = np.arange(right - left) * TILES // max(right - left, 1)
    tile = np.broadcast_to(down[:, None] * TILES + across, inside.shape)[inside]
    counts = np.bincount(tile * LEVELS + level, minlength=TILES * TILES * LEVELS).reshape(TILES, TILES, LEVELS)
    total = counts.sum(axis=2, keepdims=True)
    return Equalisation(low=low, high=high, shares=np.where(total, counts / np.maximum(total, 1), 1 / LEVELS))


def local_equalisation(
    pixels: Tensor,
    *,
    clip_limit: float,
    mask: Tensor,
    breast_box: Box,
    equalisation: Equalisation,
    out: Tensor | None = None,
) -> Tensor:
    """Local contrast raised as another vendor's processing might; inside the breast only, its range kept.

    Each of 8 × 8 tiles of the breast's box has a curve: the cumulated histogram of its breast pixels in 256 levels,
    none of which may hold more than the clip limit; the excess is shared out evenly once. A pixel's value is
    interpolated between the curves of the four nearest tiles and between levels. A limit of 0 makes all curves
    straight: the identity. A grey value that lies on the border of two levels is counted in the one that its float32
    falls in, which may be either; so another implementation may differ by a share of the clip limit there.
    """
    import torch

    out = torch.empty_like(pixels) if out is None else out
    out.copy_(pixels)
    low, high = equalisation.low, equalisation.high
    if not high > low:
        return out
    top, bottom, left, right = breast_box
    curves = torch.from_numpy(equalisation.curves(clip_limit)).to(pixels.device)[None, None]
    across = _middles(right - left, pixels)
    down = _middles(bottom - top, pixels)
    for start in range(top, bottom, _BAND):
        end = min(start + _BAND, bottom)
        rows = slice(start, end)
        place = torch.empty((1, 1, end - start, right - left, 3), dtype=torch.float32, device=pixels.device)
        place[..., 0] = across
        place[..., 1] = down[start - top : end - top, None]
        # The levels' borders are the volume's nodes: border e lies at (2e + 1) / (levels + 1) − 1.
        scale = 2 * LEVELS / ((LEVELS + 1) * (high - low))
        fraction = (pixels[rows, left:right] - low).mul_(scale)
        torch.add(fraction, 1 / (LEVELS + 1) - 1, out=place[0, 0, ..., 2])
        mapped = torch.nn.functional.grid_sample(curves, place, padding_mode="border", align_corners=False)[0, 0, 0]
        mapped = mapped.mul_(high - low).add_(low)
        out[rows, left:right] = torch.where(mask[rows, left:right], mapped, pixels[rows, left:right])
    return out


def _middles(count: int, like: Tensor) -> Tensor:
    """Middles of pixels along a box that spans −1 … 1."""
    import torch

    return (torch.arange(count, dtype=torch.float32, device=like.device) * 2 + 1) / count - 1
