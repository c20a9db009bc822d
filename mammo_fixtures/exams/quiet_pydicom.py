"""pydicom repeats odd values in warnings and log lines; they may name a patient, so none are let out."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
"""Warnings filter and logger are one for all threads."""


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Hold back what pydicom says while a file is read; one thread at a time, and as it was before afterwards."""
    logger = logging.getLogger("pydicom")
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, logger.disabled = logger.disabled, True
        try:
            yield
        finally:
            logger.disabled = before
