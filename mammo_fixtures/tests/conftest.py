"""Pages are tested by running pytest in a folder of its own, as the plugin's own tests do."""

from mammo_fixtures.plugin.tests.conftest import pytest_configure  # noqa: F401 - a hook
