"""What the suite does in every run of pytest where it is installed: it knows its keys, and one mistake.

A project keeps its `mammo_…` keys in its own pytest configuration; its own runs must not call them unknown.

With `--mammo-scores scores.csv`, pytest counts the file among its test paths, moves its root folder to it and never
reads this project's conftest.py, so that the options seem unknown. This module is loaded by its entry point and
therefore also then.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mammo_fixtures.plugin.options import OPTIONS, add_ini_keys

_WITH_VALUE = {option.flag for option in OPTIONS}


def pytest_addoption(parser: pytest.Parser) -> None:
    add_ini_keys(parser)


def pytest_load_initial_conftests(args: list[str]) -> None:
    for option, value in itertools.pairwise(args):
        if option in _WITH_VALUE and Path(value).exists():
            raise pytest.UsageError(
                f"{option} must be followed by = and its value, got a space: pytest takes an existing path for a test "
                f"path; write {option}={value}"
            )
