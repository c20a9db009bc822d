"""Contrasts on the same patients: one subgroup's drop less another's, and a baseline less its candidate."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mammo_fixtures.metrics.clusters import Clusters, clustered_variance
from mammo_fixtures.metrics.measure import estimates_of, measure, reading_of, scored
from mammo_fixtures.metrics.metric import Estimates, Metric, Reading, Sample, Terms
from mammo_fixtures.metrics.placements import Placements
from mammo_fixtures.metrics.random_readers import widening

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Contrast(NamedTuple):
    """A difference of two estimates under each condition (conditions,), and its interval."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    reader_variance: NDArray[np.float64]
    """Of random readers: variance component of the difference between readers; else NaN."""


def drop_contrast(metric: Metric, one: Sample, other: Sample, terms: Terms) -> tuple[Contrast, Estimates, Estimates]:
    """Drop of `one` less drop of `other`: two subgroups' malignant breasts against the same other breasts.

    The bounds join those of the two drops, which are on guard against few cancers, by the distances between estimate
    and bound, with the correlation that shared patients give (Zou and Donner 2008, Statistics in Medicine 27:1693).
    Of random readers the difference is one figure of each reader, and its bounds are those of the fixed ones widened
    like those of one drop.
    """
    fixed = replace(terms, readers="fixed")
    first, second = measure(metric, one, fixed), measure(metric, other, fixed)
    conditions = len(one.scores)
    error, correlation = np.full(conditions, np.nan), np.zeros(conditions)
    factor, between = np.ones(conditions), np.full(conditions, np.nan)
    for condition in range(1, conditions):
        of_all = _joint_contributions(metric, one, other, condition, fixed)
        if of_all is None:
            continue
        joined, clusters = of_all
        if terms.readers == "random":
            each = _of_each_reader(metric, one, other, condition, fixed)
            factor[condition], between[condition] = _widened(each, clusters, terms.confidence)
        error[condition] = float(np.sqrt(clustered_variance(joined, clusters)[0]))
        spread = first.drop_standard_error[condition] ** 2 + second.drop_standard_error[condition] ** 2
        product = 2.0 * first.drop_standard_error[condition] * second.drop_standard_error[condition]
        correlation[condition] = (
            np.clip((spread - error[condition] ** 2) / product, -1.0, 1.0) if product > 0.0 else 0.0
        )
    value = first.drop - second.drop
    low = value - _joined(first.drop - first.drop_low, second.drop_high - second.drop, correlation)
    high = value + _joined(first.drop_high - first.drop, second.drop - second.drop_low, correlation)
    contrast = Contrast(
        value=value,
        low=value - factor * (value - low),
        high=value + factor * (high - value),
        standard_error=error,
        reader_variance=between,
    )
    return contrast, first, second


def _joint_contributions(
    metric: Metric, one: Sample, other: Sample, condition: int, terms: Terms
) -> tuple[Placements, Clusters] | None:
    """The difference of the drops as contributions of all breasts; None where either has no scores."""
    a, b = _drop_contributions(metric, one, condition, terms), _drop_contributions(metric, other, condition, terms)
    return None if a is None or b is None else _difference(a, b, one, other)


def _of_each_reader(metric: Metric, one: Sample, other: Sample, condition: int, terms: Terms) -> list[Placements]:
    """Each reader's own difference, of those who scored both subgroups."""
    alone = [
        _joint_contributions(
            metric,
            replace(one, scores=one.scores[:, :, [reader]]),
            replace(other, scores=other.scores[:, :, [reader]]),
            condition,
            terms,
        )
        for reader in range(one.scores.shape[2])
    ]
    return [found[0] for found in alone if found is not None]


def _widened(each: list[Placements], clusters: Clusters, confidence: float) -> tuple[float, float]:
    """Factor of the distances between estimate and bound, and the variance component between readers."""
    if len(each) < 2:
        return math.nan, math.nan
    mean = Placements(
        positives=np.mean([one.positives for one in each], axis=0),
        negatives=np.mean([one.negatives for one in each], axis=0),
    )
    factor, between = widening(each, mean, clusters, confidence)
    return float(factor[0]), float(between[0])


def _drop_contributions(metric: Metric, sample: Sample, condition: int, terms: Terms) -> Placements | None:
    reading = reading_of(metric, sample, [0, condition], terms)
    if reading is None:
        return None
    drops = reading.placements.drops
    return Placements(positives=drops.positives[1:], negatives=drops.negatives[1:])


def _difference(a: Placements, b: Placements, one: Sample, other: Sample) -> tuple[Placements, Clusters]:
    """The difference as contributions of both subgroups' malignant breasts and of the other breasts that they share."""
    first, second = a.mean[:, None], b.mean[:, None]
    m, k = a.positives.shape[1], b.positives.shape[1]
    positives = np.concatenate([(a.positives - first) * (m + k) / m, -(b.positives - second) * (m + k) / k], axis=1)
    negatives = (a.negatives - first) - (b.negatives - second)
    centre = first - second
    cancers = np.concatenate([one.clusters[one.malignant], other.clusters[other.malignant]])
    clusters = Clusters.of(cancers, one.clusters[~one.malignant])
    return Placements(positives=centre + positives, negatives=centre + negatives), clusters


def _joined(
    one: NDArray[np.float64], other: NDArray[np.float64], correlation: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.maximum(one**2 + other**2 - 2.0 * correlation * one * other, 0.0)))


def compare(metric: Metric, baseline: Sample, candidate: Sample, terms: Terms) -> Estimates | None:
    """Two releases on the same breasts in the same order, under the last condition: baseline, then candidate.

    The drop is what the candidate lost, on the breasts that both scored. Each release keeps its own clean scores, the
    first condition, from which its operating point is set. None where they have no scores in common.
    """
    last = len(candidate.scores) - 1
    conditions = [0, last] if "clean" in metric.needs else [last]
    both = _in_common(baseline, candidate, conditions)
    if both is None:
        return None
    baseline, candidate = both
    ends = [reading_of(metric, sample, conditions, terms) for sample in both]
    if ends[0] is None or ends[1] is None:
        return None
    malignant = baseline.malignant
    clusters = Clusters.of(baseline.clusters[malignant], baseline.clusters[~malignant])
    # Tied scores leave gaps between operating points, and each release sets its own: every pair of them counts.
    pairs = [_released(a, b, clusters) for a in (ends[0], *ends[0].others) for b in (ends[1], *ends[1].others)]
    reading = replace(pairs[0], others=tuple(pairs[1:]))
    return estimates_of(reading, metric.bounds(reading, clusters, terms.confidence), clusters)


def _in_common(baseline: Sample, candidate: Sample, conditions: list[int]) -> tuple[Sample, Sample] | None:
    """Both on the breasts that count in both: what a release could not score must not make it look better.

    None where malignant or other breasts have nothing in common.
    """
    while True:
        used = scored(baseline, conditions) & scored(candidate, conditions)
        if used.all():
            return baseline, candidate
        if not (used[baseline.malignant].any() and used[~baseline.malignant].any()):
            return None
        # A reader may have lost the last breast of a kind with those that the other release lacks.
        baseline, candidate = (
            Sample(scores=each.scores[:, used], malignant=each.malignant[used], clusters=each.clusters[used])
            for each in (baseline, candidate)
        )


def _released(baseline: Reading, candidate: Reading, clusters: Clusters) -> Reading:
    """Two releases under one condition as if they were two conditions of one."""
    ends = (baseline, candidate)
    placements = Placements(
        positives=np.concatenate([end.placements.positives[-1:] for end in ends]),
        negatives=np.concatenate([end.placements.negatives[-1:] for end in ends]),
        kept=max(end.placements.kept for end in ends),
    )
    breasts = min(end.breasts for end in ends)
    fell, rose = _exchanged(placements, clusters, breasts)
    biases = [end.bias[:, -1:] for end in ends if end.bias is not None]
    losses = [end.lost[-1:] for end in ends if end.lost is not None]
    alarms = [end.alarm[-1:] for end in ends if end.alarm is not None]
    return Reading(
        placements=placements,
        fell=fell,
        rose=rose,
        breasts=breasts,
        bias=np.concatenate(biases, axis=1) if biases else None,
        lost=np.concatenate(losses) if losses else None,
        alarm=np.concatenate(alarms) if alarms else None,
        readers=min(end.readers for end in ends),
        against=math.hypot(*(end.against for end in ends)),
    )


def _exchanged(
    placements: Placements, clusters: Clusters, breasts: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of breasts that one release counts and the other does not, as many as scatter like the difference.

    `breasts` is how many of equal weight the share is of; NaN, as both results then are, where the metric is no share.
    """
    difference = placements.drops.mean
    both = np.clip(clustered_variance(placements.drops, clusters) * breasts + difference**2, np.abs(difference), 1.0)
    return (both + difference) / 2.0, (both - difference) / 2.0
