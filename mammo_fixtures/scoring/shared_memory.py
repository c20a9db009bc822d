"""Memory that this process and its readers both map, lent to one answer after another.

An array that comes in it is not copied: a GPU copies from there by itself, once the memory is pinned.
"""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALIGNED = 64
"""Arrays begin at multiples of so many bytes."""

Pin = Callable[["NDArray[np.uint8]"], Callable[[], None]]
"""Makes memory such that a GPU can copy from it by itself, and gives what undoes that."""


def possible() -> bool:
    """Whether this system can share memory without a file, and this process may."""
    try:
        os.close(os.memfd_create("mammo probe"))
    except (AttributeError, OSError):  # another system; one that forbids it, as sandboxes of containers may
        return False
    return True


def places(sizes: list[int]) -> tuple[list[int], int]:
    """Where buffers of these sizes begin, one after another, and where the last one ends."""
    starts, end = [], 0
    for size in sizes:
        starts.append(end)
        end += -(-size // ALIGNED) * ALIGNED
    return starts, end


class Memory:
    """One stretch of it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.handle = os.memfd_create(f"mammo reader {number}")
        self._mapped = np.empty(0, np.uint8)
        self._unpin: Callable[[], None] = lambda: None

    def arrays(self, sizes: list[int], pin: Pin, free: Callable[[], None]) -> list[NDArray[np.uint8]]:
        """What lies in it; `free` is called once none of them is used any more."""
        starts, end = places(sizes)
        if self._mapped.size < end:
            self._unpin()
            self._mapped = np.frombuffer(mmap.mmap(self.handle, end), np.uint8)
            self._unpin = pin(self._mapped)
        lent = [self._mapped[start : start + size] for start, size in zip(starts, sizes, strict=True)]
        left, lock = len(lent), threading.Lock()

        def over() -> None:
            nonlocal left
            with lock:
                left -= 1
                last = left == 0
            if last:
                free()

        for each in lent:
            weakref.finalize(each, over).atexit = False
        if not lent:
            free()
        return lent

    def close(self) -> None:
        self._unpin()
        self._unpin = lambda: None
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
