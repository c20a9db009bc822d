"""What a classifier in a file or behind an endpoint declares of itself: the fields of `Classifier`, as TOML or JSON."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.errors import UnusableInput

NAME = "mammo.toml"
"""Name of the declaration inside a TorchScript or `.pt2` file, and the metadata key in an `.onnx` one."""
REQUIRED = ("score", "intensity")
"""Without these, whoever reads a file must guess what its numbers mean, coming out and going in."""
EXAMPLE = 'score = "logit"; intensity = [0, 1]; input_size = [2944, 1920]; chest_wall = "left"'

Declaration = Mapping[str, Any]


def parsed(text: str, where: str) -> dict[str, Any]:
    """The declaration in a TOML text, checked. `where` names it in messages."""
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists in lists
        raise UnusableInput(f"{where}: a declaration must be TOML, {error}; an example: {EXAMPLE}") from error
    return checked(found, where)


def embedded_text(found: str | bytes, path: Path) -> str:
    """The declaration as it lay in a file."""
    try:
        return found.decode() if isinstance(found, bytes) else found
    except UnicodeDecodeError as error:
        raise UnusableInput(f"the declaration in {path.name}: must be UTF-8, got {error}; write it again") from error


def checked(declared: Any, where: str) -> dict[str, Any]:
    """Arguments for `Classifier` from what TOML or JSON holds. Raises UnusableInput where a key or type is wrong."""
    if not isinstance(declared, Mapping):
        raise UnusableInput(f"{where}: a declaration must be a table of fields, got {type(declared).__name__}")
    unknown = [name for name in declared if name not in _READ]
    if unknown:
        near = difflib.get_close_matches(unknown[0], _READ, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UnusableInput(f"{where}: {unknown[0]!r} is no field of a classifier; {meant}there are {', '.join(_READ)}")
    missing = [name for name in REQUIRED if name not in declared]
    if missing:
        raise UnusableInput(
            f"{where}: a declaration needs {' and '.join(REQUIRED)}, got no {missing[0]}; an example: {EXAMPLE}"
        )
    given = {}
    for name, value in declared.items():
        accept, rule = _READ[name]
        try:
            given[name] = accept(value)
        except (TypeError, ValueError):
            raise UnusableInput(f"{where}: {name} must be {rule}, got {value!r}") from None
    return given


def made(network: Callable[..., Any], declared: Declaration, *, name: str, fingerprint: str) -> Classifier:
    """The classifier of a network and its checked declaration."""
    return Classifier(network, **({"name": name} | dict(declared)), fingerprint=fingerprint)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _pair(of: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def accept(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) != 2:
            raise TypeError
        return tuple(of(each) for each in value)

    return accept


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(each) for each in value)


def _notes(value: Any) -> dict[str, str]:
    return {_text(name): _text(each) for name, each in dict(value).items()}


_TEXT, _FLAG = (_text, "a text"), (_flag, "true or false")
_READ: dict[str, tuple[Callable[[Any], Any], str]] = {
    "name": _TEXT,
    "level": _TEXT,
    "score": _TEXT,
    "aggregate": _TEXT,
    "input_size": (_pair(_whole), "two whole numbers, [rows, columns]"),
    "fit": _TEXT,
    "pixel_spacing_mm": (_number, "a length in mm"),
    "intensity": (_pair(_number), "two numbers, [value of black, value of white]"),
    "integers": _FLAG,
    "voi": _FLAG,
    "chest_wall": _TEXT,
    "channels": (_whole, "a whole number"),
    "views": (_texts, 'a list of texts, such as ["L-CC", "R-CC"]'),
    "missing_views": _TEXT,
    "cancels": (_texts, "a list of texts"),
    "notes": (_notes, "a table of texts"),
}
assert set(_READ) == {each.name for each in fields(Classifier)} - {"network", "fingerprint"}
