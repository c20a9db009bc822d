"""What the suite does in every run of pytest where it is installed: it knows its keys, and what is nearly an option.

A project keeps its `mammo_…` keys in its own pytest configuration; its own runs must not call them unknown.

With `--mammo-scores scores.csv`, pytest counts the file among its test paths, moves its root folder to it and never
reads this project's conftest.py, so that the options seem unknown. This module is loaded by its entry point and
therefore also then, and in folders without the claims, where pytest knows no option of the gate.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from mammo_fixtures.plugin.options import INIT, OPTIONS, PLAN, POWER, SWITCHES, add_ini_keys

_METAVARS = {option.flag: option.metavar for option in OPTIONS}
_WITH_VALUE = frozenset(_METAVARS)
_WITHOUT_VALUE = frozenset((*SWITCHES.values(), PLAN))
_GATE = "mammo_fixtures.plugin.hooks"
_KNOWN = sorted(_WITH_VALUE | _WITHOUT_VALUE | {POWER, INIT})


def pytest_addoption(parser: pytest.Parser) -> None:
    add_ini_keys(parser)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Iterator[None]:
    check_form(args)
    yield
    flags = [flag for flag in (argument.partition("=")[0] for argument in args) if flag in _KNOWN]
    if flags and not early_config.pluginmanager.has_plugin(_GATE):
        raise pytest.UsageError(
            f"{flags[0]} is an option of the gate, and pytest finds its claims in a checkout of the suite only; "
            "elsewhere type python -m robustness_tests in place of pytest"
        )


def check_form(args: list[str]) -> None:
    """Refuse names that are nearly options, values that are missing or too many, and a path after a space.

    argparse would tell these after many lines of usage.
    """
    for argument, after in itertools.pairwise([*args, "-"]):
        flag, sign, _ = argument.partition("=")
        if flag in _WITHOUT_VALUE and sign:
            raise pytest.UsageError(f"{flag} takes no value, got {argument}; write {flag}, or leave it out")
        if argument in _WITH_VALUE and after.startswith("-"):
            raise pytest.UsageError(
                f"{flag} must have a value, got none; write {flag}={_METAVARS[flag]}, or leave the option out"
            )
        as_written = "--" + flag.lstrip("-").lower().replace("_", "-")
        if flag.startswith("-") and as_written.startswith("--mammo-") and flag not in _KNOWN:
            near = difflib.get_close_matches(as_written, _KNOWN, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(_KNOWN)}"
            raise pytest.UsageError(f"{flag} is no option of mammo-robustness{hint}")
    for option, value in itertools.pairwise(args):
        if option in _WITH_VALUE and _exists(value):
            raise pytest.UsageError(
                f"{option} must be followed by = and its value, got a space: pytest takes an existing path for a test "
                f"path; write {option}={value}"
            )


def _exists(value: str) -> bool:
    try:
        return Path(value).exists()
    except OSError:  # too long a name, a folder that may not be entered
        return False
