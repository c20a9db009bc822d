"""The Python source that a class or function rests on: its file, and what that imports of the user's own code."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from mammo_fixtures.classifiers.source_code import read_code

_NOT_OF_A_CLASSIFIER = frozenset({"mammo_fixtures", "robustness_tests"})
"""What the gate itself is made of; how it prepares input has a version of its own."""
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_SEEN: dict[str, tuple[object, str]] = {}
"""Text of loaded modules when it was first asked for, with what each load of a module has anew: its specification."""


def source_files(module_name: str) -> dict[str, str] | None:
    """Source by module name, of a loaded module and of all that it imports of code that is not installed.

    That is what its own package, its own folder and other folders hold, but neither Python's library nor other
    packages in the environment. It is the source as it was when it was first asked for after a module was loaded: a
    file that is edited in a notebook's lifetime is not the code that runs, until it is reloaded. None where the module
    has no source file: typed in at a prompt, or compiled. Nothing is imported to find out.
    """
    path = Path(getattr(sys.modules.get(module_name), "__file__", None) or "")
    depth = len(module_name.split(".")) - (path.name != "__init__.py")
    if path.suffix != ".py" or not path.is_file() or depth >= len(path.parents):
        return None
    root = path.parents[depth]
    is_lone = "." not in module_name and path.name != "__init__.py"
    if is_lone and str(root) in sysconfig.get_paths().values():
        # A lone file among installed packages: all of them would seem to be its own.
        return {module_name: _text(module_name, path)}
    # Where packages lie, by name; a lone file has its folder for its package.
    roots: dict[str, Path | None] = {module_name.partition(".")[0]: root}
    found: dict[str, str] = {}
    waiting = [(module_name, path)]
    while waiting:
        name, path = waiting.pop()
        if name in found:
            continue
        found[name] = _text(name, path)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for other in _imported(package, found[name]):
            top = other.partition(".")[0]
            if top not in roots:
                roots[top] = (
                    root if is_lone and _file_of(top, root) and top not in _NOT_OF_A_CLASSIFIER else _root_of(top)
                )
            place = roots[top]
            file = None if place is None else _file_of(other, place)
            if file is not None:
                waiting.append((other, file))
    return found


def remember(module_name: str) -> None:
    """Ask for a loaded module's source now, before anyone edits it; costs nothing where that was done."""
    if module_name.partition(".")[0] not in ("torch", "builtins") and not _is_seen(module_name):
        source_files(module_name)


def _is_seen(name: str) -> bool:
    loaded = getattr(sys.modules.get(name), "__spec__", None)
    return loaded is not None and name in _SEEN and _SEEN[name][0] is loaded


def _root_of(top: str) -> Path | None:
    """The folder that holds a package or module; None for what is installed, Python's or this suite's own."""
    if not top.isidentifier() or top in sys.stdlib_module_names or top in _NOT_OF_A_CLASSIFIER:
        return None
    try:
        spec = getattr(sys.modules.get(top), "__spec__", None) or importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    inside = list(spec.submodule_search_locations or ())
    places = [Path(inside[0]).parent] if inside else [Path(spec.origin or "").parent] if spec.has_location else []
    ours = [place for place in places if not _INSTALLED & set(place.parts)]
    return ours[0] if ours and str(ours[0]) not in sysconfig.get_paths().values() else None


def _text(name: str, path: Path) -> str:
    if _is_seen(name):
        return _SEEN[name][1]
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    loaded = getattr(sys.modules.get(name), "__spec__", None)
    if loaded is not None:
        _SEEN[name] = loaded, text
    return text


def _file_of(name: str, root: Path) -> Path | None:
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    place = root.joinpath(*name.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def _imported(package: str, source: str) -> Iterator[str]:
    """Names that may be modules, in imports at any depth of a file of the package."""
    for level, module, names in read_code(source).imports:
        base = module
        if level:
            parts = package.split(".")
            base = ".".join([*parts[: len(parts) - level + 1], module]).strip(".")
        yield base
        yield from (f"{base}.{name}" for name in names)
