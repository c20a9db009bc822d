"""What messages call a condition, and a view under it."""

from __future__ import annotations

from mammo_fixtures.exams import View
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.score_table import CLEAN, Condition


def condition_text(condition: Condition) -> str:
    """`lowpass 0.5 mm`, or `clean`."""
    if condition == CLEAN:
        return "clean"
    record = PERTURBATIONS[condition.perturbation]
    return f"{record.name} {condition.severity:g} {record.unit}"


def view_text(view: View, condition: Condition) -> str:
    """`exam 17, L-MLO, lowpass 0.5 mm`."""
    return f"{view.name}, {condition_text(condition)}"
