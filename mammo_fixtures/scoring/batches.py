"""How many images are scored at once: as many as there is memory for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mammo_fixtures.classifiers.memory import OutOfMemory
from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    import torch

CPU_BATCH = 1
"""On a CPU, larger batches leave the caches and are slower."""
MOST_ON_GPU = 64
"""At full size 16 are as fast, and a GPU has nothing to do while an exam's first batch is being made."""
SHARE_OF_FREE = 0.5
"""Of the memory that is free on a GPU, what a batch may take; the rest is for what a view's severities share."""


@dataclass(slots=True, kw_only=True, eq=False)
class Batches:
    """The batch size of one process. It shrinks where memory runs out, and stays small."""

    device: torch.device
    wanted: int | None = None
    """None: one on a CPU; on a GPU, by the memory that the first image takes."""
    neighbours: int = 1
    """Processes that share the device, this one included."""
    said: str = ""
    """What a reader must know of batches that did not fit."""
    _size: int | None = field(default=None, init=False)
    _first: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.wanted is not None and self.wanted < 1:
            raise UnusableInput(f"batch_size must be at least 1, or None to choose one, got {self.wanted}")
        self._size = CPU_BATCH if self.device.type == "cpu" and self.wanted is None else self.wanted

    @property
    def size(self) -> int:
        """Images a call of the network; one until the first call was measured."""
        return self._size or 1

    def next(self, left: int) -> int:
        """Images in the next call, of so many that are left; where the size is ours, all are alike."""
        if self.wanted is not None:
            return min(self.size, left)
        return -(-left // -(-left // self.size))

    @property
    def measuring(self) -> bool:
        """Whether the size still depends on what the next call takes."""
        return self._size is None

    def measure(self, bytes_per_image: int, free_bytes: int) -> None:
        """Choose the size from what one image took, inputs and all layers, and what is free."""
        fit = int(SHARE_OF_FREE * free_bytes / self.neighbours / max(1, bytes_per_image))
        self._size = max(1, min(MOST_ON_GPU, fit))

    def halve(self, error: OutOfMemory) -> None:
        """Go on with half as many; raises UnusableInput where one image at a time does not fit either."""
        if self.size == 1:
            raise UnusableInput(
                f"{error}, with one image at a time on {self.device}; free memory there, or give another "
                "--mammo-device="
            ) from error
        self._first = self._first or self.size
        self._size = self.size // 2
        self.said = f"batch size {self._first} did not fit in memory on {self.device}; went on with {self._size}"
