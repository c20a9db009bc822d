"""What a `.pt2` archive may hold to be read without running Python that came with it.

`torch.export.load` unpickles sample inputs, weights, constants and custom objects, evaluates the texts of lengths and
guards as Python, and takes any attribute of `torch` for an operator. So every member is looked at first, and what is
not known to be harmless is refused.
"""

from __future__ import annotations

import ast
import io
import json
import pickle
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mammo_fixtures.errors import UnusableInput

_TEXT = (".json", "version", "byteorder", "archive_format", "serialization_id", ".txt", ".toml", ".md")
"""Endings of members that torch reads as text."""
_SYMBOL = re.compile(r"[a-z]{1,4}\d+")
_FUNCTION = re.compile(
    "Symbol|Integer|Rational|Float|Add|Mul|Pow|Mod|PythonMod|FloorDiv|CeilDiv|CleanDiv|ModularIndexing|Max|Min|Where|"
    "IntTrueDiv|FloatTrueDiv|TruncToInt|ToFloat|RoundToInt|CeilToInt|FloorToInt|PowByNatural|FloatPow|Piecewise|Eq|Ne|"
    "Le|Lt|Ge|Gt|And|Or|Not|Equality|Unequality|LessThan|GreaterThan|StrictLessThan|StrictGreaterThan|Identity|Abs|"
    "floor|ceiling|oo|int_oo|L|max|min|abs|torch|math"
)
"""What arithmetic on lengths is written with, in lengths and in guards."""
_ATTRIBUTE = re.compile(r"size|stride|storage_offset|dim|ndim|shape|floor|ceil|trunc|sym_[a-z]+")
_ARITHMETIC = (
    ast.Expression, ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Call, ast.keyword, ast.Subscript, ast.Load,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.Tuple,
)  # fmt: skip
_OPERATOR = re.compile(
    r"torch\.ops\.\w+\.\w+(?:\.\w+)?|torch\.sym_\w+|math\.\w+|"
    r"_operator\.(?:add|sub|mul|floordiv|truediv|mod|pow|neg|pos|abs|eq|ne|ge|gt|le|lt|and_|or_|not_|getitem|lshift|rshift)"
)


def refuse_pickles(path: Path) -> None:
    """Raises UnusableInput where the archive holds anything that could run Python while being read."""
    try:
        with zipfile.ZipFile(path) as archive:
            raw = _raw_tensors(archive)
            for name in archive.namelist():
                _check(archive, name, raw, path)
    except UnusableInput:
        raise
    except Exception as error:  # of a damaged archive zipfile raises its own, OSError, zlib.error and others
        raise UnusableInput(
            f"classifier {path.name}: a .pt2 file must be a whole archive, got {str(error) or type(error).__name__}"
        ) from error


def _raw_tensors(archive: zipfile.ZipFile) -> set[str]:
    """Names of members that are plain numbers, as the tables beside them say."""
    names = set()
    for table in archive.namelist():
        if re.search(r"/data/(weights|constants)/[^/]*_config\.json$", table):
            entries = _json(archive, table).get("config", {})
            folder = table.rpartition("/")[0]
            names |= {
                f"{folder}/{entry['path_name']}"
                for entry in entries.values()
                if entry.get("use_pickle") is False and str(entry["path_name"]).startswith(("weight_", "tensor_"))
            }
    return names


def _check(archive: zipfile.ZipFile, name: str, raw: set[str], path: Path) -> None:
    if name in raw or name.endswith("/") or "/.data/" in name or "/extra/" in f"/{name}" or "extra_files/" in name:
        return
    if name.endswith(_TEXT):
        if name.endswith(".json"):
            _check_program(_json(archive, name), name, path)
        return
    if not _is_harmless(archive.read(name)):
        raise UnusableInput(
            f"classifier {path.name}: {name} holds Python objects (a pickle), which may run any code when they are "
            "read; export the network again without them, or allow it with --mammo-allow-pickle where you trust its "
            "maker"
        )


def _is_harmless(content: bytes) -> bool:
    """Whether torch's restricted unpickler, which makes tensors and plain containers only, reads it all."""
    import torch

    if not content:
        return True
    try:
        torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError, TypeError, AttributeError):
        return False
    return True


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    try:
        return json.loads(archive.read(name))
    except ValueError as error:
        raise UnusableInput(f"classifier {archive.filename}: {name} must be JSON, {error}; export it again") from error


def _check_program(value: Any, name: str, path: Path) -> None:
    for kind, text in _code(value):
        if (kind == "operator" and (not _OPERATOR.fullmatch(text) or "__" in text)) or (
            kind != "operator" and not _is_arithmetic(text)
        ):
            raise UnusableInput(
                f"classifier {path.name}: {name} has the {kind} {text[:60]!r}, which is none of a network's and would "
                "run as Python; export the network again, or allow it with --mammo-allow-pickle where you trust its "
                "maker"
            )


def _code(value: Any) -> Iterator[tuple[str, str]]:
    """All texts of a program that torch evaluates or looks up."""
    if isinstance(value, list):
        for each in value:
            yield from _code(each)
    if not isinstance(value, dict):
        return
    if {"target", "inputs", "outputs"} <= set(value):
        yield "operator", str(value["target"])
    if "expr_str" in value:
        yield "length", str(value["expr_str"])
    for symbol in value.get("range_constraints") or ():
        yield "length", str(symbol)
    for guard in value.get("guards_code") or ():
        yield "guard", str(guard)
    for each in value.values():
        yield from _code(each)


def _is_arithmetic(text: str) -> bool:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return False
    return all(map(_is_plain, ast.walk(tree)))


def _is_plain(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return bool(_FUNCTION.fullmatch(node.id) or _SYMBOL.fullmatch(node.id))
    if isinstance(node, ast.Attribute):
        return bool(_ATTRIBUTE.fullmatch(node.attr))
    if isinstance(node, ast.Constant):
        # A text may be evaluated once more: it is a name, of a symbol or an input.
        return isinstance(node.value, (int, float)) or bool(re.fullmatch(r"\w+", str(node.value)))
    return isinstance(node, _ARITHMETIC)
