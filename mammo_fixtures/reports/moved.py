"""The breasts whose score moved most, where it should have stayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mammo_fixtures.reports.findings import CATALOGUE
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts import Tolerance
from mammo_fixtures.verdicts.tolerance import MAY_LOSE

SHOWN = 8


def where_scores_should_stay(
    table: ScoreTable, tolerances: Sequence[Tolerance], planned: Sequence[Condition]
) -> list[Condition]:
    """Conditions of the run that a claim says to hold; all of its perturbed ones where no claim says so."""
    there = [c for c in planned if c.perturbation in CATALOGUE and c in table.conditions]
    held = {Condition(t.perturbation, severity) for t in tolerances if t.claim in MAY_LOSE for severity in t.severities}
    ladders = {t.perturbation for t in tolerances if t.claim in MAY_LOSE and not t.severities}
    return [c for c in there if c in held or c.perturbation in ladders] or there


def moved(table: ScoreTable, conditions: Sequence[Condition], *, shown: int = SHOWN) -> list[dict[str, Any]]:
    """The breasts with the largest change of score, readers averaged, each once under what moved it most.

    `clean_rank` and `perturbed_rank` are the shares of clean scores below, which compare whatever the scale of scores.
    """
    if not conditions or CLEAN not in table.conditions:
        return []
    clean = table.at(CLEAN).mean(axis=1)
    after = np.stack([table.at(condition).mean(axis=1) for condition in conditions])
    change = np.abs(after - clean)
    change[np.isnan(change)] = -1.0
    worst = change.argmax(axis=0)
    largest = change[worst, np.arange(len(clean))]
    ordered = np.sort(clean[~np.isnan(clean)])
    found = []
    for breast in np.argsort(-largest, kind="stable")[:shown].tolist():
        if largest[breast] <= 0.0:
            break
        condition, score = conditions[worst[breast]], float(after[worst[breast], breast])
        found.append(
            {
                "exam_id": str(table.exam_id[breast]),
                "side": str(table.side[breast]),
                "malignant": {1: True, 0: False}.get(int(table.malignant[breast])),
                "subgroup": str(table.subgroup[breast]),
                "perturbation": condition.perturbation,
                "severity": float(condition.severity),
                "clean": float(clean[breast]),
                "perturbed": score,
                "clean_rank": _below(ordered, float(clean[breast])),
                "perturbed_rank": _below(ordered, score),
            }
        )
    return found


def _below(ordered: Any, score: float) -> float:
    return float(np.searchsorted(ordered, score) / len(ordered))
