"""Curves of readers and classifiers side by side: who loses what, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.score_table import ScoreTable
from mammo_fixtures.verdicts.curve import Curve, curve
from mammo_fixtures.verdicts.sentence import bounded, severity_text


def of_readers(table: ScoreTable, readers: Sequence[str]) -> ScoreTable:
    """The scores of some readers of a table, say of its people or of its training runs."""
    unknown = [name for name in readers if name not in table.readers]
    if unknown or not readers:
        raise UnusableInput(
            f"{table.source or 'score table'}: readers must be some of {', '.join(table.readers)}, got "
            f"{unknown[0] if unknown else 'none'!r}; name those"
        )
    places = [table.readers.index(name) for name in readers]
    return replace(table, readers=tuple(readers), scores=table.scores[:, :, places])


def side_by_side(tables: Mapping[str, ScoreTable], perturbation: str, **asked: Any) -> dict[str, Curve]:
    """One curve for each named table, drawn alike; `asked` as of `curve`."""
    return {name: curve(table, perturbation, **asked) for name, table in tables.items()}


def as_text(curves: Mapping[str, Curve]) -> str:
    """A row a severity, a column a name, each with its interval; people and classifiers need not share breasts."""
    severities = list(dict.fromkeys(point.severity for drawn in curves.values() for point in drawn.points))
    rows = [["severity", *curves]]
    for severity in severities:
        points = [
            next((point for point in drawn.points if point.severity == severity), None) for drawn in curves.values()
        ]
        rows.append(
            ["clean" if severity == 0.0 else severity_text(severity)]
            + ["–" if point is None else bounded(point.value, point.low, point.high) for point in points]
        )
    rows.append(["malignant/not", *(f"{drawn.clean.positives}/{drawn.clean.negatives}" for drawn in curves.values())])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
