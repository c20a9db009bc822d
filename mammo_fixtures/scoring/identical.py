"""Scores that equal the clean ones bit for bit: as a rule the clean images were scored by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUSPICIOUS_SHARE = 0.99


def identical_to_clean(table: ScoreTable) -> dict[Condition, float]:
    """Share of breasts with bit-identical scores of all readers, for the conditions where it reaches 99 %.

    Of the malignant breasts, where a lesion's region is perturbed: others may have none, and then stay clean.
    """
    clean = table.at(CLEAN)
    shares: dict[Condition, float] = {}
    for condition in table.conditions:
        scores = table.at(condition)
        given = ~(scores != scores).all(axis=1) & _may_differ(table, condition)
        if condition == CLEAN or not given.any():
            continue
        same = ((scores == clean) | ((scores != scores) & (clean != clean))).all(axis=1)
        share = float(same[given].mean())
        if share >= SUSPICIOUS_SHARE:
            shares[condition] = share
    return shares


def doubt_of(shares: dict[Condition, float]) -> str:
    """What a reader of a table must know who cannot ask how its scores came about; empty where nothing is identical."""
    if not shares:
        return ""
    first, others = next(iter(shares)), len(shares) - 1
    named = f"{first.perturbation} {first.severity:g}" + (f" and {others} more" if others else "")
    return (
        f"scores under {named} are bit-identical to clean for {min(shares.values()):.1%} of breasts or more: the clean "
        "images were scored, or the classifier does not see the change; a table alone cannot tell, so it is judged"
    )


def _may_differ(table: ScoreTable, condition: Condition) -> NDArray[np.bool_]:
    of_regions = {record.name for record in PERTURBATIONS if record.needs == "region"}
    differ: NDArray[np.bool_] = (table.malignant == 1) | (condition.perturbation not in of_regions)
    return differ
