"""A curve in one number: its mean over the ladder, and the severity from which a margin is broken."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import OperatingPoint, Sample, Terms
from mammo_fixtures.metrics.clusters import Clusters
from mammo_fixtures.metrics.measure import estimates_of, reading_of
from mammo_fixtures.metrics.metric import Metric, Reading
from mammo_fixtures.metrics.operating_point import DEFAULT
from mammo_fixtures.metrics.placements import Placements
from mammo_fixtures.metrics.random_readers import for_other_readers
from mammo_fixtures.verdicts.averaging import averaged
from mammo_fixtures.verdicts.curve import Curve, Point, curve, empty_point, point_of, question_of
from mammo_fixtures.verdicts.sampling import are_probabilities, chosen, conditions_of, metric_named, sampled
from mammo_fixtures.verdicts.subgroups import ALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.scoring.score_table import ScoreTable
    from mammo_fixtures.verdicts.tolerance import Tolerance


def ladder_mean(
    table: ScoreTable,
    perturbation: str,
    *,
    subgroup: str = ALL,
    metric: str = "auc",
    confidence: float = 0.95,
    operating_point: str = DEFAULT.text,
    prevalence: float | None = None,
    readers: str = "fixed",
    severities: Sequence[float] = (),
) -> Point:
    """Mean of the metric over severities of one perturbation, clean not among them, with its drop from clean.

    Over all that the table has unless `severities` says which. It rests on the severities that were chosen, so only
    curves over the same severities compare. Severities of different perturbations share no unit and have no mean.
    `severity` is NaN. Breasts without a score at one of the severities are left out.
    """
    record = metric_named(metric)
    table = averaged(table, perturbation)
    clean, *perturbed = conditions_of(table, perturbation)
    conditions = [clean, *(c for c in perturbed if not severities or float(c.severity) in severities)]
    if len(conditions) < 2:
        raise UnusableInput(
            f"{table.source or 'score table'}: a mean over the ladder needs scores under {perturbation}, got clean "
            "ones alone; score a severity"
        )
    breasts = chosen(table, subgroup)
    nothing = empty_point(math.nan, breasts.positives, breasts.negatives)
    if not (breasts.positives and breasts.negatives):
        return nothing
    sample = sampled(table, conditions, breasts)
    terms = Terms(
        confidence=confidence,
        operating_point=OperatingPoint.parse(operating_point),
        prevalence=prevalence,
        readers=readers,
        probabilities=are_probabilities(table, record),
    )
    kept = np.asarray(~np.isnan(sample.scores).all(axis=2).any(axis=0))
    if not (sample.malignant[kept].any() and (~sample.malignant[kept]).any()):
        return nothing
    used = Sample(scores=sample.scores[:, kept], malignant=sample.malignant[kept], clusters=sample.clusters[kept])
    of_all = _mean_of(record, used, replace(terms, readers="fixed"))
    if of_all is None:
        return nothing
    clusters = Clusters.of(used.clusters[used.malignant], used.clusters[~used.malignant])
    bounds, between = record.bounds(of_all, clusters, confidence), np.full(2, np.nan)
    if readers == "random":
        alone = [replace(used, scores=used.scores[:, :, [reader]]) for reader in range(used.scores.shape[2])]
        each = [mean for one in alone if (mean := _mean_of(record, one, terms)) is not None]
        bounds, between = for_other_readers(each, of_all, bounds, clusters, record, confidence)
    estimates = replace(estimates_of(of_all, bounds, clusters), reader_variance=between)
    return point_of(estimates, 1, math.nan)


def _mean_of(metric: Metric, sample: Sample, terms: Terms) -> Reading | None:
    """Clean and the mean of the sample's other conditions; None where no reader scored both kinds of breast."""
    reading = reading_of(metric, sample, list(range(len(sample.scores))), terms)
    return None if reading is None else _of_the_ladder(reading)


def _of_the_ladder(reading: Reading) -> Reading:
    """Clean and the mean of the other conditions, at the operating point and at those that ties leave open."""
    placements = reading.placements
    return Reading(
        placements=Placements(
            positives=_clean_and_mean(placements.positives),
            negatives=_clean_and_mean(placements.negatives),
            kept=placements.kept,
        ),
        fell=None if reading.fell is None else _clean_and_mean(reading.fell),
        rose=None if reading.rose is None else _clean_and_mean(reading.rose),
        breasts=reading.breasts,
        bias=None if reading.bias is None else _clean_and_mean(reading.bias.T).T,
        lost=None if reading.lost is None else _clean_and_mean(reading.lost),
        alarm=None if reading.alarm is None else _clean_and_mean(reading.alarm),
        readers=reading.readers,
        others=tuple(_of_the_ladder(other) for other in reading.others),
        against=reading.against,
    )


def _clean_and_mean(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """(conditions, …) to (clean and mean of the others, …)."""
    return np.stack([figures[0], figures[1:].mean(axis=0)])


def in_one_number(table: ScoreTable, drawn: Curve, tolerances: Iterable[Tolerance]) -> dict[str, Any]:
    """As curves.json has them: `ladder_mean` over the severities drawn, and `first_broken` of each `holds` margin.

    Margins are those of the tolerances that ask the curve's own question. They are held against every severity drawn,
    also where the tolerance names fewer, each with its own confidence.
    """
    severities = [point.severity for point in drawn.points[1:]]
    question = question_of(drawn)
    mean = ladder_mean(table, drawn.perturbation, severities=severities, **question)
    asked = {
        (t.margin, t.confidence): t
        for t in tolerances
        if (t.claim, t.perturbation) == ("holds", drawn.perturbation)
        and question_of(t) | {"confidence": drawn.confidence} == question
    }
    broken = []
    for (margin, confidence), tolerance in sorted(asked.items()):
        of_it = drawn
        if confidence != drawn.confidence:
            whole = curve(table, drawn.perturbation, unit=drawn.unit, **question_of(tolerance))
            kept = (whole.clean, *(point for point in whole.points[1:] if point.severity in severities))
            of_it = replace(whole, points=kept)
        broken.append({"margin": margin, "confidence": confidence, "severity": first_broken(of_it, tolerance)})
    figures = ("value", "low", "high", "drop", "drop_low", "drop_high", "positives", "negatives")
    return {"ladder_mean": {name: getattr(mean, name) for name in figures}, "first_broken": broken}


def first_broken(curve: Curve, tolerance: Tolerance) -> float | None:
    """The mildest severity, in the order of the curve, at which a `holds` tolerance is broken; None where it never is.

    Mildness is the order of the curve's points, which is that of the ladder.
    """
    from mammo_fixtures.verdicts.judge import judge_severity

    for point in curve.points[1:]:
        if judge_severity(curve, tolerance, point.severity).outcome == "broken":
            return point.severity
    return None
