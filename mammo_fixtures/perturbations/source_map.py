"""Where each pixel of a moved image comes from, tile by tile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

TILE = 128
"""Side of a tile, pixels."""
AT_ONCE = 4
"""Tiles that a CPU makes in one call: what belongs to them stays in its cache, which threads may share."""
SLACK = AT_ONCE // 2 + 1
"""Pixels by which the crops of one call, evenly spaced by whole pixels, may miss the sources, which are not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceMap:
    """Where each new pixel comes from, in pixels: matrix · (row, column) + offset, and a displacement on top."""

    matrix: tuple[tuple[float, float], tuple[float, float]]
    offset: tuple[float, float]
    displacement: Tensor | None = None
    """(rows, columns, 2) as (column, row), none beyond −1 … 1."""
    amount: float = 0.0
    """Pixels that 1 in the displacement stands for."""

    def crop(self) -> tuple[int, int]:
        """Rows and columns that hold the source of any tile, wherever it lies in its call."""
        longest = (sum(abs(step) for step in line) * (TILE - 1) for line in self.matrix)
        # One pixel for the fraction at the start, one for the neighbour at the end, one for rounding.
        rows, columns = (math.ceil(length + 2 * abs(self.amount)) + 3 + 2 * SLACK for length in longest)
        return rows, columns

    def units(self) -> NDArray[np.float64]:
        """A column and a row in units where the crop is 2 wide and high, as grid_sample wants it."""
        return 2 / (np.array(self.crop()[::-1]) - 1)

    def steps(self) -> NDArray[np.float32]:
        """Source of each pixel of a whole tile, (2, rows, columns) as columns and rows, from its first pixel's."""
        index = np.arange(TILE)
        places = [np.add.outer(index * down, index * right) for down, right in reversed(self.matrix)]
        return (np.stack(places) * self.units()[:, None, None]).astype(np.float32)

    def of(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Source of pixels without the displacement, (2, …)."""
        return np.stack([a * rows + b * columns + c for (a, b), c in zip(self.matrix, self.offset, strict=True)])

    def boxes(self, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last pixel that each tile reads, (2, tiles down, tiles across) as rows and columns."""
        (top, bottom), (left, right) = _ends(shape)
        corners = np.stack([self.of(r, c) for r in (top, bottom) for c in (left, right)])
        first = np.floor(corners.min(axis=0) - abs(self.amount)).astype(np.int64)
        last = np.floor(corners.max(axis=0) + abs(self.amount)).astype(np.int64) + 1
        return first, last


def _ends(shape: tuple[int, ...]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """First and last rows of tiles as columns, first and last columns as rows."""
    starts = np.arange(0, shape[0], TILE)[:, None], np.arange(0, shape[1], TILE)[None]
    return [(start, np.minimum(start + TILE, n) - 1) for start, n in zip(starts, shape, strict=True)]
