"""What the self-tests of the plugin share."""

from pathlib import Path

import pytest

from mammo_fixtures.plugin.tests.gate_folder import make_gate

pytest_plugins = ["pytester"]


@pytest.fixture
def gate(pytester):
    """A folder with the claims, small exams and a classifier, to run the gate in."""
    make_gate(pytester, Path(__file__).resolve().parents[3] / "robustness_tests")
    return pytester
