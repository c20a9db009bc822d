"""What a classifier's modules made as they were imported: settings of a file, of the environment, another network."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath, PureWindowsPath
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from mammo_fixtures.classifiers.source_code import read_code

_OWN = "mammo_fixtures"
"""This suite's modules, whose values its source tells."""
Files = Mapping[str, str]
"""Source by module name."""


def values_made(sources: Iterable[Files]) -> Iterator[tuple[str, Any]]:
    """Values, by module and name, that the source alone does not tell and that some of the code uses."""
    files = {name: text for each in sources for name, text in each.items() if name.partition(".")[0] != _OWN}
    codes = {name: read_code(text) for name, text in files.items()}
    used = frozenset[str]().union(*(code.used for code in codes.values()))
    for module in sorted(codes):
        there = vars(sys.modules[module]) if module in sys.modules else {}
        for name in sorted(codes[module].made & used & there.keys()):
            value = there[name]
            yield f"{module}.{name}", values_of_class(value) if isinstance(value, type) else value


def values_of_class(cls: type) -> dict[str, Any]:
    """Attributes of a class and of those it is derived from, as far as their source is the user's."""
    found: dict[str, Any] = {}
    for each in cls.__mro__:
        if each.__module__.partition(".")[0] in ("torch", "builtins", _OWN):
            continue
        for name, value in sorted(vars(each).items()):
            if not name.startswith("__") or isinstance(value, FunctionType):
                plain = getattr(value, "__func__", getattr(value, "fget", value))
                found[f"{each.__qualname__}.{name}"] = _caught(plain) if isinstance(plain, FunctionType) else plain
    return found


def decides_nothing(value: Any) -> bool:
    """Whether a value says where something lies or runs, or is a part of this suite."""
    import torch

    if isinstance(value, (PurePath, ModuleType, torch.device)) or _is_environment(value):
        return True
    if isinstance(value, str):
        return value.startswith(os.sep) or PureWindowsPath(value).is_absolute()
    of = value if isinstance(value, (type, FunctionType)) else type(value)
    return str(of.__module__).partition(".")[0] == _OWN and not isinstance(value, torch.nn.Module)


def _is_environment(value: Any) -> bool:
    """The process's environment or a copy, which holds a worker's number: what is taken out of it by name counts."""
    return isinstance(value, Mapping) and "PATH" in value and value["PATH"] == os.environ.get("PATH")


def is_data_holder(value: Any, sources: Iterable[Files | None]) -> bool:
    """Whether an object is a bag of settings: a namespace, or of a class of the user's own."""
    if isinstance(value, (SimpleNamespace, argparse.Namespace)):
        return True
    return hasattr(value, "__dict__") and any(type(value).__module__ in (files or {}) for files in sources)


def _caught(function: FunctionType) -> list[Any]:
    """What a method holds that its source does not tell."""
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
    return [cell for cell in cells if not isinstance(cell, type)]
