"""What is drawn beside a curve: its stored snapshot, the baseline, human readers."""

from __future__ import annotations

from typing import Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.score_table import ScoreTable
from mammo_fixtures.verdicts import Curve, curve
from mammo_fixtures.verdicts.curve import question_of
from mammo_fixtures.verdicts.snapshot_text import stored_values


def of_table(drawn: Curve, table: ScoreTable, *, kind: str, name: str) -> dict[str, Any] | None:
    """The same curve of another table; None where it has nothing to show for it."""
    try:
        other = curve(table, drawn.perturbation, unit=drawn.unit, **question_of(drawn))
    except UnusableInput:  # a stratum that people's table lacks, or scores that are no probabilities
        return None
    points = [point for point in other.as_dict()["points"] if point["value"] is not None]
    return _beside(drawn, kind, name, points) if points else None


def of_snapshot(drawn: Curve, stored: str, now: str) -> dict[str, Any] | None:
    """The curve as stored, where it is of the same cohort, classifier, record and seed."""
    values = stored_values(stored, comparable_to=now)
    points = [{"severity": severity, "value": value, "low": None, "high": None} for severity, value in values.items()]
    return _beside(drawn, "snapshot", "stored snapshot", points) if points else None


def _beside(drawn: Curve, kind: str, name: str, points: list[dict[str, Any]]) -> dict[str, Any]:
    about = {key: value for key, value in drawn.as_dict().items() if key != "points"}
    figures = ("severity", "value", "low", "high")
    return about | {"kind": kind, "name": name, "points": [{key: p[key] for key in figures} for p in points]}
