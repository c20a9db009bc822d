"""Where the breast is: one mask for every perturbation.

Regions are told apart on a coarse grid; only the outline is drawn pixel by pixel. What needs no pixels, such as the
chest wall's middle or what lies deeper than an edge is wide, is read off the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.threads import in_threads, number_of_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""First row, row past the last, first column, column past the last; all 0 where there is nothing."""

_COARSE_MM = 0.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foreground:
    """What is not background, pixel by pixel and in blocks of about 0.6 mm."""

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
    """The value of the background: the most frequent end of the range on the image's border.

    Exactly 0 in images for presentation; the top of the range in many images for processing.
    """

    def ends(band: slice) -> tuple[np.float32, np.float32]:
        return pixels[band].min(), pixels[band].max()

    of_bands = in_threads(ends, _bands(pixels.shape[0], 1))
    low, high = float(min(low for low, _ in of_bands)), float(max(high for _, high in of_bands))
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    at_low, at_high = int((border == low).sum()), int((border == high).sum())
    return high if at_high > at_low and at_high > border.size // 10 else low


def foreground_of(pixels: NDArray[np.float32], background: float, spacing_mm: tuple[float, float]) -> Foreground:
    """Whatever differs from the background's value: the breast, markers, and what else was exposed."""
    step = max(1, round(_COARSE_MM / spacing_mm[0])), max(1, round(_COARSE_MM / spacing_mm[1]))
    flags = np.empty(pixels.shape, np.bool_)

    def fill(band: slice) -> NDArray[np.float32]:
        np.not_equal(pixels[band], np.float32(background), out=flags[band])
        return _block_mean(flags[band], step)

    share = np.concatenate(in_threads(fill, _bands(pixels.shape[0], step[0])))
    return Foreground(flags=flags, step=step, share=share)


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


def breast_mask(pixels: NDArray[np.float32], spacing_mm: tuple[float, float]) -> NDArray[np.bool_]:
    """The largest region that is not background, closed. Bool (rows, columns); all False where there is none."""
    return drawn_mask(breast_blocks(foreground_of(pixels, background_value(pixels), spacing_mm)))


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
    counts = np.pad(counts, ((0, 0), (0, -columns % across)), mode="edge").astype(np.uint32)
    summed = counts[:, ::across].copy()
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
