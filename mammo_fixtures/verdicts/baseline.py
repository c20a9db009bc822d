"""A candidate release against its baseline, on the same breasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import Metric, OperatingPoint, Terms
from mammo_fixtures.metrics.contrast import compare
from mammo_fixtures.metrics.stability import LOGIT_SHIFT
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts.averaging import averaged
from mammo_fixtures.verdicts.curve import Curve, empty_point, point_of
from mammo_fixtures.verdicts.sampling import are_probabilities, chosen, metric_named, sampled
from mammo_fixtures.verdicts.tolerance import Tolerance, fixed_when_clean

if TYPE_CHECKING:
    from collections.abc import Iterable

_LISTED = 20
"""Breasts named in full before a list is cut short with its count."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Releases:
    """Two score tables cut to the breasts that both hold with the same label and subgroup, in one order."""

    candidate: ScoreTable
    baseline: ScoreTable
    differences: tuple[str, ...]
    """What could not be paired, one line a kind with the breasts it concerns."""


def paired(candidate: ScoreTable, baseline: ScoreTable) -> Releases:
    """Match breasts by exam and side; what differs is listed, never dropped in silence."""
    ours, theirs = _named(candidate), _named(baseline)
    shared = [breast for breast in ours if breast in theirs]
    lines = [
        _listed("only the candidate has a score for", [breast for breast in ours if breast not in theirs]),
        _listed("only the baseline has a score for", [breast for breast in theirs if breast not in ours]),
    ]
    same = []
    for column in ("malignant", "subgroup"):
        a, b = getattr(candidate, column), getattr(baseline, column)
        differ = [breast for breast in shared if a[ours[breast]] != b[theirs[breast]]]
        lines.append(_listed(f"{column} differs between the releases' tables for", differ))
        same += differ
    lines.append(_readers_said(candidate, baseline))
    kept = [breast for breast in shared if breast not in set(same)]
    if not kept:
        got = f"got {len(shared)} in common, none with the same label and subgroup; correct the table that is wrong"
        if not shared:
            # Zeros in front, or pseudonyms in one of them, are seen at once.
            here, there = (f"exam {exam}, {side}" for exam, side in (next(iter(ours)), next(iter(theirs))))
            got = (
                f"got none of {len(ours)} in common: {here} here, {there} there; score both releases on the same "
                "exams, under the same ids"
            )
        raise UnusableInput(
            f"{baseline.source or 'baseline'}: a baseline must hold breasts of the candidate's cohort with the same "
            f"labels, {got}"
        )
    return Releases(
        candidate=candidate.cut(np.array([ours[breast] for breast in kept])),
        baseline=baseline.cut(np.array([theirs[breast] for breast in kept])),
        differences=tuple(filter(None, lines)),
    )


def same_scores_said(releases: Releases) -> str:
    """What is to be told where both releases have the same scores, as where a run's own table is its baseline."""
    one, other = releases.candidate, releases.baseline
    if set(one.conditions) != set(other.conditions) or len(one.readers) != len(other.readers):
        return ""
    if not all(np.array_equal(one.at(each), other.at(each), equal_nan=True) for each in one.conditions):
        return ""
    return (
        f"candidate and baseline have the same scores for all {len(one.exam_id)} breasts, so that no claim against it "
        f"can fail: look whether {Path(other.source).name or 'the table'} is of the release before"
    )


def comparison(releases: Releases, tolerance: Tolerance, severity: float, *, unit: str = "") -> Curve:
    """The baseline's metric as the clean point of a curve, the candidate's at the severity with what it lost."""
    condition = CLEAN if tolerance.perturbation == CLEAN.perturbation else Condition(tolerance.perturbation, severity)
    record = metric_named(tolerance.metric)
    breasts = chosen(releases.candidate, tolerance.subgroup)
    tables = tuple(averaged(table, tolerance.perturbation) for table in (releases.baseline, releases.candidate))
    terms = Terms(
        confidence=tolerance.confidence,
        operating_point=OperatingPoint.parse(tolerance.operating_point),
        prevalence=tolerance.prevalence,
        probabilities=_on_one_scale(tables, record),
    )
    estimates = None
    there = all(condition in table.conditions for table in tables)
    if breasts.positives and breasts.negatives and there:
        of_each = [sampled(table, [CLEAN, condition], breasts) for table in tables]
        # Patients are the candidate's in both, should the tables name them otherwise.
        of_each[0] = replace(of_each[0], clusters=of_each[1].clusters)
        estimates = compare(record, of_each[0], of_each[1], terms)
    base = Curve(
        perturbation=tolerance.perturbation,
        unit=unit,
        metric=tolerance.metric,
        subgroup=tolerance.subgroup,
        points=(empty_point(0.0, breasts.positives, breasts.negatives),),
        confidence=tolerance.confidence,
        unlabelled=int((releases.candidate.malignant < 0).sum()),
        operating_point=terms.operating_point.text,
        prevalence=tolerance.prevalence,
        positives=breasts.positives,
        negatives=breasts.negatives,
    )
    if estimates is None and there:
        nothing = empty_point(float(severity), 0, 0 if breasts.positives else breasts.negatives)
        in_common = f"the releases' tables have none of {tolerance.subgroup} in common with the same label and subgroup"
        return replace(base, points=(*base.points, nothing), absent="" if breasts.positives else in_common)
    if estimates is None:
        return base
    return replace(base, points=(point_of(estimates, 0, 0.0), point_of(estimates, 1, float(severity))))


def _on_one_scale(tables: tuple[ScoreTable, ...], record: Metric) -> bool:
    """Whether the releases' scores are probabilities; refused where they are of one release and it matters."""
    each = [are_probabilities(table, record) for table in tables]
    if record.name == LOGIT_SHIFT.name and len(set(each)) > 1:
        kinds = " and ".join("probabilities" if one else "logits" for one in each)
        raise UnusableInput(
            f"{record.name}: baseline and candidate must have scores of one kind, got {kinds}; score both with the "
            "same declared score"
        )
    return all(each)


def tolerances_for_baseline(tolerances: Iterable[Tolerance]) -> tuple[Tolerance, ...]:
    """The `not_worse` tolerances; where there are none, those that `holds` implies.

    A fall that is too large for a perturbation is too large for a release: the margins of `holds`, under the same
    conditions, and when clean the smallest of each subgroup and metric.
    """
    tolerances = tuple(tolerances)
    stated = tuple(t for t in tolerances if t.claim == "not_worse")
    if stated:
        return stated
    implied = [replace(t, claim="not_worse", readers="fixed") for t in tolerances if t.claim == "holds"]
    clean: dict[tuple[object, ...], Tolerance] = {}
    for t in sorted(implied, key=lambda t: t.margin):
        if not fixed_when_clean(t.metric, t.operating_point):
            alone = replace(t, perturbation=CLEAN.perturbation, severities=(CLEAN.severity,), up_to=None)
            clean.setdefault((t.subgroup, t.metric, t.operating_point, t.prevalence), alone)
    return (*clean.values(), *implied)


def _named(table: ScoreTable) -> dict[tuple[str, str], int]:
    return {breast: i for i, breast in enumerate(zip(table.exam_id.tolist(), table.side.tolist(), strict=True))}


def _readers_said(candidate: ScoreTable, baseline: ScoreTable) -> str:
    """That the tables are of other readers; one reader each is two releases of one classifier, as it should be."""
    of_each = (candidate.readers, baseline.readers)
    if set(of_each[0]) == set(of_each[1]) or max(map(len, of_each)) == 1:
        return ""
    ours, theirs = (
        f"{len(names)} of the {which} ({', '.join(names[:_LISTED])}{', …' if len(names) > _LISTED else ''})"
        for which, names in zip(("candidate", "baseline"), of_each, strict=True)
    )
    return f"readers differ between the releases' tables, so that each figure is a mean over its own: {ours}, {theirs}"


def _listed(what: str, breasts: list[tuple[str, str]]) -> str:
    if not breasts:
        return ""
    names = ", ".join(f"exam {exam} {side}" for exam, side in breasts[:_LISTED])
    more = f" and {len(breasts) - _LISTED} more" if len(breasts) > _LISTED else ""
    return f"{what} {len(breasts)} breasts: {names}{more}"
