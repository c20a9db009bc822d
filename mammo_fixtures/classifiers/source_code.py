"""What one file of Python says: its code without comments and layout, what it imports, and what it makes at import."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

_OF_THE_PROCESS = frozenset(
    ("time", "time_ns", "monotonic", "perf_counter", "now", "utcnow", "today", "getpid", "gethostname", "uuid1",
     "uuid4", "urandom", "mkdtemp", "cpu_count", "process_cpu_count", "get_num_threads", "device_count", "is_available")
)  # fmt: skip
"""Calls whose results differ from one process to the next and decide no score."""
_EMPTY = frozenset({"list", "dict", "set", "deque", "Counter", "OrderedDict", "defaultdict", "count"})
"""Calls that make what is filled later on."""
_MODULE_LEVEL_ENDS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_END = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCode:
    """One file, read and not run."""

    digest: str
    """Of its code: comments, layout and quotes do not count, nor does the version of Python."""
    imports: tuple[tuple[int, str, tuple[str, ...]], ...] = ()
    """Level, module and names of each import, at any depth; names are empty in `import module`."""
    made: frozenset[str] = frozenset()
    """Names of the module that get more than a literal: what a configuration file or the environment says."""
    used: frozenset[str] = frozenset()
    """Names that its functions and classes read, and what it takes from other modules."""


@functools.lru_cache(maxsize=4096)  # parsing costs far more than reading
def read_code(text: str) -> SourceCode:
    """What a file's text says; one that is no Python is known by its text."""
    tree = _tree(text)
    if tree is None:
        return SourceCode(digest=hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest())
    nodes = list(ast.walk(tree))
    return SourceCode(
        digest=_digest(tree),
        imports=tuple(_imports(nodes)),
        made=frozenset((*_made(tree), *_set_later(nodes))) - _counted(nodes),
        used=frozenset(_used(nodes)),
    )


def function_code(text: str, line: int) -> str:
    """The code of the functions that begin on a line; empty where there is none."""
    tree = _tree(text)
    return "" if tree is None else "|".join(_digest(node) for node in ast.walk(tree) if _first_line(node) == line)


@functools.lru_cache(maxsize=16)  # each function of a file asks for it
def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _first_line(node: ast.AST) -> int:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return node.lineno if isinstance(node, ast.Lambda) else 0


def _digest(tree: ast.AST) -> str:
    digest = hashlib.sha256()
    for part in _written(tree):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _written(tree: ast.AST) -> Iterator[str]:
    """The tree as text: what is absent is left out, so that fields of later Pythons change nothing."""
    waiting: list[object] = [tree]
    while waiting:
        each = waiting.pop()
        if each is _END:
            yield ")"
        elif isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
            continue  # a docstring
        elif isinstance(each, ast.AST):
            yield f"({type(each).__name__}"
            waiting.append(_END)
            for name, value in reversed(list(ast.iter_fields(each))):
                if name in ("ctx", "kind", "type_comment", "type_ignores") or value is None or value == []:
                    continue
                waiting += [value, _Named(name)]
        elif isinstance(each, list):
            yield "["
            waiting += [_END, *reversed(each)]
        elif isinstance(each, _Named):
            yield str(each)
        else:
            yield f"{type(each).__name__} {each!r}"


class _Named(str):
    """A field's name, which is no value."""

    __slots__ = ()


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((0, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", tuple(alias.name for alias in node.names)


def _made(tree: ast.Module) -> Iterator[str]:
    """Names that statements outside of functions and classes give a value, or work on, that is not in the text."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, _MODULE_LEVEL_ENDS):
            if isinstance(node, ast.ClassDef):
                yield node.name  # whose attributes may be made as it is
            continue
        waiting += ast.iter_child_nodes(node)
        value = getattr(node, "value", None)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and (
            value is None or _is_literal(value) or _of_process(value)
        ):
            continue
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr, ast.For, ast.With, ast.Expr)):
            inside = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
            changed = {each.id for each in inside if isinstance(each.ctx, ast.Store)}
            touched = {each.id for each in inside if isinstance(node, ast.Expr) or _is_part(node, each)}
            yield from changed | touched


def _is_part(node: ast.AST, name: ast.Name) -> bool:
    """Whether an assignment is to an item or attribute of a name."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(each, (ast.Subscript, ast.Attribute)) and name in ast.walk(each) for each in targets)


def _is_literal(value: ast.expr) -> bool:
    if isinstance(value, ast.Call) and getattr(value.func, "attr", getattr(value.func, "id", "")) in _EMPTY:
        return not any(isinstance(each, ast.Call) for arg in value.args for each in ast.walk(arg))
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _of_process(value: ast.expr) -> bool:
    calls = [each.func for each in ast.walk(value) if isinstance(each, ast.Call)]
    names = {getattr(each, "attr", getattr(each, "id", "")) for each in calls}
    return bool(names & _OF_THE_PROCESS)


def _set_later(nodes: list[ast.AST]) -> Iterator[str]:
    """Names of the module that its functions set, as one that loads the network."""
    shared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    for node in nodes:
        if isinstance(node, ast.Assign) and not _is_literal(node.value) and not _of_process(node.value):
            yield from shared & {
                each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)
            }


def _counted(nodes: list[ast.AST]) -> frozenset[str]:
    """Names of the module that its functions count up: they are what has happened, not what will."""
    shared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    counted = {n.target.id for n in nodes if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)}
    return frozenset(shared & counted)


def _used(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, _MODULE_LEVEL_ENDS):
            yield from (each.id for each in ast.walk(node) if isinstance(each, ast.Name))
