"""Everything that a network's scores depend on, digested: weights, attributes and code."""

from __future__ import annotations

import enum
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from types import ModuleType
from typing import Any

import numpy as np

from mammo_fixtures.classifiers.module_values import decides_nothing, is_data_holder, values_made, values_of_class
from mammo_fixtures.classifiers.source_code import function_code, read_code
from mammo_fixtures.classifiers.source_files import source_files

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), range, slice, PurePath)
_OWN_CODE = ("torch.jit", "torch.fx", "torch.export", "torch._export")
"""Scripted, traced and exported modules: their code is in no source file."""
_WEAK = ("_flat_weight_refs", "_compiled_call_impl", "_is_torch_compile", "_is_hf_initialized")
"""Private caches of modules, which say nothing that the weights do not."""


class NetworkState:
    """Walks through whatever a network is made of; each `take` says whether it could see all of it."""

    def __init__(self, update: Callable[[bytes], object]) -> None:
        self._update = update
        self._sources: dict[str, dict[str, str] | None] = {}
        """Source files of the Python modules whose code may run."""
        self._classes: dict[type, None] = {}
        """Of networks, in the order in which they were met."""
        self._done: set[type | str] = set()
        """Classes and modules whose values were taken."""
        self._beside = False
        """Whether what is taken now lies beside the network: what cannot be digested of it is passed over."""
        self._met: dict[int, int] = {}
        self._held: list[Any] = []

    def take(self, value: Any) -> bool:
        """Digest a value; False where it holds what cannot be digested."""
        if self._beside and decides_nothing(value):
            return True
        return self._taken(value) or self._beside

    def _taken(self, value: Any) -> bool:
        import torch

        if isinstance(value, enum.Enum):  # whose value may be a function, which is shown with its address
            return self._text(f"{type(value).__qualname__}.{value.name}")
        if isinstance(value, (*_PLAIN, torch.dtype, torch.device, torch.memory_format)):
            return self._text(f"{type(value).__qualname__} {value!r}")
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, (np.ndarray, np.generic)):
            array = np.asarray(value)
            return not array.dtype.hasobject and self._bytes(f"{array.shape}{array.dtype}".encode() + array.tobytes())
        if isinstance(value, tuple):
            return self._text(f"{type(value).__qualname__} {len(value)}") and all(map(self.take, value))
        if isinstance(value, (set, frozenset)):
            plain = all(isinstance(each, (*_PLAIN, enum.Enum)) for each in value)
            return plain and self._text(repr(sorted(map(_shown, value))))
        if id(value) in self._met:
            return self._text(f"again {self._met[id(value)]}")
        self._met[id(value)] = len(self._met)
        # Held, or its id could be another's next.
        self._held.append(value)
        if isinstance(value, torch.nn.Module):
            return self._module(value)
        if isinstance(value, Mapping):
            items = [each for item in value.items() for each in item]
            return self._text(f"{type(value).__qualname__} {len(value)}") and all(map(self.take, items))
        if isinstance(value, list):
            return self._text(f"list {len(value)}") and all(map(self.take, value))
        return self._code(value)

    def take_sources(self) -> None:
        """Digest the source of all code that was taken, and what it made of files and environment at its import."""
        self._beside = True
        classes, modules = list(self._classes), sorted(self._sources)
        while classes or modules:
            for each in classes:
                self.take(values_of_class(each))
            for name, value in values_made([self._sources[each] or {} for each in modules]):
                self._text(name)
                self.take(value)
            # Values may be networks and functions of other modules.
            self._done |= {*classes, *modules}
            classes = [each for each in self._classes if each not in self._done]
            modules = sorted(self._sources.keys() - self._done)
        self._beside = False
        self._take_files()

    def _take_files(self) -> None:
        import torch

        for files in (self._sources[name] for name in sorted(self._sources)):
            if not files:
                self._text(f"torch\n{torch.__version__}")
            for name, source in sorted((files or {}).items()):
                self._text(f"{name}\n{read_code(source).digest}")

    def _text(self, text: str) -> bool:
        return self._bytes(text.encode("utf-8", "surrogateescape"))

    def _bytes(self, content: bytes) -> bool:
        self._update(len(content).to_bytes(8, "little") + content)
        return True

    def _tensor(self, tensor: Any) -> bool:
        import torch

        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
            return False
        flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        return self._bytes(f"{tuple(tensor.shape)}{tensor.dtype}".encode() + flat.numpy().tobytes())

    def _module(self, module: Any) -> bool:
        import torch

        if type(module).__module__.startswith("torch._dynamo"):  # compiled: the same network, faster
            return self.take(module._orig_mod)
        every_modules_own = vars(torch.nn.Module()).keys()
        attributes = {
            name: value
            for name, value in vars(module).items()
            # Of what every module has, hooks on the way forward change scores.
            if name not in _WEAK and (name not in every_modules_own or (name.startswith("_forward") and value))
        }
        state = [attributes, dict(module._parameters), dict(module._buffers), dict(module._modules)]
        self._classes[type(module)] = None
        return self._readable(type(module)) and all(map(self.take, state))

    def _code(self, value: Any) -> bool:
        """Functions, classes, partials and dataclasses; anything else may hold state that is not seen."""
        if isinstance(value, functools.partial):
            return self.take((value.func, value.args, value.keywords))
        if inspect.ismethod(value):
            return self.take((value.__func__, value.__self__))
        if inspect.isbuiltin(value) or inspect.ismethoddescriptor(value):
            # torch.relu and the like; the append of one list is another matter.
            owner = getattr(value, "__self__", None)
            return (owner is None or isinstance(owner, (type, ModuleType))) and self._text(value.__qualname__)
        if inspect.isclass(value):
            return self._readable(value)
        if inspect.isfunction(value):
            try:
                caught = [cell.cell_contents for cell in value.__closure__ or ()]
            except ValueError:
                return False
            return self._readable(value) and self.take(
                (self._own_code(value), caught, value.__defaults__, value.__kwdefaults__)
            )
        if is_dataclass(value):
            names = [each.name for each in fields(value)]
            return self._readable(type(value)) and self.take({name: getattr(value, name) for name in names})
        if self._beside and is_data_holder(value, self._sources.values()):
            return self.take(vars(value))
        return False

    def _own_code(self, function: Any) -> str:
        """What tells two lambdas of a file apart."""
        files, line = self._sources.get(function.__module__) or {}, function.__code__.co_firstlineno
        found = function_code(files.get(function.__module__, ""), line)
        if "|" not in found:
            return found or str(line)
        # Of several on one line, what they were compiled to tells them apart.
        code = function.__code__
        return f"{found} {code.co_code.hex()} {code.co_names} {[c for c in code.co_consts if isinstance(c, _PLAIN)]}"

    def _readable(self, code: Any) -> bool:
        """Whether the source of a class or function is at hand; then it is noted."""
        name = code.__module__
        self._text(f"{name}.{code.__qualname__}")
        if name == "builtins" or name.startswith("torch."):
            self._sources[name] = None
            return not name.startswith(_OWN_CODE)
        if name not in self._sources:
            self._sources[name] = source_files(name)
        return self._sources[name] is not None


def _shown(value: Any) -> str:
    return f"{type(value).__qualname__}.{value.name}" if isinstance(value, enum.Enum) else repr(value)
