"""What a device says when its memory is full, and how freed memory is kept for the next use."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

_SAID = ("out of memory", "can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""In the texts of plain RuntimeErrors: CUDA's libraries, and torch on a CPU."""

# <malloc.h>
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_MMAP_MAX = -4
_LARGEST_THRESHOLD = 32 << 20
"""glibc refuses a larger threshold."""
_LARGEST_INT = (1 << 31) - 1


class OutOfMemory(UnusableInput):
    """There was no memory for a call; fewer images at once may fit."""


@contextmanager
def memory_watched() -> Iterator[None]:
    """Turns whatever says that memory is full into OutOfMemory."""
    try:
        yield
    except UnusableInput:
        raise
    except Exception as error:
        if ran_out(error):
            raise OutOfMemory(said(error)) from error
        raise


def said(error: BaseException) -> str:
    """One line for people."""
    return f"memory ran out: {str(error).partition(chr(10))[0].rstrip('.') or type(error).__name__}"


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory is full."""
    import torch

    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(part in str(error) for part in _SAID)


def call_measured(device: torch.device, call: Callable[[], Any]) -> tuple[Any, int, int]:
    """What a call gives, the bytes of a GPU's memory that it took at most, and the bytes that others could take."""
    import torch

    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    given = call()
    torch.cuda.synchronize(device)
    taken = torch.cuda.max_memory_allocated(device) - before
    free, _ = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return given, taken, free + unused


def keep_freed_memory() -> bool:
    """Have the C library keep freed blocks for the next use, instead of giving them back page by page.

    Large blocks are otherwise mapped anew each time, and touching fresh pages costs more than most arithmetic on
    them. Changes no number; the process's peak grows. False where the C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    values = ((_M_MMAP_THRESHOLD, _LARGEST_THRESHOLD), (_M_TRIM_THRESHOLD, _LARGEST_INT), (_M_MMAP_MAX, 0))
    return all(mallopt(name, value) == 1 for name, value in values)
