"""Scoring: which conditions are needed, one pass over the exams, and the table of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable

if TYPE_CHECKING:
    from mammo_fixtures.scoring.one_pass import score

__all__ = ["CLEAN", "Condition", "ScoreTable", "score"]


def __getattr__(name: str) -> Any:
    if name == "score":
        from mammo_fixtures.scoring.one_pass import score

        return score
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
