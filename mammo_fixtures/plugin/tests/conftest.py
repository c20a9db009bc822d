"""The workflow is tested by running pytest in a folder of its own."""

pytest_plugins = ["pytester"]
