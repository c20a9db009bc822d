"""What the gate needs of the Python and the pytest that run it."""

from __future__ import annotations

import sys

import pytest

from mammo_fixtures.errors import UnusableInput


def check_surroundings(config: pytest.Config) -> None:
    """Raises UnusableInput where checks would pass unmade, or the curves have nothing that compares them."""
    if sys.flags.optimize:
        raise UnusableInput(
            "the gate needs its assertions, got a Python that removes them (-O or PYTHONOPTIMIZE); leave that out"
        )
    if not hasattr(config.option, "update_snapshots"):
        raise UnusableInput(
            "the gate needs the pytest plugin syrupy, got a pytest without it; leave out -p no:syrupy, unset "
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD or add -p syrupy"
        )
