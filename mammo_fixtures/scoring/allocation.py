"""Keeps large blocks of memory between uses, where the C library would hand them back to the system."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGEST_BYTES = 32 * 2**20
"""glibc accepts no larger threshold: half of an arena's heap."""
_TRIM_BYTES = 2**30


def keep_large_blocks() -> bool:
    """Raise glibc's thresholds for this process; True where that was done.

    By default glibc maps every large tensor afresh and unmaps it after use, so that each pass over an image pays for
    its pages again. Results are the same to the bit; the process keeps up to 1 GiB more between uses.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        # Another C library, such as musl, has no such thresholds.
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST_BYTES)) and bool(mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES))
