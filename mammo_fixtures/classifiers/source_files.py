"""The Python source that a class or function rests on: its file, and what that imports of the same package."""

from __future__ import annotations

import ast
import functools
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path


def source_files(module_name: str) -> dict[str, str] | None:
    """Source by module name, of a loaded module and of all that it imports from its own package or its own folder.

    None where the module has no source file: typed in at a prompt, or compiled. Nothing is imported to find out.
    """
    path = Path(getattr(sys.modules.get(module_name), "__file__", None) or "")
    depth = len(module_name.split(".")) - (path.name != "__init__.py")
    if path.suffix != ".py" or not path.is_file() or depth >= len(path.parents):
        return None
    root = path.parents[depth]
    is_lone = "." not in module_name and path.name != "__init__.py"
    if is_lone and str(root) in sysconfig.get_paths().values():
        # A lone file among installed packages: all of them would seem to be its own.
        return {module_name: _text(path)}
    own = "" if is_lone else module_name.partition(".")[0]
    found: dict[str, str] = {}
    waiting = [(module_name, path)]
    while waiting:
        name, path = waiting.pop()
        if name in found:
            continue
        found[name] = _text(path)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for other in _imported(package, found[name]):
            file = _file_of(other, root)
            if file is not None and own in ("", other.partition(".")[0]):
                waiting.append((other, file))
    return found


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def _file_of(name: str, root: Path) -> Path | None:
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    place = root.joinpath(*name.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


@functools.lru_cache(maxsize=1024)  # parsing costs far more than reading
def _imported(package: str, source: str) -> tuple[str, ...]:
    """Names that may be modules, in imports at any depth of a file of the package."""
    try:
        return tuple(_names(package, ast.parse(source)))
    except (SyntaxError, ValueError):
        return ()


def _names(package: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], base]).strip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
