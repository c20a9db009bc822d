"""Engines: where the exams of a pass are scored."""

from mammo_fixtures.scoring.engines.engine import Engine, Work

__all__ = ["Engine", "Work"]
