"""Bilinear resampling: every new pixel from where it lay before.

The image is made tile by tile, so that coordinates are short: a float32 keeps a place among 180 pixels to 1.5e-5 of a
pixel, among 3,000 ten times worse. Tiles beside each other are made in one call, so that long stretches of memory are
written. Each tile's source is copied together first, for a slanted line runs through many rows; at the image's edges
the background and the chest wall's edge are filled in. Memory takes longer than sampling does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mammo_fixtures.perturbations.resampling_at_once import BILINEAR, BORDER, all_tiles
from mammo_fixtures.perturbations.source_map import AT_ONCE, SLACK, TILE, SourceMap

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mammo_fixtures.perturbations.content import Content

_BACKGROUND, _AT_EDGE, _INSIDE = 0, 1, 2


class _Run(NamedTuple):
    """Tiles beside each other that are made in one call."""

    state: int
    down: int
    across: int
    """The first tile's place among tiles."""
    tiles: int
    height: int
    width: int
    """Of each piece, pixels."""

    @property
    def top(self) -> int:
        return self.down * TILE

    @property
    def left(self) -> int:
        return self.across * TILE

    @property
    def pieces(self) -> int:
        """Pieces of memory: background is filled in one, whatever its tiles."""
        return 1 if self.state == _BACKGROUND else self.tiles


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
    shape = (pixels.shape[0], pixels.shape[1])
    first, last = source.boxes(shape)
    states = _states(first, last, shape, source.crop(), chest_wall, content)
    runs = [run for down, line in enumerate(states.tolist()) for run in _runs(line, down, shape)]
    origins = _origins(source, first, runs)
    starts = _starts(source, origins)
    if not _by_tiles(pixels):
        return all_tiles(pixels, source, origins, starts, states != _BACKGROUND, chest_wall, background, out)
    _Sampler(
        # Rows one after another in memory, as crops are addressed.
        pixels=pixels.contiguous(),
        source=source,
        origins=origins.tolist(),
        steps=torch.from_numpy(source.steps()),
        starts=torch.from_numpy(starts),
        chest_wall=chest_wall,
        background=background,
        out=out,
    ).make(runs)
    return out


def _by_tiles(pixels: Tensor) -> bool:
    return pixels.device.type == "cpu"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sampler:
    """Makes runs of tiles on a CPU, one after another, each step of a run by all of torch's threads.

    Threads of our own, with a run each, wait for the interpreter more than they win. For the same reason a run is few
    calls: what lies in memory is addressed by its place there, in one call, not cut out step by step.
    """

    pixels: Tensor
    source: SourceMap
    origins: list[list[list[int]]]
    """First row and column of each tile's crop, by tiles down and across."""
    steps: Tensor
    starts: Tensor
    """Source of each tile's first pixel in its crop, (tiles down, tiles across, 2, 1, 1) as column and row."""
    chest_wall: str
    background: float
    out: Tensor

    def make(self, runs: list[_Run]) -> None:
        import torch

        down, across = self.out.stride()
        field = None if self.source.displacement is None else self.source.displacement.permute(2, 0, 1)
        amount = torch.tensor(self.source.amount * self.source.units(), dtype=torch.float32)
        places = torch.empty(AT_ONCE * 2 * TILE * TILE)
        crops = torch.empty((AT_ONCE, 1, *self.source.crop()))
        rooms: dict[tuple[int, int, int], tuple[Tensor, Tensor, Tensor, Tensor]] = {}
        for run in runs:
            size = count, height, width = run.pieces, run.height, run.width
            new = self.out.as_strided(
                (count, 1, height, width),
                (width * across, 0, down, across),
                self.out.storage_offset() + run.top * down + run.left * across,
            )
            if run.state == _BACKGROUND:
                new.fill_(self.background)
                continue
            if size not in rooms:
                place = places[: count * 2 * height * width].view(count, 2, height, width)
                rooms[size] = place, place.permute(0, 2, 3, 1), self.steps[:, :height, :width], crops[:count]
            place, grid, steps, room = rooms[size]
            torch.add(steps, self.starts[run.down, run.across : run.across + count], out=place)
            if field is not None:
                shifts = field[:, run.top : run.top + height, run.left : run.left + count * width]
                place.addcmul_(shifts.view(2, height, count, width).permute(2, 0, 1, 3), amount[:, None, None])
            new.copy_(torch.grid_sampler_2d(self._seen(run, room), grid, BILINEAR, BORDER, True))

    def _seen(self, run: _Run, crops: Tensor) -> Tensor:
        """The tiles' crops, (tiles, 1, rows, columns)."""
        columns, origins = self.pixels.shape[1], self.origins[run.down][run.across : run.across + run.pieces]
        at = [top * columns + left for top, left in origins[:2]]
        stride = at[-1] - at[0]
        if run.state == _INSIDE and stride >= 0:
            strides = stride, 0, columns, 1
            there = self.pixels.as_strided(crops.shape, strides, self.pixels.storage_offset() + at[0])
            # Displaced tiles have wide crops and straight lines.
            return crops.copy_(there) if self.source.displacement is None else there
        for crop, origin in zip(crops, origins, strict=True):
            _fill(crop[0], self.pixels, origin, self.chest_wall, self.background)
        return crops


def _origins(source: SourceMap, first: NDArray[np.int64], runs: list[_Run]) -> NDArray[np.int64]:
    """First row and column of each tile's crop: whole pixels from one to the next in a run, as strides must be."""
    pace = np.array([round(line[1] * TILE) for line in source.matrix], dtype=np.int64)
    counts = np.array([run.tiles for run in runs])
    begins = np.repeat([run.across for run in runs], counts).reshape(first.shape[1:])
    downs, acrosses = np.ogrid[: first.shape[1], : first.shape[2]]
    origins = np.moveaxis(first[:, downs, begins], 0, -1) - SLACK + (acrosses - begins)[..., None] * pace
    return np.asarray(origins)


def _starts(source: SourceMap, origins: NDArray[np.int64]) -> NDArray[np.float32]:
    down, across = (TILE * np.arange(count) for count in origins.shape[:2])
    corners = np.moveaxis(source.of(down[:, None], across[None]), 0, -1) - origins
    return (corners[..., ::-1] * source.units() - 1).astype(np.float32)[..., None, None]


def _states(
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    shape: tuple[int, int],
    crop: tuple[int, int],
    chest_wall: str,
    content: Content | None,
) -> NDArray[np.int64]:
    """What each tile reads: background only, pixels beyond the image's edge too, or the image alone."""
    limits, crops = np.array(shape).reshape(2, 1, 1), np.array(crop).reshape(2, 1, 1)
    low = first - 2 * SLACK
    inside = (low >= 0).all(axis=0) & (low + crops + 2 * SLACK <= limits).all(axis=0)
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


def _runs(line: list[int], down: int, shape: tuple[int, int]) -> Iterator[_Run]:
    """Runs of tiles in one state; a last tile that is not whole is a run of its own, but for background."""
    (rows, columns), across = shape, 0
    height, whole = min(TILE, rows - down * TILE), columns // TILE
    while across < len(line):
        end, state = across + 1, line[across]
        most = len(line) if state == _BACKGROUND else min(whole, across + AT_ONCE)
        while end < most and line[end] == state:
            end += 1
        left = columns - across * TILE
        width = min((end - across) * TILE if state == _BACKGROUND else TILE, left)
        yield _Run(state, down, across, end - across, height, width)
        across = end


def _fill(crop: Tensor, pixels: Tensor, origin: list[int], chest_wall: str, background: float) -> None:
    """The image from `origin` on, and what lies beyond its edges."""
    (rows, columns), (top, left), (tall, wide) = pixels.shape, origin, crop.shape
    first, last = max(top, 0), min(top + tall, rows)
    near, far = max(left, 0), min(left + wide, columns)
    beyond = (chest_wall != "left" and left < 0) or (chest_wall != "right" and left + wide > columns)
    if beyond or last - first < tall:
        crop.fill_(background)
    if first >= last:
        return
    lines = crop[first - top : last - top]
    if near < far:
        lines[:, near - left : far - left] = pixels[first:last, near:far]
    if chest_wall == "left" and left < 0:
        lines[:, : min(-left, wide)] = pixels[first:last, :1]
    if chest_wall == "right" and left + wide > columns:
        lines[:, max(columns - left, 0) :] = pixels[first:last, -1:]
