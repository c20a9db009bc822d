"""Measures a sample: readers averaged, missing scores left out, conditions paired."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mammo_fixtures.metrics.clusters import Clusters, clustered_variance
from mammo_fixtures.metrics.metric import Bounds, Estimates, Metric, Reading, Sample, Terms
from mammo_fixtures.metrics.one_reader import averaged
from mammo_fixtures.metrics.placements import Placements
from mammo_fixtures.metrics.random_readers import for_other_readers

if TYPE_CHECKING:
    from numpy.typing import NDArray


class _Part(NamedTuple):
    """Conditions measured together, the first being the clean scores that they are paired with."""

    conditions: list[int]
    cells: NDArray[np.bool_]
    """(breasts, readers) with a score under all of them."""
    unpaired: bool = False


def measure(metric: Metric, sample: Sample, terms: Terms | None = None) -> Estimates:
    """The metric under every condition, its drop from the first, and their intervals.

    A reader counts a breast at a condition where both it and the clean condition have a score: cells that both share.
    """
    terms = terms or Terms()
    conditions = len(sample.scores)
    given = ~np.isnan(sample.scores)
    if given.all():
        return _measure_part(metric, sample, terms, _Part(list(range(conditions)), given[0]))
    estimates = _nothing(conditions)
    for part in _parts(metric, sample, given):
        clean, *others = part.conditions
        measured = _measure_part(metric, sample, terms, part)
        for name in Estimates.__dataclass_fields__:
            ours, theirs = getattr(estimates, name), getattr(measured, name)
            if others:
                ours[others] = theirs[1:]
            else:
                ours[clean] = theirs[0]
    return estimates


def _parts(metric: Metric, sample: Sample, given: NDArray[np.bool_]) -> list[_Part]:
    """Clean alone, then the other conditions, those with the same cells together."""
    parts = {b"clean": _Part([0], _of_both_kinds(given[0], sample.malignant))}
    for condition in range(1, len(given)):
        cells = _of_both_kinds(given[0] & given[condition], sample.malignant)
        if not cells.any() and "clean" not in metric.needs:
            alone = _of_both_kinds(given[condition], sample.malignant)
            if alone.any() and parts[b"clean"].cells.any():
                parts[f"alone {condition}".encode()] = _Part([0, condition], alone, unpaired=True)
                continue
        parts.setdefault(cells.tobytes(), _Part([0], cells)).conditions.append(condition)
    return list(parts.values())


def _of_both_kinds(cells: NDArray[np.bool_], malignant: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells of readers who scored malignant and other breasts; the others' say nothing of discrimination."""
    return cells & cells[malignant].any(axis=0) & cells[~malignant].any(axis=0)


def _measure_part(metric: Metric, sample: Sample, terms: Terms, part: _Part) -> Estimates:
    used: NDArray[np.bool_] = np.asarray(part.cells.any(axis=1))
    if not used.any():
        return _nothing(len(part.conditions))
    if part.unpaired:
        used |= _of_both_kinds(~np.isnan(sample.scores[0]), sample.malignant).any(axis=1)
    malignant = sample.malignant[used]
    clusters = Clusters.of(sample.clusters[used][malignant], sample.clusters[used][~malignant])
    readings = _read_part(metric, sample, terms, part, used)
    reading = averaged(readings)
    bounds = metric.bounds(reading, clusters, terms.confidence)
    reader_variance = np.full(len(part.conditions), np.nan)
    if terms.readers == "random":
        bounds, reader_variance = for_other_readers(readings, reading, bounds, clusters, metric, terms.confidence)
    estimates = estimates_of(reading, bounds, clusters)
    return replace(
        estimates,
        readers=np.full(len(part.conditions), part.cells.any(axis=0).sum()),
        unpaired=np.full(len(part.conditions), part.unpaired),
        reader_variance=reader_variance,
    )


def _read_part(metric: Metric, sample: Sample, terms: Terms, part: _Part, used: NDArray[np.bool_]) -> list[Reading]:
    """One reading for all readers where they can be read together, else one for each, as contributions of `used`."""
    whole = used.all() and len(part.conditions) == len(sample.scores)
    scores = sample.scores if whole else sample.scores[part.conditions][:, used]
    malignant, cells = sample.malignant[used], part.cells[used]
    positives, negatives = scores[:, malignant], scores[:, ~malignant]
    if part.unpaired:
        return _read_apart(metric, positives, negatives, terms)
    if cells.all() and terms.readers == "fixed":
        return [metric.read(positives, negatives, terms)]
    return _read_each(metric, positives, negatives, terms, cells[malignant], cells[~malignant])


def reading_of(metric: Metric, sample: Sample, conditions: list[int], terms: Terms) -> Reading | None:
    """Mean over readers of what they all make of some conditions, as contributions of all breasts of the sample.

    None where no reader scored both kinds of breast under all of them.
    """
    cells = _cells(sample, conditions)
    used: NDArray[np.bool_] = np.asarray(cells.any(axis=1))
    if not used.any():
        return None
    reading = averaged(_read_part(metric, sample, terms, _Part(conditions, cells), used))
    return _spread(reading, used[sample.malignant], used[~sample.malignant])


def scored(sample: Sample, conditions: list[int]) -> NDArray[np.bool_]:
    """Breasts (breasts,) that count: with scores under all the conditions of a reader who scored both kinds."""
    return np.asarray(_cells(sample, conditions).any(axis=1))


def _cells(sample: Sample, conditions: list[int]) -> NDArray[np.bool_]:
    given: NDArray[np.bool_] = np.asarray(~np.isnan(sample.scores[conditions]).any(axis=0))
    return _of_both_kinds(given, sample.malignant)


def _read_each(
    metric: Metric,
    positives: NDArray[np.float64],
    negatives: NDArray[np.float64],
    terms: Terms,
    in_positives: NDArray[np.bool_],
    in_negatives: NDArray[np.bool_],
) -> list[Reading]:
    """Each reader alone, on the breasts with a score of that reader."""
    readings = []
    for reader in range(positives.shape[2]):
        m, n = in_positives[:, reader], in_negatives[:, reader]
        if not m.any():
            continue
        one = metric.read(positives[:, m, reader : reader + 1], negatives[:, n, reader : reader + 1], terms)
        readings.append(_spread(one, m, n))
    return readings


def _read_apart(
    metric: Metric, positives: NDArray[np.float64], negatives: NDArray[np.float64], terms: Terms
) -> list[Reading]:
    """Two conditions, each averaged over the readers that it has."""
    ends = []
    for condition in range(2):
        here, there = positives[condition : condition + 1], negatives[condition : condition + 1]
        given = ~np.isnan(here), ~np.isnan(there)
        both = given[0][0].any(axis=0) & given[1][0].any(axis=0)
        one = averaged(_read_each(metric, here, there, terms, given[0][0] & both, given[1][0] & both))
        ends.append(one)
    together = [np.concatenate([getattr(end.placements, name) for end in ends]) for name in ("positives", "negatives")]
    biases = [end.bias for end in ends if end.bias is not None]
    return [
        Reading(
            placements=Placements(positives=together[0], negatives=together[1]),
            bias=np.concatenate(biases, axis=1) if biases else None,
        )
    ]


def _spread(reading: Reading, in_positives: NDArray[np.bool_], in_negatives: NDArray[np.bool_]) -> Reading:
    """The same figures as contributions of all breasts; those without a score contribute the mean."""
    if in_positives.all() and in_negatives.all():
        return reading
    mean = reading.placements.mean[:, None]

    def spread(some: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
        whole = np.repeat(mean, len(where), axis=1)
        whole[:, where] += (some - mean) * (len(where) / where.sum())
        return whole

    return Reading(
        placements=Placements(
            positives=spread(reading.placements.positives, in_positives),
            negatives=spread(reading.placements.negatives, in_negatives),
            kept=reading.placements.kept,
        ),
        fell=reading.fell,
        rose=reading.rose,
        breasts=reading.breasts,
        bias=reading.bias,
        lost=reading.lost,
        alarm=reading.alarm,
        readers=reading.readers,
        others=tuple(_spread(other, in_positives, in_negatives) for other in reading.others),
        against=reading.against,
    )


def estimates_of(reading: Reading, bounds: Bounds, clusters: Clusters) -> Estimates:
    """A reading of these breasts with its bounds."""
    placements = reading.placements
    conditions = len(placements.positives)
    return Estimates(
        value=placements.mean,
        low=bounds.low,
        high=bounds.high,
        drop=placements.mean[0] - placements.mean,
        drop_low=bounds.drop_low,
        drop_high=bounds.drop_high,
        standard_error=np.sqrt(clustered_variance(placements, clusters)),
        drop_standard_error=np.sqrt(clustered_variance(placements.drops, clusters)),
        positives=np.full(conditions, placements.positives.shape[1]),
        negatives=np.full(conditions, placements.negatives.shape[1]),
        readers=np.full(conditions, reading.readers),
        unpaired=np.zeros(conditions, dtype=np.bool_),
        reader_variance=np.full(conditions, np.nan),
    )


def _nothing(conditions: int) -> Estimates:
    """Of no scores."""
    figures = {name: np.full(conditions, np.nan) for name in Estimates.__dataclass_fields__}
    counts = {name: np.zeros(conditions, dtype=np.intp) for name in ("positives", "negatives", "readers")}
    return Estimates(**(figures | counts | {"unpaired": np.zeros(conditions, dtype=np.bool_)}))
