"""Where the breast is: one mask for every perturbation.

Regions are told apart on a coarse grid; only the outline is drawn pixel by pixel. What needs no pixels, such as the
chest wall's middle or what lies deeper than an edge is wide, is read off the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mammo_fixtures.perturbations.threads import in_threads, number_of_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""First row, row past the last, first column, column past the last; all 0 where there is nothing."""

_COARSE_MM = 0.6
_CHUNK_BYTES = 1 << 20
"""About so much of an image stays in a core's cache while it is looked at several times."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foreground:
    """What is not background, pixel by pixel and in blocks of about 0.6 mm."""

    background: float
    flags: NDArray[np.bool_]
    step: tuple[int, int]
    """Rows and columns of a block; the last ones reach beyond the image, whose edge is repeated there."""
    share: NDArray[np.float32]
    """Of each block's pixels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BreastBlocks:
    """The breast on the foreground's blocks."""

    foreground: Foreground
    inside: NDArray[np.bool_]
    """Blocks all of which is breast, whatever its pixels are."""
    near: NDArray[np.bool_]
    """Blocks in which every pixel that is not background is breast: those inside, and those at the outline."""


def background_value(pixels: NDArray[np.float32]) -> float:
    """The value of the background: the most frequent end of the range on the image's border, or what is there more.

    Exactly 0 in images for presentation; the top of the range in many images for processing; a value within the range
    where single pixels, padding or a marker lie beyond it.
    """
    ends = in_threads(lambda band: (pixels[band].min(), pixels[band].max()), _bands(pixels.shape[0], 1))
    return _background(_border(pixels), ends)


def foreground_of(pixels: NDArray[np.float32], spacing_mm: tuple[float, float]) -> Foreground:
    """Whatever differs from the background's value: the breast, markers, and what else was exposed."""
    step = max(1, round(_COARSE_MM / spacing_mm[0])), max(1, round(_COARSE_MM / spacing_mm[1]))
    flags, border = np.empty(pixels.shape, np.bool_), _border(pixels)
    # The range's ends are nearly always on the border: taken for granted, the image is read once, not twice.
    expected = _background(border, [(border.min(), border.max())])
    found = _compared(pixels, expected, step, flags)
    background = _background(border, found.ends)
    if background != expected:
        found = _compared(pixels, background, step, flags)
    return Foreground(background=background, flags=flags, step=step, share=found.share)


class _Compared(NamedTuple):
    ends: list[tuple[np.float32, np.float32]]
    """Least and greatest value of each piece of the image."""
    share: NDArray[np.float32]


def _compared(
    pixels: NDArray[np.float32], background: float, step: tuple[int, int], flags: NDArray[np.bool_]
) -> _Compared:
    """The image held against a value: `flags` are set where it differs."""
    chunk = max(1, _CHUNK_BYTES // (pixels.shape[1] * pixels.itemsize))

    def compare(band: slice) -> tuple[list[tuple[np.float32, np.float32]], NDArray[np.float32]]:
        ends = []
        for start in range(band.start, band.stop, chunk):
            rows = slice(start, min(start + chunk, band.stop))
            piece = pixels[rows]
            ends.append((piece.min(), piece.max()))
            np.not_equal(piece, np.float32(background), out=flags[rows])
        return ends, _block_mean(flags[band], step)

    ends, shares = zip(*in_threads(compare, _bands(pixels.shape[0], step[0])), strict=True)
    return _Compared([pair for of_band in ends for pair in of_band], np.concatenate(shares))


def _border(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _background(border: NDArray[np.float32], ends: list[tuple[np.float32, np.float32]]) -> float:
    """The end of the range, given that of every piece, that is more frequent on the border."""
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    at_low, at_high = int((border == low).sum()), int((border == high).sum())
    end = high if at_high > at_low and at_high > border.size // 10 else low
    if 2 * max(at_low, at_high) > border.size:
        return end
    values, counts = np.unique(border, return_counts=True)
    most = int(counts.argmax())
    return float(values[most]) if counts[most] > max(at_low, at_high, border.size // 4) else end


def breast_blocks(foreground: Foreground) -> BreastBlocks:
    """The largest region whose blocks are mostly not background, closed and without holes."""
    from scipy import ndimage

    regions, count = ndimage.label(foreground.share >= 0.5)
    if count == 0:
        # Too small for the coarse grid, or nothing there: take what is above background.
        nowhere = np.zeros(foreground.share.shape, np.bool_)
        return BreastBlocks(foreground=foreground, inside=nowhere, near=~nowhere)
    largest = regions == 1 + int(np.argmax(np.bincount(regions.ravel())[1:]))
    # The breast goes on beyond the image's edge.
    closed = _shrunk(_grown(np.pad(largest, 2, mode="edge")), beyond=False)[2:-2, 2:-2]
    holes, _ = ndimage.label(np.pad(~closed, 1, constant_values=True))
    closed = holes[1:-1, 1:-1] != holes[0, 0]
    return BreastBlocks(foreground=foreground, inside=_shrunk(closed, beyond=True), near=_grown(closed))


def drawn_mask(blocks: BreastBlocks) -> NDArray[np.bool_]:
    """The breast pixel by pixel, bool (rows, columns), in fresh memory."""
    flags, (down, across) = blocks.foreground.flags, blocks.foreground.step
    rows, columns = flags.shape
    mask = np.empty_like(flags)

    def draw(band: slice) -> None:
        rows_of_blocks = np.arange(band.start, min(band.stop, rows)) // down
        first = rows_of_blocks[0]
        some = slice(first, rows_of_blocks[-1] + 1)
        inside, near = (
            np.repeat(grid[some], across, axis=1)[:, :columns][rows_of_blocks - first]
            for grid in (blocks.inside, blocks.near)
        )
        np.logical_and(flags[band], near, out=mask[band])
        mask[band] |= inside

    in_threads(draw, _bands(rows, down))
    return mask


def mask_column(blocks: BreastBlocks, column: int) -> NDArray[np.bool_]:
    """One column of the mask."""
    flags, (down, across) = blocks.foreground.flags, blocks.foreground.step
    rows = np.arange(flags.shape[0]) // down
    inside, near = (grid[rows, column // across] for grid in (blocks.inside, blocks.near))
    return np.asarray(inside | (near & flags[:, column]))


def box_of(flags: NDArray[np.bool_]) -> Box:
    """The smallest box that holds every set flag."""
    rows, columns = np.flatnonzero(flags.any(axis=1)), np.flatnonzero(flags.any(axis=0))
    if not rows.size:
        return 0, 0, 0, 0
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _bands(rows: int, down: int) -> list[slice]:
    """Whole blocks of rows, one band for each thread: threads with many short ones wait for the interpreter."""
    each = max(1, -(-rows // (down * number_of_threads()))) * down
    return [slice(start, min(start + each, rows)) for start in range(0, rows, each)]


def _block_mean(flags: NDArray[np.bool_], step: tuple[int, int]) -> NDArray[np.float32]:
    """Share of set flags in each block; the edge is repeated to fill the last ones."""
    (rows, columns), (down, across) = flags.shape, step
    whole = rows // down
    # Along columns first: sums over neighbouring rows run through memory in order, an order of magnitude faster.
    counts = np.empty((-(-rows // down), columns), np.min_scalar_type(down))
    bytes_ = flags.view(np.uint8)
    blocks = bytes_[: whole * down].reshape(whole, down, columns)
    np.add.reduce(blocks, axis=1, dtype=counts.dtype, out=counts[:whole])
    if whole < len(counts):
        np.add.reduce(bytes_[whole * down :], axis=0, dtype=counts.dtype, out=counts[-1])
        counts[-1] += bytes_[-1] * counts.dtype.type(len(counts) * down - rows)
    counts = np.pad(counts, ((0, 0), (0, -columns % across)), mode="edge")
    summed = counts[:, ::across].astype(np.min_scalar_type(down * across))
    for start in range(1, across):
        summed += counts[:, start::across]
    means: NDArray[np.float32] = (summed / np.float32(down * across)).astype(np.float32)
    return means


def _grown(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """With every block beside a set one, along rows and columns."""
    grown = flags.copy()
    grown[1:] |= flags[:-1]
    grown[:-1] |= flags[1:]
    grown[:, 1:] |= flags[:, :-1]
    grown[:, :-1] |= flags[:, 1:]
    return grown


def _shrunk(flags: NDArray[np.bool_], *, beyond: bool) -> NDArray[np.bool_]:
    """Without every block beside one that is not set; `beyond` is what lies outside the grid."""
    shrunk = flags.copy()
    shrunk[1:] &= flags[:-1]
    shrunk[:-1] &= flags[1:]
    shrunk[:, 1:] &= flags[:, :-1]
    shrunk[:, :-1] &= flags[:, 1:]
    if not beyond:
        shrunk[[0, -1]] = False
        shrunk[:, [0, -1]] = False
    return shrunk
