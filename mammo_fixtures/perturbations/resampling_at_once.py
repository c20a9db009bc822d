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
    wanted: NDArray[np.bool_],
    chest_wall: str,
    background: float,
    out: Tensor,
) -> Tensor:
    """The image as `source` places it, from the crops that begin at `origins`, and the `starts` of tiles in them.

    Tiles that are not `wanted` are background.
    """
    import torch

    (rows, columns), (down, across) = pixels.shape, wanted.shape
    if not wanted.any():
        return out.fill_(background)
    tall, wide = source.crop()
    # Asked of NumPy: a GPU would have to be waited for.
    chosen = tuple(_sent(index, pixels) for index in np.nonzero(wanted))
    steps, begins, firsts = (
        _sent(array, pixels) for array in (source.steps(), starts[wanted][..., 0, 0], origins[wanted])
    )
    row, column = (
        first[:, None] + torch.arange(n, device=pixels.device)
        for first, n in zip(firsts.unbind(1), (tall, wide), strict=True)
    )
    # The edge goes on beyond the chest wall; elsewhere the background comes in.
    there = (column < columns) if chest_wall == "left" else (column >= 0)
    there = ((row >= 0) & (row < rows))[:, :, None] & there[:, None]
    crops = pixels[row.clamp_(0, rows - 1)[:, :, None], column.clamp_(0, columns - 1)[:, None]]
    crops = torch.where(there, crops, background)[:, None]
    places = begins[:, :, None, None] + steps
    if source.displacement is not None:
        amount = source.amount * source.units()
        pad = (0, across * TILE - columns, 0, down * TILE - rows)
        shifts = torch.nn.functional.pad(source.displacement.permute(2, 0, 1), pad)
        shifts = shifts.view(2, down, TILE, across, TILE).permute(1, 3, 0, 2, 4)[chosen]
        places.addcmul_(shifts, _sent(amount.astype(np.float32)[:, None, None], pixels))
    tiles = torch.grid_sampler_2d(crops, places.permute(0, 2, 3, 1), BILINEAR, BORDER, True)[:, 0]
    whole = (down * TILE, across * TILE)
    fits = out.shape == whole and out.is_contiguous()
    canvas = out.fill_(background) if fits else out.new_full(whole, background)
    canvas.view(down, TILE, across, TILE).transpose(1, 2)[chosen] = tiles
    return out if canvas is out else out.copy_(canvas[:rows, :columns])


def _sent(array: NDArray[np.generic], like: Tensor) -> Tensor:
    """On the other tensor's device. Pinned, for else a GPU would be waited for before it is copied."""
    import torch

    here = torch.from_numpy(array)
    return here.pin_memory().to(like.device, non_blocking=True) if like.device.type == "cuda" else here.to(like.device)
