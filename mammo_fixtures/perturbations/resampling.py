"""Bilinear resampling: every new pixel from where it lay before.

The image is made tile by tile. A tile's source is first copied into a small crop, background and the chest wall's edge
filled in, so that the interpolation reads from the processor's cache and coordinates are short: a float32 keeps a place
among 300 pixels to 3e-5 of a pixel, among 3,000 ten times worse. Other devices take the same coordinates all at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.threads import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

TILE = 192
"""Side of a tile, pixels: crop, coordinates and result then fit a core's second-level cache."""

Content = tuple[int, int, int, int]
"""First row, row past the last, first column, column past the last, of what is not background."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceMap:
    """Where each new pixel comes from, in pixels: matrix · (row, column) + offset, and a displacement on top."""

    matrix: tuple[tuple[float, float], tuple[float, float]]
    offset: tuple[float, float]
    displacement: Tensor | None = None
    """(rows, columns, 2) as (column, row), none beyond −1 … 1."""
    amount: float = 0.0
    """Pixels that 1 in the displacement stands for."""

    def crop_side(self) -> int:
        """Side of a square that holds the source of any tile."""
        longest = max(sum(abs(step) for step in line) for line in self.matrix) * (TILE - 1)
        # One pixel for the fraction at the start, one for the neighbour at the end, one for rounding.
        return math.ceil(longest + 2 * abs(self.amount)) + 3

    def origin(self, row: int, column: int, height: int, width: int) -> tuple[int, int]:
        """First row and column of the crop for the tile at this place."""
        first = []
        for line, start in zip(self.matrix, self.offset, strict=True):
            corner = line[0] * row + line[1] * column + start
            corner += min(0.0, line[0] * (height - 1)) + min(0.0, line[1] * (width - 1))
            first.append(math.floor(corner - abs(self.amount)))
        return first[0], first[1]

    def steps(self) -> NDArray[np.float32]:
        """Source of each pixel of a whole tile, (rows, columns, 2) as (column, row), from the tile's first pixel's.

        In units where the crop's side is 2 long, as grid_sample wants it.
        """
        index = np.arange(TILE)
        down, right = (np.multiply.outer(index, [line[k] for line in reversed(self.matrix)]) for k in (0, 1))
        return ((down[:, None] + right[None]) * (2 / (self.crop_side() - 1))).astype(np.float32)

    def start(self, row: int, column: int, origin: tuple[int, int]) -> tuple[float, float]:
        """Source of the tile's first pixel in its crop, (column, row), scaled to −1 … 1."""
        scale = 2 / (self.crop_side() - 1)
        by_row, by_column = (
            (line[0] * row + line[1] * column + offset - first) * scale - 1
            for line, offset, first in zip(self.matrix, self.offset, origin, strict=True)
        )
        return by_column, by_row


def resample(
    pixels: Tensor,
    source: SourceMap,
    *,
    chest_wall: str,
    background: float,
    content: Content,
    out: Tensor | None,
) -> Tensor:
    """The image as `source` places it; revealed chest-wall pixels repeat the edge pixel, elsewhere background.

    `content` is the box outside which `pixels` are background: tiles that come from there are filled, not computed.
    """
    import torch

    out = torch.empty_like(pixels) if out is None else out
    if pixels.device.type != "cpu":
        for rows in _starts(pixels.shape[0]):
            _band_elsewhere(pixels, source, rows, chest_wall, background, out)
        return out
    bands = iter(_starts(pixels.shape[0]))
    # Each thread takes the next band of tiles: no step waits for all threads, which costs dear on a busy machine.
    in_threads(
        lambda _: _bands(pixels, source, bands, chest_wall, background, content, out), range(torch.get_num_threads())
    )
    return out


def _starts(size: int) -> range:
    return range(0, size, TILE)


def _bands(
    pixels: Tensor,
    source: SourceMap,
    bands: Iterator[int],
    chest_wall: str,
    background: float,
    content: Content,
    out: Tensor,
) -> None:
    """Bands of tiles on the CPU, as long as there are any."""
    import torch

    array, result = pixels.numpy(), out.numpy()
    side = source.crop_side()
    field = None if source.displacement is None else source.displacement.numpy().reshape(array.shape[0], -1)
    amount = np.float32(2 * source.amount / (side - 1))
    crop = np.empty((side, side), dtype=np.float32)
    places = np.empty(TILE * TILE * 2, dtype=np.float32)
    steps = source.steps().reshape(TILE, 2 * TILE)
    start = np.empty(2 * TILE, dtype=np.float32)
    crop_tensor = torch.from_numpy(crop)[None, None]
    for row in bands:
        height = min(TILE, array.shape[0] - row)
        for column in _starts(array.shape[1]):
            width = min(TILE, array.shape[1] - column)
            origin = source.origin(row, column, height, width)
            tile = result[row : row + height, column : column + width]
            if _beyond(content, origin, side, chest_wall, array.shape[1]):
                tile.fill(background)
                continue
            _fill(crop, array, origin, chest_wall, background)
            place = places[: height * width * 2].reshape(height, width * 2)
            # As one long row of numbers: adding pairs would take four times as long.
            start[::2], start[1::2] = source.start(row, column, origin)
            np.add(steps[:height, : 2 * width], start[: 2 * width], out=place)
            if field is not None:
                place += field[row : row + height, 2 * column : 2 * (column + width)] * amount
            grid = torch.from_numpy(place.reshape(1, height, width, 2))
            tile[...] = torch.nn.functional.grid_sample(crop_tensor, grid, align_corners=True)[0, 0].numpy()


def _beyond(content: Content, origin: tuple[int, int], side: int, chest_wall: str, columns: int) -> bool:
    """Whether a crop sees background only."""
    top, bottom, left, right = content
    if top >= bottom:
        return True
    # The edge pixels at the chest wall are repeated beyond it without end.
    endless_left = left == 0 and chest_wall == "left"
    endless_right = right == columns and chest_wall == "right"
    return (
        origin[0] >= bottom
        or origin[0] + side <= top
        or (origin[1] >= right and not endless_right)
        or (origin[1] + side <= left and not endless_left)
    )


def _fill(
    crop: NDArray[np.float32], array: NDArray[np.float32], origin: tuple[int, int], chest_wall: str, background: float
) -> None:
    side = crop.shape[0]
    (rows, columns), (top, left) = array.shape, origin
    first, last = max(top, 0), min(top + side, rows)
    near, far = max(left, 0), min(left + side, columns)
    if last - first < side or far - near < side:
        crop.fill(background)
    if first >= last:
        return
    lines = crop[first - top : last - top]
    if near < far:
        lines[:, near - left : far - left] = array[first:last, near:far]
    if chest_wall == "left" and left < 0:
        lines[:, : min(-left, side)] = array[first:last, :1]
    if chest_wall == "right" and left + side > columns:
        lines[:, max(columns - left, 0) :] = array[first:last, -1:]


def _band_elsewhere(
    pixels: Tensor, source: SourceMap, row: int, chest_wall: str, background: float, out: Tensor
) -> None:
    """One band of tiles on any device, with the tiles' own coordinates: the same float32 steps as grid_sample's."""
    import torch

    height, side = min(TILE, pixels.shape[0] - row), source.crop_side()
    starts, origins = [], []
    for column in _starts(pixels.shape[1]):
        width = min(TILE, pixels.shape[1] - column)
        origin = source.origin(row, column, height, width)
        starts.append(np.tile(np.array(source.start(row, column, origin), dtype=np.float32), (width, 1)))
        origins.append(np.tile(origin, (width, 1)))
    tops, lefts = torch.from_numpy(np.concatenate(origins)).to(pixels.device).unbind(-1)
    steps = torch.from_numpy(source.steps()[:height]).to(pixels.device)
    place = steps.repeat(1, len(starts), 1)[:, : pixels.shape[1]]
    place = place + torch.from_numpy(np.concatenate(starts)).to(pixels.device)
    if source.displacement is not None:
        place = place + source.displacement[row : row + height] * float(np.float32(2 * source.amount / (side - 1)))
    place = (place + 1) * ((side - 1) / 2)
    whole = place.floor()
    (right_share, down_share), (across, down) = (place - whole).unbind(-1), whole.long().unbind(-1)
    band = torch.zeros_like(right_share)
    for below in (0, 1):
        for beside in (0, 1):
            share = (right_share if beside else 1 - right_share) * (down_share if below else 1 - down_share)
            band += share * _values(pixels, down + below + tops, across + beside + lefts, chest_wall, background)
    out[row : row + height] = band


def _values(pixels: Tensor, rows: Tensor, columns: Tensor, chest_wall: str, background: float) -> Tensor:
    inside = (rows >= 0) & (rows < pixels.shape[0])
    if chest_wall != "left":
        inside &= columns >= 0
    if chest_wall != "right":
        inside &= columns < pixels.shape[1]
    values = pixels[rows.clamp(0, pixels.shape[0] - 1), columns.clamp(0, pixels.shape[1] - 1)]
    return values.where(inside, background)
