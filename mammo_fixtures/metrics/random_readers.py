"""Random readers: intervals that speak for other readers like these, and for other breasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.clusters import Clusters, clustered_variance
from mammo_fixtures.metrics.intervals import quantile
from mammo_fixtures.metrics.metric import Bounds, Metric, Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.metrics.placements import Placements


def for_other_readers(
    readings: list[Reading], mean: Reading, fixed: Bounds, clusters: Clusters, metric: Metric, confidence: float
) -> tuple[Bounds, NDArray[np.float64]]:
    """The fixed readers' intervals widened, and the variance component of the drop between readers.

    Variance of the mean over readers: MS(R) / R + Cov2, where Cov2 is the mean covariance between two readers of one
    sample of cases, here from the clustered structural components of the U-statistics (Obuchowski and Rockette 1995,
    Communications in Statistics 24:285). Where the readers scatter less than their cases alone would make them, the
    component between readers is negative, and the fixed readers' variance is the least.
    """
    value_factor, _ = widening([r.placements for r in readings], mean.placements, clusters, confidence)
    drop_factor, between = widening([r.placements.drops for r in readings], mean.placements.drops, clusters, confidence)
    centre, drop = mean.placements.mean, mean.placements.drops.mean
    span = metric.high - metric.low
    wide = Bounds(
        low=np.clip(centre - value_factor * (centre - fixed.low), metric.low, metric.high),
        high=np.clip(centre + value_factor * (fixed.high - centre), metric.low, metric.high),
        drop_low=np.clip(drop - drop_factor * (drop - fixed.drop_low), -span, span),
        drop_high=np.clip(drop + drop_factor * (fixed.drop_high - drop), -span, span),
    )
    return wide, between


def widening(
    each: list[Placements], mean: Placements, clusters: Clusters, confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By how much intervals of fixed readers grow (conditions,), and the variance component between readers."""
    readers, patients = len(each), clusters.with_positive
    if readers < 2:
        unknown = np.full(len(mean.positives), np.nan)
        return unknown, unknown
    of_each = np.stack([clustered_variance(placements, clusters) for placements in each])
    fixed = clustered_variance(mean, clusters)
    shared = (readers**2 * fixed - of_each.sum(axis=0)) / (readers * (readers - 1))
    scatter = np.stack([placements.mean for placements in each]).var(axis=0, ddof=1)
    between = scatter - (of_each.mean(axis=0) - shared)
    by_readers, by_cases = scatter / readers, np.maximum(shared, 0.0)
    total = np.maximum(by_readers + by_cases, fixed)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Satterthwaite's degrees of freedom of a sum, after Hillis 2007, Statistics in Medicine 26:596.
        degrees = total**2 / (by_readers**2 / (readers - 1) + by_cases**2 / max(patients - 1, 1))
        factor = np.sqrt(total / fixed)
    factor = np.where(fixed > 0.0, factor, 1.0)
    degrees = np.where(np.isfinite(degrees) & (degrees >= 1.0), degrees, float(max(patients - 1, 1)))
    quantiles = np.array([quantile(confidence, d) for d in degrees])
    return np.maximum(factor * quantiles / quantile(confidence, max(patients - 1, 1)), 1.0), between
