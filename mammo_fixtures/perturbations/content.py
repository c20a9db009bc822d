"""Where an image is not background."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
