"""Perturbations whose metrics are means over others: a Fourier map's profile is the mean over its orientations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """The conditions that a condition's figures are made from: as a rule itself."""
    if condition.perturbation not in PERTURBATIONS.names:
        return (condition,)
    return tuple(Condition(part, condition.severity) for part in PERTURBATIONS.parts(condition.perturbation))


def averaged(table: ScoreTable, perturbation: str) -> ScoreTable:
    """The table in which a mean over perturbations stands as one, the scores of each as those of a reader apart.

    A metric is the mean over readers of each one's metric, with one variance: so it becomes the mean over the parts.
    The severities are those that the table has of all parts. Any other perturbation leaves the table as it is.
    """
    parts = PERTURBATIONS.parts(perturbation) if perturbation in PERTURBATIONS.names else (perturbation,)
    if parts == (perturbation,) or CLEAN not in table.conditions:
        return table
    severities = [s for s in table.severities(parts[0]) if all(Condition(p, s) in table.conditions for p in parts)]
    scores = [np.tile(table.at(CLEAN), len(parts))]
    scores += [np.hstack([table.at(Condition(part, s)) for part in parts]) for s in severities]
    return replace(
        table,
        conditions=(CLEAN, *(Condition(perturbation, s) for s in severities)),
        readers=tuple(f"{reader}, {part}" for part in parts for reader in table.readers),
        scores=np.stack(scores),
    )
