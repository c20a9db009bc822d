"""Pickles of plain containers, texts and numbers, read by an unpickler that can make nothing else."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mammo_fixtures.errors import UnusableInput

LARGEST_BYTES = 2**30
_KINDS = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q", "f4": "f", "f8": "d"}
"""NumPy's names of numbers, and how `struct` calls them; `b1` is a truth value."""


def read_plain_pickle(path: Path) -> Any:
    """What a pickle holds, where that is lists, tuples, sets, dicts, texts, bytes, numbers and NumPy's single numbers.

    Whatever else it names, a class or a function, is refused before it is looked up. Raises UnusableInput.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise UnusableInput(f"{path.name}: a pickled list may have at most {LARGEST_BYTES} bytes, got {size}")
        with path.open("rb") as file:
            return _PlainUnpickler(file).load()
    except OSError as error:
        raise UnusableInput(f"{path.name}: must be a readable file, got {error.strerror}") from error
    except _Refused as error:
        raise UnusableInput(
            f"{path.name}: a pickle may hold plain containers, texts and numbers, got {error}; write the list again "
            "from those"
        ) from error
    except Exception as error:  # a damaged pickle raises nearly anything
        raise UnusableInput(f"{path.name}: must be a whole pickle, reading it raised {type(error).__name__}") from error


class _Refused(Exception):
    pass


class _PlainUnpickler(pickle.Unpickler):
    """Never imports: the few names that plain numbers are pickled with stand for functions of this file."""

    def find_class(self, module: str, name: str) -> Any:
        found = _OWN.get((module.replace("numpy._core", "numpy.core"), name))
        if found is None:
            raise _Refused(f"{module}.{name}"[:100])
        return found

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused("a reference to something outside")


class _Dtype:
    """Stands for `numpy.dtype`: a kind of number, and the order of its bytes."""

    def __init__(self, kind: str, *_: Any) -> None:
        if kind != "b1" and kind not in _KINDS:
            raise _Refused(f"numbers of kind {kind!r}")
        self.kind, self.order = kind, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = ">" if state[1] == ">" else "<"


def _number(dtype: _Dtype, content: bytes) -> int | float | bool:
    """Stands for `numpy.core.multiarray.scalar`."""
    if not isinstance(dtype, _Dtype) or not isinstance(content, bytes):
        raise _Refused("a NumPy object")
    if dtype.kind == "b1":
        return content != b"\0"
    value: int | float = struct.unpack(dtype.order + _KINDS[dtype.kind], content)[0]
    return value


def _bytes(text: str, encoding: str) -> bytes:
    """Stands for `_codecs.encode`, by which bytes are pickled in old protocols."""
    if encoding != "latin1":
        raise _Refused(f"an encoding {encoding!r}")
    return text.encode("latin1")


_OWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "scalar"): _number,
    ("_codecs", "encode"): _bytes,
    ("collections", "OrderedDict"): dict,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("__builtin__", "set"): set,
    ("__builtin__", "frozenset"): frozenset,
}
