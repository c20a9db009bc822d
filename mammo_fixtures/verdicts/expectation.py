"""What an unchanged classifier is expected to show, from scores at hand or from counts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts.averaging import averaged
from mammo_fixtures.verdicts.curve import Curve, curve
from mammo_fixtures.verdicts.power import Expected, power
from mammo_fixtures.verdicts.tolerance import MAY_LOSE, Tolerance

if TYPE_CHECKING:
    from numpy.typing import NDArray

ASSUMED_AUC = 0.85
"""Of a classifier that nobody has measured."""
ASSUMED_JITTER = 0.05
_LEAST_JITTER = 1e-4
_ASSUMED_READERS = 5
_ASSUMED_ALIKE = 0.5
_FEWEST_RANKED = 10
_CITED = 60
"""Cohorts behind a chance that is told to one digit."""


def from_counts(
    tolerances: Iterable[Tolerance], positives: int | Callable[[str], int], *, clean: float = ASSUMED_AUC
) -> list[Expected]:
    """This clean AUC and so many malignant breasts of every subgroup; what is to respond loses all.

    One reader, or five where a claim is to speak for any.
    """
    found = []
    for tolerance in tolerances:
        counts = [positives if isinstance(positives, int) else positives(s) for s in _subgroups(tolerance)]
        for severity in tolerance.judged_severities:
            of_each = [
                Expected(
                    tolerance=tolerance,
                    severity=severity,
                    kind=kind,
                    positives=count,
                    clean=clean,
                    readers=1 if tolerance.readers == "fixed" else _ASSUMED_READERS,
                    alike=_ASSUMED_ALIKE,
                    anew_alike=_ASSUMED_ALIKE,
                )
                for kind, count in zip(_subgroups(tolerance), counts, strict=True)
            ]
            if tolerance.claim not in MAY_LOSE:
                of_each[0] = replace(of_each[0], fall=clean - 0.5)
            found.append(replace(of_each[0], than=of_each[1] if tolerance.than else None))
    return [claim for claim in found if claim.positives and (claim.than is None or claim.than.positives)]


def from_scores(tolerances: Iterable[Tolerance], table: ScoreTable) -> list[Expected]:
    """Counts, clean AUC and scatter of the scores at hand; a claim that is to respond falls as its AUC did."""
    found = []
    for tolerance in tolerances:
        drawn = [curve(table, tolerance.perturbation, subgroup=subgroup) for subgroup in _subgroups(tolerance)]
        if not all(one.positives for one in drawn):
            continue
        whole = averaged(table, tolerance.perturbation)
        for severity in tolerance.judged_severities:
            scatter = scatter_of(whole, Condition(tolerance.perturbation, severity))
            of_each = [_seen(one, tolerance, severity, scatter) for one in drawn]
            found.append(replace(of_each[0], than=of_each[1] if tolerance.than else None))
    return found


def _seen(drawn: Curve, tolerance: Tolerance, severity: float, scatter: Scatter) -> Expected:
    clean, point = drawn.clean.value, drawn.at(severity)
    fall = point.drop if point and point.drop is not None else (clean or ASSUMED_AUC) - 0.5
    return Expected(
        tolerance=tolerance,
        severity=severity,
        kind=drawn.subgroup,
        positives=drawn.positives,
        clean=ASSUMED_AUC if clean is None else clean,
        fall=0.0 if tolerance.claim in MAY_LOSE else fall,
        jitter=scatter.jitter,
        readers=scatter.readers,
        alike=scatter.alike,
        anew_alike=scatter.anew_alike,
    )


def _subgroups(tolerance: Tolerance) -> list[str]:
    return [subgroup for subgroup in (tolerance.subgroup, tolerance.than) if subgroup]


def chance_said(tolerance: Tolerance, severity: float, table: ScoreTable) -> str:
    """What an inconclusive verdict says of its own chance, where it can be simulated."""
    expected = from_scores([replace(tolerance, severities=(severity,), up_to=None)], table)
    if not expected or tolerance.claim not in MAY_LOSE:
        return ""
    found = power(expected, negatives=int((table.malignant == 0).sum()), replicates=_CITED)
    return (
        f"With these counts and this scatter an unchanged classifier is held with a chance of {found.chances[0]:.1f} "
        "(--mammo-power says what would do)."
    )


class Scatter(NamedTuple):
    """How scores scatter about what a breast and a perturbation make of them."""

    jitter: float
    """Share of the variance of a reader's scores that a condition draws anew."""
    readers: int = 1
    alike: float = 0.0
    anew_alike: float = 0.0


def scatter_of(table: ScoreTable, condition: Condition) -> Scatter:
    """From the ranks of breasts that are not malignant, as normal scores, reader by reader."""
    others = table.malignant == 0
    clean = table.at(CLEAN)[others]
    known = condition in table.conditions and condition != CLEAN
    perturbed = table.at(condition)[others] if known else clean
    given = ~(np.isnan(clean) | np.isnan(perturbed))
    # Readers who read other breasts have no correlation; a table with gaps counts its complete breasts alone.
    given = given.all(axis=1)
    readers = len(table.readers)
    if given.sum() < _FEWEST_RANKED:
        return Scatter(ASSUMED_JITTER, readers, _ASSUMED_ALIKE, _ASSUMED_ALIKE)
    before, after = _normal_scores(clean[given]), _normal_scores(perturbed[given])
    agreement = np.clip((before * after).mean(axis=0), 0.0, 1.0)
    jitter = max(float(np.mean(1.0 - agreement**2)), _LEAST_JITTER) if known else ASSUMED_JITTER
    return Scatter(jitter, readers, _alike(before), _alike(after - agreement * before))


def _alike(scores: NDArray[np.float64]) -> float:
    """Mean correlation of two readers' columns; 0 where there is one, or nothing scatters."""
    readers = scores.shape[1]
    centred = scores - scores.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    if readers < 2 or not (spread > 1e-9).all():
        return 0.0
    matrix = centred.T @ centred / (len(scores) * np.outer(spread, spread))
    return float(np.clip((matrix.sum() - readers) / (readers * (readers - 1)), 0.0, 1.0))


def _normal_scores(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns of scores as normal quantiles of their ranks, of unit variance; zeros where all are tied."""
    from scipy.special import ndtri

    ordered = np.sort(scores, axis=0)
    ranks = np.stack(
        [
            (np.searchsorted(column, own, "left") + np.searchsorted(column, own, "right")) / 2.0
            for column, own in zip(ordered.T, scores.T, strict=True)
        ],
        axis=1,
    )
    normal = ndtri(np.clip(ranks / len(scores), 0.5 / len(scores), 1.0 - 0.5 / len(scores)))
    spread = normal.std(axis=0)
    return np.asarray((normal - normal.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0))
