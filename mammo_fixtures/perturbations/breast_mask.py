"""Where the breast is: one mask for every perturbation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COARSE_MM = 0.6
"""Regions are told apart on a grid this coarse; only the outline is drawn pixel by pixel."""


def background_value(pixels: NDArray[np.float32]) -> float:
    """The value of the background: the most frequent end of the range on the image's border.

    Exactly 0 in images for presentation; the top of the range in many images for processing.
    """
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    low, high = float(pixels.min()), float(pixels.max())
    at_low, at_high = int((border == low).sum()), int((border == high).sum())
    return high if at_high > at_low and at_high > border.size // 10 else low


def breast_mask(pixels: NDArray[np.float32], spacing_mm: tuple[float, float]) -> NDArray[np.bool_]:
    """The largest region that is not background, closed. Bool (rows, columns); all False where there is none."""
    from scipy import ndimage

    fine: NDArray[np.bool_] = pixels != background_value(pixels)
    step = tuple(max(1, round(_COARSE_MM / mm)) for mm in spacing_mm)
    share = _block_mean(fine, step)
    regions, count = ndimage.label(share >= 0.5)
    if count == 0:
        # Too small for the coarse grid, or nothing there: take what is above background.
        return fine
    largest = regions == 1 + int(np.argmax(np.bincount(regions.ravel())[1:]))
    closed = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(largest, 2, mode="edge"))[2:-2, 2:-2])
    inside = ndimage.binary_erosion(closed, border_value=1)
    return _outlined(fine, inside, ndimage.binary_dilation(closed), step)


def box_of(flags: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """First row, row past the last, first column, column past the last where a flag is set; all 0 where none is."""
    rows, columns = np.flatnonzero(flags.any(axis=1)), np.flatnonzero(flags.any(axis=0))
    if not rows.size:
        return 0, 0, 0, 0
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def depth_mm(mask: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> NDArray[np.float32]:
    """Distance of each coarse cell inside the mask to the nearest background cell, mm; the image's edge is none."""
    from scipy import ndimage

    step = tuple(max(1, round(_COARSE_MM / mm)) for mm in spacing_mm)
    share = _block_mean(mask, step)
    if share.min() >= 0.5:
        return np.full(share.shape, np.inf, dtype=np.float32)
    sampling = [mm * s for mm, s in zip(spacing_mm, step, strict=True)]
    distance: NDArray[np.float32] = ndimage.distance_transform_edt(share >= 0.5, sampling=sampling).astype(np.float32)
    return distance


def _block_mean(flags: NDArray[np.bool_], step: tuple[int, ...]) -> NDArray[np.float32]:
    """Share of set flags in each block; the image's edge is repeated to fill the last ones."""
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


def _outlined(
    fine: NDArray[np.bool_], inside: NDArray[np.bool_], near: NDArray[np.bool_], step: tuple[int, ...]
) -> NDArray[np.bool_]:
    """All of the blocks `inside`, and of those `near` what is set in `fine`, which is overwritten."""
    (rows, columns), down = fine.shape, step[0]
    inside, near = (np.repeat(blocks, step[1], axis=1)[:, :columns] for blocks in (inside, near))
    whole = rows // down
    blocks = fine[: whole * down].reshape(whole, down, columns)
    blocks &= near[:whole, None]
    blocks |= inside[:whole, None]
    if whole < len(inside):
        fine[whole * down :] &= near[-1]
        fine[whole * down :] |= inside[-1]
    return fine
