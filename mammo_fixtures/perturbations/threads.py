"""Threads for work that libraries do outside the interpreter's lock."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

Item = TypeVar("Item")
Result = TypeVar("Result")


def number_of_threads() -> int:
    """As many as torch may use; one where torch is not loaded, as in a process that only reads views."""
    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch is not None else 1


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Results of `work` on each item, in order, by as many threads as torch may use.

    The threads are kept: making them anew for every severity costs more than some severities do. They sleep in between;
    torch's own go on waiting busily after each of its calls, and would take the cores from whoever works next. In these
    threads torch uses no others: on a busy machine each of its calls would wait for all of them to get a core.
    """
    items = list(items)
    threads = number_of_threads()
    if threads == 1 or len(items) == 1:
        return [work(item) for item in items]
    # A forked process has none of its parent's threads.
    return list(_pool(os.getpid(), threads).map(work, items))


def in_bands(work: Callable[[slice], object], image: Tensor) -> None:
    """`work` on the rows of an image: some to each of these threads on a CPU, all at once on another device.

    What torch does on a whole image starts torch's own threads, and they slow what these do next.
    """
    rows, bands = image.shape[0], number_of_threads() if image.device.type == "cpu" else 1
    edges = [rows * band // bands for band in range(bands + 1)]
    in_threads(work, [slice(start, stop) for start, stop in pairwise(edges)])


@cache
def _pool(_process: int, threads: int) -> ThreadPoolExecutor:
    import torch

    pool = ThreadPoolExecutor(threads, thread_name_prefix="perturbations")
    started = Barrier(threads)

    def alone(_: int) -> None:
        # A thread takes over the process's number when it first needs it: before, else it would after.
        torch.get_num_threads()
        torch.set_num_threads(1)
        started.wait()

    # torch's number counts for the thread that sets it, and for those that begin later: the caller's is set again.
    list(pool.map(alone, range(threads)))
    torch.set_num_threads(threads)
    return pool
