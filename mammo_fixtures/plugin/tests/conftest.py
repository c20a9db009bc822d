"""What the self-tests of the plugin share: the workflow is tested by running pytest in a folder of its own."""

from pathlib import Path

import pytest

from mammo_fixtures.plugin.tests.gate_folder import make_gate
from mammo_fixtures.plugin.tests.installed import build, install


def pytest_configure(config):
    # pytest takes no `pytest_plugins` from a conftest that it meets while collecting, as in `pytest mammo_fixtures`.
    if not config.pluginmanager.has_plugin("pytester"):
        config.pluginmanager.import_plugin("pytester")
        # The defaults of its options, which are parsed by now.
        config.option.runpytest, config.option.lsof = "inprocess", False


@pytest.fixture
def gate(pytester):
    """A folder with the claims, small exams and a classifier, to run the gate in."""
    make_gate(pytester, Path(__file__).resolve().parents[3] / "robustness_tests")
    return pytester


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("wheel") / "first")


@pytest.fixture(scope="session")
def python(wheel, tmp_path_factory):
    """Python of an environment that has the wheel and knows nothing of this checkout."""
    return install(wheel, tmp_path_factory.mktemp("environment"))
