"""Names the plugin, nothing else."""

pytest_plugins = ("mammo_fixtures.plugin.hooks", "mammo_fixtures.plugin.fixtures")
