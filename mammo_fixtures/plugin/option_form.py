"""Recognises an option written with a space before an existing path, which pytest takes for a test path.

With `--mammo-scores scores.csv`, pytest counts the file among its test paths, moves its root folder to it and never
reads this project's conftest.py, so that the options seem unknown. This module is loaded by its entry point and
therefore also then; it does nothing else.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest


def pytest_load_initial_conftests(args: list[str]) -> None:
    for option, value in itertools.pairwise(args):
        if option.startswith("--mammo-") and "=" not in option and option != "--mammo-strict" and Path(value).exists():
            raise pytest.UsageError(
                f"{option} must be followed by = and its value, got a space: pytest takes an existing path for a test "
                f"path; write {option}={value}"
            )
