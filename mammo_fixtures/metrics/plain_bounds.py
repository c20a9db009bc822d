"""Intervals of metrics that are smooth in the breasts: estimate, clustered standard error, t distribution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.clusters import Clusters, clustered_variance
from mammo_fixtures.metrics.intervals import quantile
from mammo_fixtures.metrics.metric import Bounds, Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray


def plain_bounds(
    lowest: float,
    highest: float,
    reading: Reading,
    clusters: Clusters,
    confidence: float,
    *,
    biases_apart: bool = False,
    one_lost: bool = False,
) -> Bounds:
    """Centred on the estimate less its bias where one is known, and kept in the metric's range.

    The bounds enclose the least and the most bias. Those of clean and perturbed go together, unless `biases_apart`
    says that one may be the least where the other is the most.
    `one_lost` lets the upper bound of a drop count one extra malignant breast that lost the whole clean value. Where a
    reading says what a lost breast contributes, or one of the others that raises an alarm, both bounds count one.
    """
    placements = reading.placements
    bias = np.zeros((1, len(placements.positives))) if reading.bias is None else reading.bias
    of_drop = bias[:, :1] - (bias[::-1] if biases_apart else bias)
    t = quantile(confidence, max(clusters.with_positive - 1, 1))
    low, high = _about(placements.mean, bias, t * np.sqrt(clustered_variance(placements, clusters)))
    drops = placements.drops
    reach = t * np.sqrt(clustered_variance(drops, clusters))
    drop_low, drop_high = _about(drops.mean, of_drop, reach)
    if one_lost:
        lost = drops.with_one_more(max(float(placements.mean[0]), 0.0))
        feared = t * np.sqrt(clustered_variance(lost, clusters.with_one_more))
        drop_high = np.maximum(drop_high, _about(lost.mean, of_drop, feared)[1])
    feared_ones = []
    if reading.lost is not None:
        feared_ones.append((drops.with_one_more(drops.mean - reading.lost), clusters.with_one_more))
    if reading.alarm is not None and reading.alarm.any():
        feared_ones.append((drops.with_one_more_other(drops.mean - reading.alarm), clusters.with_one_more_other))
    # They stand in for what few patients do not show, so they need no t distribution on top.
    z = quantile(confidence, math.inf)
    for one_more, joined in feared_ones:
        feared = z * np.sqrt(clustered_variance(one_more, joined))
        drop_low, drop_high = np.fmin(drop_low, one_more.mean - feared), np.fmax(drop_high, one_more.mean + feared)
    drop_low[0] = drop_high[0] = 0.0  # Clean against itself is no estimate.
    span = highest - lowest
    return Bounds(
        low=np.clip(low, lowest, highest),
        high=np.clip(high, lowest, highest),
        drop_low=np.clip(drop_low, -span, span),
        drop_high=np.clip(drop_high, -span, span),
    )


def correlation_bounds(reading: Reading, clusters: Clusters, confidence: float) -> Bounds:
    """Fisher's transformation, with the clustered standard error in place of 1 / √(n − 3)."""
    placements = reading.placements
    value = np.clip(placements.mean, -1.0, 1.0)
    t = quantile(confidence, max(clusters.with_positive - 1, 1))
    error = np.sqrt(clustered_variance(placements, clusters))
    room = 1.0 - value**2
    inside = room > 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, reach = np.arctanh(value), t * error / room
        low = np.where(inside, np.tanh(centre - reach), value)
        high = np.where(inside, np.tanh(centre + reach), value)
    return Bounds(low=low, high=high, drop_low=value[0] - high, drop_high=value[0] - low)


def _about(
    estimate: NDArray[np.float64], bias: NDArray[np.float64], reach: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The estimate stays between its bounds, whatever its bias."""
    centre = estimate - bias
    return np.minimum(centre.min(axis=0) - reach, estimate), np.maximum(centre.max(axis=0) + reach, estimate)
