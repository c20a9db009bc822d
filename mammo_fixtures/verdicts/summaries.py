"""A curve in one number: its mean over the ladder, and the severity from which a margin is broken."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import OperatingPoint, Sample, Terms
from mammo_fixtures.metrics.clusters import Clusters
from mammo_fixtures.metrics.measure import estimates_of, reading_of
from mammo_fixtures.metrics.metric import Reading
from mammo_fixtures.metrics.operating_point import DEFAULT
from mammo_fixtures.metrics.placements import Placements
from mammo_fixtures.verdicts.curve import Curve, Point, empty_point, point_of
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
) -> Point:
    """Mean of the metric over the severities of one perturbation, clean not among them, with its drop from clean.

    It rests on the severities that were chosen, so only curves over the same severities compare. Severities of
    different perturbations share no unit and have no mean. `severity` is NaN. Breasts without a score at one of the
    severities are left out.
    """
    record = metric_named(metric)
    conditions = conditions_of(table, perturbation)
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
        probabilities=not {"prevalence", "probabilities"} & record.needs or are_probabilities(table, record),
    )
    kept = np.asarray(~np.isnan(sample.scores).all(axis=2).any(axis=0))
    if not (sample.malignant[kept].any() and (~sample.malignant[kept]).any()):
        return nothing
    used = Sample(scores=sample.scores[:, kept], malignant=sample.malignant[kept], clusters=sample.clusters[kept])
    reading = reading_of(record, used, list(range(len(conditions))), terms)
    if reading is None:
        return nothing
    mean = _of_the_ladder(reading)
    clusters = Clusters.of(used.clusters[used.malignant], used.clusters[~used.malignant])
    return point_of(estimates_of(mean, record.bounds(mean, clusters, confidence), clusters), 1, math.nan)


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


def first_broken(curve: Curve, tolerance: Tolerance) -> float | None:
    """The mildest severity, in the order of the curve, at which a `holds` tolerance is broken; None where it never is.

    Mildness is the order of the curve's points, which is that of the ladder.
    """
    from mammo_fixtures.verdicts.judge import judge_severity

    for point in curve.points[1:]:
        if judge_severity(curve, tolerance, point.severity).outcome == "broken":
            return point.severity
    return None
