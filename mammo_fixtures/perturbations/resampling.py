"""Bilinear resampling: every new pixel from where it lay before.

The image is made tile by tile, so that coordinates are short: a float32 keeps a place among 180 pixels to 1.5e-5 of a
pixel, among 3,000 ten times worse. Tiles below each other are sampled in one call, straight from the image where
their sources lie in it; at its edges the background and the chest wall's edge are filled in first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.threads import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

TILE = 128
"""Side of a tile, pixels."""
_AT_ONCE = 16
"""Tiles in one call: enough that calls are few, for threads wait for each other between them."""
_SLACK = _AT_ONCE // 2 + 1
"""Pixels by which the crops of one call, evenly spaced by whole pixels, may miss the sources, which are not."""
_BACKGROUND, _AT_EDGE, _INSIDE = 0, 1, 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Content:
    """Where an image is not background, in blocks."""

    blocks: NDArray[np.bool_]
    """Whether any pixel of the block is not background."""
    step: tuple[int, int]
    """Rows and columns of a block; the last ones may reach beyond the image."""

    @cached_property
    def _sums(self) -> NDArray[np.int64]:
        """Over all blocks above and to the left."""
        return np.pad(self.blocks.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))

    def within(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether boxes of pixels hold content; `first` and `last` (included) are (2, …) as rows and columns."""
        shape = np.array(self.blocks.shape).reshape(2, *[1] * (first.ndim - 1))
        step = np.array(self.step).reshape(shape.shape)
        low, high = np.clip(first // step, 0, shape), np.clip(last // step + 1, 0, shape)
        sums = self._sums
        found = sums[high[0], high[1]] - sums[low[0], high[1]] - sums[high[0], low[1]] + sums[low[0], low[1]]
        return np.asarray((found > 0) & (high > low).all(axis=0))


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
        """Side of a square that holds the source of any tile, wherever it lies in its call."""
        longest = max(sum(abs(step) for step in line) for line in self.matrix) * (TILE - 1)
        # One pixel for the fraction at the start, one for the neighbour at the end, one for rounding.
        return math.ceil(longest + 2 * abs(self.amount)) + 3 + 2 * _SLACK

    def steps(self) -> NDArray[np.float32]:
        """Source of each pixel of a whole tile, (rows, 2 × columns) as column, row, …, from its first pixel's.

        In units where the crop's side is 2 long, as grid_sample wants it.
        """
        index = np.arange(TILE)
        down, right = (np.multiply.outer(index, [line[k] for line in reversed(self.matrix)]) for k in (0, 1))
        places = (down[:, None] + right[None]) * (2 / (self.crop_side() - 1))
        return places.astype(np.float32).reshape(TILE, 2 * TILE)

    def of(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Source of pixels without the displacement, (2, …)."""
        return np.stack([a * rows + b * columns + c for (a, b), c in zip(self.matrix, self.offset, strict=True)])

    def boxes(self, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last pixel that each tile reads, (2, tiles down, tiles across) as rows and columns."""
        (top, bottom), (left, right) = ((start, np.minimum(start + TILE, n) - 1) for start, n in _starts(shape))
        corners = np.stack([self.of(r, c) for r in (top, bottom) for c in (left, right)])
        first = np.floor(corners.min(axis=0) - abs(self.amount)).astype(np.int64)
        last = np.floor(corners.max(axis=0) + abs(self.amount)).astype(np.int64) + 1
        return first, last


@dataclass(frozen=True, slots=True)
class _Run:
    """Tiles below each other that are made in one call."""

    state: int
    across: int
    down: int
    count: int


def resample(
    pixels: Tensor,
    source: SourceMap,
    *,
    chest_wall: str,
    background: float,
    content: Content | None,
    out: Tensor | None,
) -> Tensor:
    """The image as `source` places it; revealed chest-wall pixels repeat the edge pixel, elsewhere background.

    Tiles that come from where there is no `content` are filled, not computed; None: all are computed.
    """
    import torch

    out = torch.empty_like(pixels) if out is None else out
    first, last = source.boxes(pixels.shape)
    shape = (pixels.shape[0], pixels.shape[1])
    states = _states(first, last, shape, source.crop_side(), chest_wall, content)
    # Rows one after another in memory, as crops are addressed.
    pixels = pixels.contiguous()
    sampler = _Sampler(pixels=pixels, source=source, first=first, chest_wall=chest_wall, background=background, out=out)
    columns = iter([list(_runs(column, across, shape[0])) for across, column in enumerate(states.T.tolist())])
    # Each thread takes the next column of tiles: no step waits for all threads, which costs dear on a busy machine.
    threads = torch.get_num_threads() if pixels.device.type == "cpu" else 1
    in_threads(lambda _: sampler.make(run for runs in columns for run in runs), range(threads))
    return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sampler:
    """Makes runs of tiles."""

    pixels: Tensor
    source: SourceMap
    first: NDArray[np.int64]
    """First pixel that each tile reads."""
    chest_wall: str
    background: float
    out: Tensor

    def make(self, runs: Iterable[_Run]) -> None:
        import torch

        (rows, columns), side, device = self.pixels.shape, self.source.crop_side(), self.pixels.device
        steps = torch.from_numpy(self.source.steps()).to(device)
        field = None if self.source.displacement is None else self.source.displacement.reshape(rows, -1)
        scale = 2 / (side - 1)
        places = torch.empty(_AT_ONCE * TILE * TILE * 2, device=device)
        crops = torch.empty((_AT_ONCE, 1, side, side), device=device)
        for run in runs:
            top, left, count = run.down * TILE, run.across * TILE, run.count
            height, width = min(TILE, rows - top), min(TILE, columns - left)
            part = slice(top, top + count * height), slice(left, left + width)
            tiles = self.out[part].view(count, height, width)
            if run.state == _BACKGROUND:
                tiles.fill_(self.background)
                continue
            origins = self._origins(run)
            corners = self.source.of(top + TILE * np.arange(count), np.full(count, left)) - origins.T
            starts = torch.from_numpy((corners[::-1].T * scale - 1).astype(np.float32)).to(device)
            place = places[: count * height * width * 2].view(count, height, 2 * width)
            # As long rows of numbers: adding pairs would take four times as long.
            torch.add(steps[:height, : 2 * width], starts.repeat(1, width)[:, None], out=place)
            if field is not None:
                shifts = field[part[0], 2 * left : 2 * (left + width)].view(count, height, 2 * width)
                place.add_(shifts, alpha=self.source.amount * scale)
            seen = self._seen(run, origins, crops)
            sampled = torch.grid_sampler_2d(seen, place.view(count, height, width, 2), _BILINEAR, _ZEROS, True)
            tiles.copy_(sampled[:, 0])

    def _origins(self, run: _Run) -> NDArray[np.int64]:
        """First row and column of each tile's crop: whole pixels from one to the next."""
        pace = np.array([round(line[0] * TILE) for line in self.source.matrix], dtype=np.int64)
        begin: NDArray[np.int64] = self.first[:, run.down, run.across] - _SLACK
        return np.asarray(begin + np.multiply.outer(np.arange(run.count), pace), dtype=np.int64)

    def _seen(self, run: _Run, origins: NDArray[np.int64], crops: Tensor) -> Tensor:
        """The tiles' crops, (tiles, 1, side, side): the image itself where they lie in it, else copies."""
        side, columns = crops.shape[-1], self.pixels.shape[1]
        at = origins @ np.array([columns, 1])
        stride = int(at[1] - at[0]) if run.count > 1 else 0
        if run.state == _INSIDE and stride >= 0:
            return self.pixels.as_strided((run.count, 1, side, side), (stride, 0, columns, 1), int(at[0]))
        for crop, (top, left) in zip(crops, origins.tolist(), strict=False):
            _fill(crop[0], self.pixels, (top, left), self.chest_wall, self.background)
        return crops[: run.count]


_BILINEAR, _ZEROS = 0, 0


def _starts(shape: tuple[int, ...]) -> list[tuple[NDArray[np.int64], int]]:
    """First rows of tiles as a column, first columns as a row, each with the image's length."""
    return [(np.arange(0, shape[0], TILE)[:, None], shape[0]), (np.arange(0, shape[1], TILE)[None], shape[1])]


def _states(
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    shape: tuple[int, int],
    side: int,
    chest_wall: str,
    content: Content | None,
) -> NDArray[np.int64]:
    """What each tile reads: background only, pixels beyond the image's edge too, or the image alone."""
    limits = np.array(shape).reshape(2, 1, 1)
    low = first - 2 * _SLACK
    inside = (low >= 0).all(axis=0) & (low + side + 2 * _SLACK <= limits).all(axis=0)
    states = np.where(inside, _INSIDE, _AT_EDGE)
    if content is None:
        return states
    # The edge pixels at the chest wall are repeated beyond it without end.
    first, last = first.copy(), last.copy()
    if chest_wall == "left":
        last[1] = np.maximum(last[1], 0)
    else:
        first[1] = np.minimum(first[1], shape[1] - 1)
    return np.where(content.within(first, last), states, _BACKGROUND)


def _runs(column: list[int], across: int, rows: int) -> Iterator[_Run]:
    """Runs of tiles in one state; a last tile that is not whole is a run of its own."""
    whole, down = rows // TILE, 0
    while down < len(column):
        end = down + 1
        most = len(column) if column[down] == _BACKGROUND else down + _AT_ONCE
        while end < min(whole, most) and column[end] == column[down]:
            end += 1
        yield _Run(column[down], across, down, end - down)
        down = end


def _fill(crop: Tensor, pixels: Tensor, origin: tuple[int, int], chest_wall: str, background: float) -> None:
    """The image from `origin` on, and what lies beyond its edges."""
    side = crop.shape[0]
    (rows, columns), (top, left) = pixels.shape, origin
    first, last = max(top, 0), min(top + side, rows)
    near, far = max(left, 0), min(left + side, columns)
    if last - first < side or far - near < side:
        crop.fill_(background)
    if first >= last:
        return
    lines = crop[first - top : last - top]
    if near < far:
        lines[:, near - left : far - left] = pixels[first:last, near:far]
    if chest_wall == "left" and left < 0:
        lines[:, : min(-left, side)] = pixels[first:last, :1]
    if chest_wall == "right" and left + side > columns:
        lines[:, max(columns - left, 0) :] = pixels[first:last, -1:]
