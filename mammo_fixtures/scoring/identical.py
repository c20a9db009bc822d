"""Scores that equal the clean ones bit for bit: as a rule the clean images were scored by mistake."""

from __future__ import annotations

from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable

SUSPICIOUS_SHARE = 0.99


def identical_to_clean(table: ScoreTable) -> dict[Condition, float]:
    """Share of breasts with bit-identical scores of all readers, for the conditions where it reaches 99 %."""
    clean = table.at(CLEAN)
    shares: dict[Condition, float] = {}
    for condition in table.conditions:
        scores = table.at(condition)
        given = ~(scores != scores).all(axis=1)
        if condition == CLEAN or not given.any():
            continue
        same = ((scores == clean) | ((scores != scores) & (clean != clean))).all(axis=1)
        share = float(same[given].mean())
        if share >= SUSPICIOUS_SHARE:
            shares[condition] = share
    return shares
