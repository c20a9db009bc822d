"""What a person should know when `-k` selects nothing: a near name, or that the claims are extended."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from functools import partial

import pytest
from _pytest.mark.expression import Expression

_GONE = pytest.StashKey[dict[str, bool]]()
"""Ids that were deselected, and whether for being extended."""
_WORDS = ("and", "or", "not")


def remember(items: Sequence[pytest.Item]) -> None:
    """Keep the names of deselected tests."""
    if items:
        gone = items[0].config.stash.setdefault(_GONE, {})
        gone.update({item.nodeid: item.get_closest_marker("extended") is not None for item in items})


def advice(config: pytest.Config) -> list[str]:
    """A line that says what to type instead; none where no `-k` was given."""
    keyword, gone = config.option.keyword, config.stash.get(_GONE, {})
    if not keyword or not gone:
        return []
    chosen = Expression.compile(keyword)
    meant = [name for name in gone if chosen.evaluate(partial(_stands_in, name.lower()))]
    if meant and all(gone[name] for name in meant) and "extended" not in config.option.markexpr:
        return [f"note: -k selects {len(meant)} tests, all of them extended; add -m extended"]
    said = [f"note: {_unknown(word, gone)}" for word in re.findall(r"[^\s()]+", keyword) if _is_unknown(word, gone)]
    return said or ["note: no test has what -k asks for; --co -q lists their ids"]


def _stands_in(name: str, word: str, /, **_: object) -> bool:
    return word.lower() in name


def _is_unknown(word: str, ids: dict[str, bool]) -> bool:
    return word not in _WORDS and not any(word.lower() in name.lower() for name in ids)


def _unknown(word: str, ids: dict[str, bool]) -> str:
    names = sorted({part for name in ids for part in re.split(r"::|[\[\]/]|-", name) if part})
    near = difflib.get_close_matches(word, names, n=1)
    return f"-k: no test is called {word!r}" + (f"; did you mean {near[0]}?" if near else "; --co -q lists their ids")
