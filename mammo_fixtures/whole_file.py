"""Files that appear whole or not at all, whatever becomes of the process that writes them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file to write beside `path`, which gets its name at the end; what could not be finished is removed."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()


def write_whole(path: Path, content: bytes) -> None:
    """All of a file at once."""
    with whole(path) as partial:
        partial.write_bytes(content)
