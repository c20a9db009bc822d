"""The pytest plugin: the only place that knows pytest and syrupy."""
