"""What the gate needs of the Python and the pytest that run it."""

from __future__ import annotations

import sys

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.options import KEYS, unknown_said


def check_surroundings(config: pytest.Config) -> None:
    """Raises UnusableInput where checks would pass unmade, nothing can compare curves, or a key is misspelt."""
    if sys.flags.optimize:
        raise UnusableInput(
            "the gate needs its assertions, got a Python that removes them (-O or PYTHONOPTIMIZE); leave that out"
        )
    if not hasattr(config.option, "update_snapshots"):
        raise UnusableInput(
            "the gate needs the pytest plugin syrupy, got a pytest without it; leave out -p no:syrupy, unset "
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD or add -p syrupy"
        )
    # Of unknown keys pytest warns at most. It has no public name for all those that are set; before
    # 9.0.2 they had the other one, which warns since.
    for key in getattr(config, "_inicfg" if hasattr(config, "_inicfg") else "inicfg", {}):
        if key.startswith("mammo_") and key not in KEYS:
            raise UnusableInput(f"{config.inipath.name if config.inipath else '-o'}: {unknown_said(key)}")
