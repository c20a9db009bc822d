"""What happens to decisions: sensitivity, specificity, recall rate and flips at the clean operating point."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.metric import Metric, Reading, Terms
from mammo_fixtures.metrics.mixture import mixed
from mammo_fixtures.metrics.one_reader import over_readers
from mammo_fixtures.metrics.placements import Placements
from mammo_fixtures.metrics.proportions import proportion_bounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    _Counted = Callable[[NDArray[np.bool_]], NDArray[np.bool_]]


def _read(
    counted: _Counted,
    classes: str,
    positives: NDArray[np.float64],
    negatives: NDArray[np.float64],
    terms: Terms,
) -> Reading:
    """Share of breasts whose calls are `counted`, of one reader's scores (conditions, breasts).

    The threshold is set on the clean scores, so it scatters with them; that scatter is carried by the breasts that set
    it, in proportion to what the share changes between thresholds that other samples of this size would give. Where
    many scores are tied it jumps, and the readings at those other thresholds are kept beside this one.
    """
    m, n = positives.shape[1], negatives.shape[1]
    weights = {"malignant": (1.0, 0.0), "other": (0.0, 1.0), "both": terms.weights(m, n)}[classes]
    breasts = 1.0 / (weights[0] ** 2 / m + weights[1] ** 2 / n)
    point = terms.operating_point

    def share(threshold: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        a, b = (counted(scores > threshold).astype(np.float64) for scores in (positives, negatives))
        return a, b, weights[0] * a.mean(axis=1) + weights[1] * b.mean(axis=1)

    def reading(threshold: float) -> Reading:
        a, b, _ = share(threshold)

        def moved(sign: int) -> NDArray[np.float64]:
            left, joined = (sign * (a[:1] - a) > 0).mean(axis=1), (sign * (b[:1] - b) > 0).mean(axis=1)
            return np.asarray(weights[0] * left + weights[1] * joined)

        return Reading(placements=mixed(a, b, weights), fell=moved(1), rose=moved(-1), breasts=breasts)

    threshold = point.threshold(positives[0], negatives[0])
    found = reading(threshold)
    if not point.is_estimated:
        return found
    (low, high), change = point.neighbours(positives[0], negatives[0])
    if point.is_tied(positives[0], negatives[0]):
        against = point.against(positives[0], negatives[0])
        return replace(
            found, others=tuple(replace(reading(at), against=a) for at, a in zip((low, high), against, strict=True))
        )
    slope = (share(low)[2] - share(high)[2]) / change if change > 0.0 else np.zeros(len(positives))
    setting = negatives[0] if point.kind == "specificity" else positives[0]
    scatter = -slope[:, None] * ((setting > threshold) - np.mean(setting > threshold))
    of_positives, of_negatives = found.placements.positives, found.placements.negatives
    if point.kind == "specificity":
        of_negatives = of_negatives + scatter
    else:
        of_positives = of_positives + scatter
    return replace(found, placements=Placements(positives=of_positives, negatives=of_negatives))


def _called(calls: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return calls


def _spared(calls: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return ~calls


def _flipped(calls: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(calls != calls[:1])


_SOURCE = (
    "Wilson 1927, Journal of the American Statistical Association 22:209; Tango 1998, Statistics in Medicine 17:891; "
    "both with the clustered design effect"
)

SENSITIVITY = Metric(
    name="sensitivity",
    title="sensitivity",
    read=partial(over_readers, partial(_read, _called, "malignant")),
    bounds=partial(proportion_bounds, "malignant"),
    chance=None,
    source=_SOURCE,
    needs=frozenset({"clean", "operating_point"}),
)
SPECIFICITY = Metric(
    name="specificity",
    title="specificity",
    read=partial(over_readers, partial(_read, _spared, "other")),
    bounds=partial(proportion_bounds, "other"),
    chance=None,
    source=_SOURCE,
    needs=frozenset({"clean", "operating_point"}),
)
RECALL_RATE = Metric(
    name="recall_rate",
    title="recall rate",
    read=partial(over_readers, partial(_read, _called, "both")),
    bounds=partial(proportion_bounds, "both"),
    chance=None,
    source=_SOURCE,
    better="steady",
    needs=frozenset({"clean", "operating_point", "prevalence"}),
)
FLIP_RATE = Metric(
    name="flip_rate",
    title="flip rate",
    read=partial(over_readers, partial(_read, _flipped, "both")),
    bounds=partial(proportion_bounds, "both"),
    chance=None,
    source=_SOURCE,
    better="smaller",
    when_clean=0.0,
    needs=frozenset({"clean", "operating_point", "prevalence"}),
)
