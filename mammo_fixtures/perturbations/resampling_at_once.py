"""Bilinear resampling in a few calls, whose start is most of what a GPU takes; the arithmetic of `resampling`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.source_map import TILE, SourceMap

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

BILINEAR, BORDER = 0, 1
"""As torch numbers them; no place lies beyond its crop."""


def all_tiles(
    pixels: Tensor,
    source: SourceMap,
    origins: NDArray[np.int64],
    starts: NDArray[np.float32],
    chest_wall: str,
    background: float,
    out: Tensor,
) -> Tensor:
    """The image as `source` places it, from the crops that begin at `origins`, and the `starts` of tiles in them."""
    import torch

    (rows, columns), (down, across) = pixels.shape, origins.shape[:2]
    tall, wide = source.crop()
    steps, begins, firsts = (
        _sent(array, pixels) for array in (source.steps(), starts.reshape(-1, 2, 1, 1), origins.reshape(-1, 2, 1))
    )
    row, column = (
        first + torch.arange(n, device=pixels.device) for first, n in zip(firsts.unbind(1), (tall, wide), strict=True)
    )
    # The edge goes on beyond the chest wall; elsewhere the background comes in.
    there = (column < columns) if chest_wall == "left" else (column >= 0)
    there = ((row >= 0) & (row < rows))[:, :, None] & there[:, None]
    place = row.clamp_(0, rows - 1).mul_(columns)[:, :, None] + column.clamp_(0, columns - 1)[:, None]
    crops = torch.where(there, pixels.take(place), background)[:, None]
    places = begins + steps
    if source.displacement is not None:
        amount = source.amount * source.units()
        pad = (0, across * TILE - columns, 0, down * TILE - rows)
        shifts = torch.nn.functional.pad(source.displacement.permute(2, 0, 1), pad)
        shifts = shifts.view(2, down, TILE, across, TILE).permute(1, 3, 0, 2, 4).reshape(-1, 2, TILE, TILE)
        places.addcmul_(shifts, _sent(amount.astype(np.float32)[:, None, None], pixels))
    tiles = torch.grid_sampler_2d(crops, places.permute(0, 2, 3, 1), BILINEAR, BORDER, True)
    whole = tiles.view(down, across, TILE, TILE).transpose(1, 2).reshape(down * TILE, across * TILE)
    return out.copy_(whole[:rows, :columns])


def _sent(array: NDArray[np.generic], like: Tensor) -> Tensor:
    """On the other tensor's device. Pinned, for else a GPU would be waited for before it is copied."""
    import torch

    here = torch.from_numpy(array)
    return here.pin_memory().to(like.device, non_blocking=True) if like.device.type == "cuda" else here.to(like.device)
