"""The soft edge under which contrast and brightness act, and the mean about which contrast does.

All but a rim of the image is deep inside the breast or wholly outside it, where the edge's weight is 1 or 0: only the
rim is interpolated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.threads import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.perturbations.breast_mask import BreastBlocks

FEATHER_MM = 2.0
_BAND = 256
"""About so many rows are worked on at a time: fewer wander less through memory, but threads wait for each other."""

Part = tuple[slice, slice]
"""Rows and columns."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """Some rows of the image, in parts from left to right."""

    rows: slice
    parts: list[tuple[Part, NDArray[np.float32] | float]]
    """Each with its weights: 0, 1, or an array of them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Feather:
    """Weights of blocks, and the mask that cuts them off at the outline."""

    blocks: BreastBlocks
    weights: NDArray[np.float32]
    """1 inside the breast, falling to 0 over the last 2 mm before the outermost blocks."""
    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, blocks: BreastBlocks, mask: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> Feather:
        """From the distance of each block to the nearest that is mostly outside; the image's edge is none."""
        solid = blocks.inside | (blocks.near & (blocks.foreground.share >= 0.5))
        squared = np.where(solid, np.float32(np.inf), np.float32(0))
        for axis, (mm, step) in enumerate(zip(spacing_mm, blocks.foreground.step, strict=True)):
            squared = _nearer_along(squared, axis, mm * step)
        weights = np.minimum(np.sqrt(squared) / np.float32(FEATHER_MM), np.float32(1))
        return cls(blocks=blocks, weights=weights, mask=mask)

    @cached_property
    def bands(self) -> list[Band]:
        """The image from top to bottom."""
        down, rows = self.blocks.foreground.step[0], self.mask.shape[0]
        each = max(1, _BAND // down) * down
        bands = [slice(start, min(start + each, rows)) for start in range(0, rows, each)]
        return in_threads(lambda band: Band(rows=band, parts=list(self._parts(band))), bands)

    def _parts(self, band: slice) -> Iterator[tuple[Part, NDArray[np.float32] | float]]:
        (down, across), columns = self.blocks.foreground.step, self.mask.shape[1]
        # A pixel lies between the middles of its own block and a neighbour, or, on the stretched grid, the next two.
        rows = slice(max(band.start // down - 1, 0), (band.stop - 1) // down + 3)
        near = self.weights[rows]
        full = (near.min(axis=0) == 1) & self.blocks.inside[rows].all(axis=0)
        own = np.where(full, 1, np.where(near.max(axis=0) == 0, 0, 2))
        beside = np.pad(own, (1, 2), mode="edge")
        same = [beside[start : start + own.size] == own for start in (0, 2, 3)]
        kinds = np.where(np.logical_and.reduce(same), own, 2)
        edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), kinds.size]
        for start, stop in pairwise(edges):
            part = band, slice(start * across, min(stop * across, columns))
            yield part, self._interpolated(part) if kinds[start] == 2 else float(kinds[start])

    def _interpolated(self, part: Part) -> NDArray[np.float32]:
        (top, bottom, down), (left, right, across) = map(_between, part, self.mask.shape, self.weights.shape)
        near = self.weights[:, left[0] : right[-1] + 1]
        of_rows = near[top]
        of_rows += (near[bottom] - of_rows) * down[:, None]
        weights: NDArray[np.float32] = of_rows.take(left - left[0], axis=1)
        weights += (of_rows.take(right - left[0], axis=1) - weights) * across
        weights *= self.mask[part]
        return weights


def feathered_mask(feather: Feather) -> NDArray[np.float32]:
    """1 inside the breast, falling to 0 over the last 2 mm before its outline; exactly 0 in the background."""
    whole = np.empty(feather.mask.shape, np.float32)

    def fill(band: Band) -> None:
        for part, weights in band.parts:
            whole[part] = weights

    in_threads(fill, feather.bands)
    return whole


def breast_deviation(pixels: NDArray[np.float32], feather: Feather) -> NDArray[np.float32]:
    """Pixels minus the mean of the breast, under the feathered mask."""
    mean = np.float32(breast_mean(pixels, feather))
    deviation = np.empty(pixels.shape, np.float32)

    def fill(band: Band) -> None:
        # Long rows first, as memory is fastest; parts are then changed in the processor's cache.
        np.subtract(pixels[band.rows], mean, out=deviation[band.rows])
        for part, weights in band.parts:
            if not isinstance(weights, float):
                deviation[part] *= weights
            elif weights == 0:
                deviation[part] = 0

    in_threads(fill, feather.bands)
    return deviation


def breast_mean(pixels: NDArray[np.float32], feather: Feather) -> float:
    """Mean of the breast, rows summed in float32 by halves, their sums in float64; 0 where there is none."""

    def total(band: Band) -> tuple[float, int]:
        count, of_rows = 0, np.zeros(band.rows.stop - band.rows.start)
        for part, weights in band.parts:
            if isinstance(weights, float) and weights == 1:
                of_rows += pixels[part].sum(axis=1)
                count += pixels[part].size
            elif (mask := feather.mask[part]).any():
                of_rows += np.where(mask, pixels[part], np.float32(0)).sum(axis=1)
                count += int(np.count_nonzero(mask))
        return float(of_rows.sum()), count

    sums, counts = zip(*in_threads(total, feather.bands), strict=True)
    return sum(sums) / sum(counts) if any(counts) else 0.0


def _nearer_along(squared: NDArray[np.float32], axis: int, mm: float) -> NDArray[np.float32]:
    """Squared distances, mm², or shorter ones by way of blocks along an axis, `mm` apart, up to the feather."""
    nearest = squared.copy()
    to, ahead = np.moveaxis(nearest, axis, 0), np.moveaxis(squared, axis, 0)
    for blocks in range(1, min(int(FEATHER_MM / mm), len(to) - 1) + 1):
        more = np.float32((blocks * mm) ** 2)
        np.minimum(to[blocks:], ahead[:-blocks] + more, out=to[blocks:])
        np.minimum(to[:-blocks], ahead[blocks:] + more, out=to[:-blocks])
    return nearest


def _between(part: slice, pixels: int, blocks: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """The blocks between whose middles pixels lie along an axis, and how far from the first to the second, 0 … 1.

    The grid is laid on the image from end to end, although its last block may reach a little beyond.
    """
    place = ((np.arange(part.start, part.stop) + 0.5) * (blocks / pixels) - 0.5).clip(0, blocks - 1)
    first = place.astype(np.intp)
    return first, np.minimum(first + 1, blocks - 1), (place - first).astype(np.float32)
