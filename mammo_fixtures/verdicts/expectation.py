"""What an unchanged classifier is expected to show, from scores at hand or from counts alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts.curve import curve
from mammo_fixtures.verdicts.power import Expected, power
from mammo_fixtures.verdicts.sampling import chosen
from mammo_fixtures.verdicts.tolerance import MAY_LOSE, Tolerance

if TYPE_CHECKING:
    from numpy.typing import NDArray

ASSUMED_AUC = 0.85
"""Of a classifier that nobody has measured."""
ASSUMED_JITTER = 0.05
_LEAST_JITTER = 1e-4
_CITED = 60
"""Cohorts behind a chance that is told to one digit."""


def severities_of(tolerance: Tolerance) -> tuple[float, ...]:
    """The severities that a tolerance judges."""
    from mammo_fixtures.perturbations import PERTURBATIONS

    if tolerance.severities or tolerance.perturbation == CLEAN.perturbation:
        return tolerance.severities
    return PERTURBATIONS[tolerance.perturbation].severities


def from_counts(tolerances: Iterable[Tolerance], positives: int, *, clean: float = ASSUMED_AUC) -> list[Expected]:
    """Every subgroup with so many malignant breasts and this clean AUC; where a claim is to respond, all is lost."""
    return [
        Expected(
            tolerance=tolerance,
            severity=severity,
            kind=tolerance.subgroup,
            positives=positives,
            clean=clean,
            fall=0.0 if tolerance.claim in MAY_LOSE else clean - 0.5,
            jitter=ASSUMED_JITTER,
        )
        for tolerance in judged_by_auc(tolerances)
        for severity in severities_of(tolerance)
    ]


def from_scores(tolerances: Iterable[Tolerance], table: ScoreTable) -> list[Expected]:
    """Counts, clean AUC and jitter of the scores at hand; a claim that is to respond falls as it did."""
    found = []
    for tolerance in judged_by_auc(tolerances):
        drawn = curve(table, tolerance.perturbation, subgroup=tolerance.subgroup)
        clean = drawn.clean.value
        for severity in severities_of(tolerance):
            point = drawn.at(severity)
            fall = point.drop if point and point.drop is not None else (clean or ASSUMED_AUC) - 0.5
            found.append(
                Expected(
                    tolerance=tolerance,
                    severity=severity,
                    kind=tolerance.subgroup,
                    positives=drawn.positives,
                    clean=ASSUMED_AUC if clean is None else clean,
                    fall=0.0 if tolerance.claim in MAY_LOSE else fall,
                    jitter=jitter_of(table, Condition(tolerance.perturbation, severity)),
                )
            )
    return found


def chance_said(tolerance: Tolerance, severity: float, table: ScoreTable) -> str:
    """What an inconclusive verdict says of its own chance, where it can be simulated."""
    expected = from_scores([replace(tolerance, severities=(severity,), up_to=None)], table)
    if not expected or not expected[0].positives or tolerance.claim not in MAY_LOSE:
        return ""
    found = power(expected, negatives=int((table.malignant == 0).sum()), replicates=_CITED)
    return (
        f"With these counts and this scatter an unchanged classifier is held with a chance of {found.chances[0]:.1f} "
        "(--mammo-power says what would do)."
    )


def jitter_of(table: ScoreTable, condition: Condition) -> float:
    """Share of the variance of scores that a condition draws anew, from ranks among breasts that are not malignant."""
    if condition not in table.conditions or condition == CLEAN:
        return ASSUMED_JITTER
    used = chosen(table, "all")
    others = used.used[~used.malignant]
    clean, perturbed = table.at(CLEAN)[others].mean(axis=1), table.at(condition)[others].mean(axis=1)
    given = ~(np.isnan(clean) | np.isnan(perturbed))
    if given.sum() < 3:
        return ASSUMED_JITTER
    a, b = _ranks(clean[given]), _ranks(perturbed[given])
    if not (a.std() > 0.0 and b.std() > 0.0):
        return ASSUMED_JITTER
    correlation = float(np.corrcoef(a, b)[0, 1])
    return max(1.0 - max(correlation, 0.0) ** 2, _LEAST_JITTER)


def judged_by_auc(tolerances: Iterable[Tolerance]) -> list[Tolerance]:
    """Those whose power is known: of the AUC of fixed readers, one subgroup at a time."""
    return [t for t in tolerances if t.metric == "auc" and t.readers == "fixed" and t.claim != "responds_more"]


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered = np.sort(scores)
    return np.asarray((np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right")) / 2.0)
