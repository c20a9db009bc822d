"""Score intervals of proportions and of their paired differences, with the clustered design effect."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.clusters import Clusters, clustered_variance
from mammo_fixtures.metrics.intervals import boundary, quantile
from mammo_fixtures.metrics.metric import Bounds, Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SETTLED = 1e-12
"""Variance of a share that the choice of the operating point fixes."""
_ROUNDING = 1e-9
"""Design effects below this are what rounding leaves of none."""


def proportion_bounds(classes: str, reading: Reading, clusters: Clusters, confidence: float) -> Bounds:
    """Bounds that enclose those at every operating point which other samples might have set.

    What the clean scores say against such a point is taken from how far its own figure may lie from the estimate: both
    together may be contradicted by no more than one alone.
    """
    every = [_bounds_at_point(classes, one, clusters, confidence) for one in (reading, *reading.others)]
    return Bounds(
        low=np.min([one.low for one in every], axis=0),
        high=np.max([one.high for one in every], axis=0),
        drop_low=np.min([one.drop_low for one in every], axis=0),
        drop_high=np.max([one.drop_high for one in every], axis=0),
    )


def _bounds_at_point(classes: str, reading: Reading, clusters: Clusters, confidence: float) -> Bounds:
    """Wilson's interval of each share and Tango's of each paired drop, as if of fewer independent breasts.

    The number of breasts is divided by the design effect: the clustered variance, which knows the scatter of the
    threshold, over the binomial one.
    """
    assert reading.fell is not None
    assert reading.rose is not None
    placements, breasts = reading.placements, reading.breasts
    share = np.clip(placements.mean, 0.0, 1.0)
    seen = clustered_variance(placements, clusters)
    z = math.sqrt(max(quantile(confidence, math.inf) ** 2 - reading.against**2, 0.0))
    # Readers together may scatter less than one, and what a given specificity fixes does not scatter at all.
    lowest = 1.0 / reading.readers if classes == "malignant" else 0.0
    effective = _effective(seen, share * (1.0 - share) / breasts, breasts, lowest=lowest)
    low, high = wilson(share, effective, z)
    settled = (seen < _SETTLED) & (classes == "other")
    settled[1:] &= (share[1:] > 0.0) & (share[1:] < 1.0)  # All or none of these breasts settle nothing about others.
    low, high = np.where(settled, share, low), np.where(settled, share, high)
    fell, rose = reading.fell, reading.rose
    of_drop = clustered_variance(placements.drops, clusters)
    scattered = (fell + rose - (fell - rose) ** 2) / breasts
    drop_low, drop_high = tango(fell, rose, _effective(of_drop, scattered, breasts, lowest=lowest), z)
    drop_low[0] = drop_high[0] = 0.0  # Clean against itself is no estimate.
    unknown = np.isnan(seen)
    return Bounds(
        low=np.where(unknown, np.nan, low),
        high=np.where(unknown, np.nan, high),
        drop_low=np.where(unknown, np.nan, drop_low),
        drop_high=np.where(unknown, np.nan, drop_high),
    )


def _effective(
    seen: NDArray[np.float64], independent: NDArray[np.float64], breasts: float, *, lowest: float
) -> NDArray[np.float64]:
    """Number of independent breasts that would scatter as much; where none is seen to scatter, as many as there are."""
    with np.errstate(invalid="ignore", divide="ignore"):
        effect = np.where(independent > 0.0, seen / independent, 1.0)
    return np.asarray(breasts / np.maximum(np.where(effect > _ROUNDING, effect, 1.0), lowest))


def wilson(
    share: NDArray[np.float64], n: NDArray[np.float64], z: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score interval of a proportion of n breasts.

    >>> low, high = wilson(np.array([0.9]), np.array([10.0]), 1.96)
    >>> f"{low[0]:.3f} {high[0]:.3f}"
    '0.596 0.982'
    """
    centre = (share + z**2 / (2.0 * n)) / (1.0 + z**2 / n)
    reach = z / (1.0 + z**2 / n) * np.sqrt(share * (1.0 - share) / n + z**2 / (4.0 * n**2))
    return np.clip(centre - reach, 0.0, share), np.clip(centre + reach, share, 1.0)


def tango(
    fell: NDArray[np.float64], rose: NDArray[np.float64], n: NDArray[np.float64], z: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score interval of a paired difference `fell − rose` of shares of n pairs.

    The differences that a score test with the constrained maximum-likelihood share of `rose` does not contradict.

    >>> low, high = tango(np.array([0.0]), np.array([0.0]), np.array([20.0]), 1.96)
    >>> f"{low[0]:.3f} {high[0]:.3f}"
    '-0.161 0.161'
    """
    observed = fell - rose

    def contradicted(difference: NDArray[np.float64]) -> NDArray[np.bool_]:
        a = 2.0
        b = -fell - rose + (2.0 - observed) * difference
        c = -rose * difference * (1.0 - difference)
        constrained = (np.sqrt(np.maximum(b * b - 4.0 * a * c, 0.0)) - b) / (2.0 * a)
        variance = (2.0 * constrained + difference * (1.0 - difference)) / n
        return np.asarray((observed - difference) ** 2 > z**2 * np.maximum(variance, 0.0))

    ends = np.stack([np.full_like(observed, -1.0), np.ones_like(observed)])
    low, high = boundary(contradicted, outside=ends, inside=np.stack([observed, observed]))
    return low, high
