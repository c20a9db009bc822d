"""Intervals of an AUC and of its paired drop that keep their promise at the counts screening has.

A few dozen cancers rarely show what a few more would: one that the classifier does not see at all. The bounds that
such a breast would move therefore weigh one extra malignant breast without discrimination; all take what is seen by the
t distribution of the patients with a malignant breast. `tests/simulated_scores.py` simulates their coverage.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mammo_fixtures.metrics.clusters import Clusters, clustered_variance, degrees_corrected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.metrics.placements import Placements

CHANCE = 0.5
"""AUC, and mean placement of a malignant breast, without discrimination."""
LOST_SPREAD = 1.0 / 12.0
"""Variance of a lost breast's placement: it scores like any non-malignant one, so anywhere on [0, 1] alike. Its mean
over readers scatters less, as that of the other breasts does."""
_BISECTIONS = 48
"""Halvings of [0, 1] until the bound is exact to a double's last digits."""


class Interval(NamedTuple):
    """Bounds (conditions,) of a two-sided interval; NaN where the breasts are too few to say."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def auc_interval(
    placements: Placements, clusters: Clusters, confidence: float, *, lost_spread: float = LOST_SPREAD
) -> Interval:
    """Score-type interval of each AUC: the AUCs that the observed one does not contradict.

    The variance is taken at the hypothesised AUC (Newcombe 2006, Statistics in Medicine 25:559), from Hanley and
    McNeil's exponential form (1982, Radiology 143:29), and scaled so that at the observed AUC it is the clustered
    one. An unseen breast without discrimination could only move the AUC towards chance: the bound on that side takes
    the variance with one extra of these where that is larger, the other bound what is seen.
    """
    observed = placements.mean
    m, n = placements.positives.shape[1], placements.negatives.shape[1]
    lost, joined = placements.with_one_more(CHANCE), clusters.with_one_more
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = clustered_variance(placements, clusters) / exponential_variance(observed, m, n)
        feared = _scattered_variance(lost, joined, spread=lost_spread * placements.kept) / exponential_variance(
            lost.mean, m + 1, n
        )
    # The extra breast stands in for what few patients do not show, so its scale needs no t distribution on top.
    plain = seen * quantile(confidence, clusters.with_positive) ** 2
    guarded = np.fmax(plain, feared * quantile(confidence, math.inf) ** 2)
    # Where nothing scatters (0, or 0 / 0 at an AUC of exactly 0 or 1) or one patient is all (NaN), it alone decides.
    plain = np.where(plain > 0.0, plain, guarded)
    reach = np.stack([np.where(observed >= CHANCE, guarded, plain), np.where(observed <= CHANCE, guarded, plain)])

    def contradicted(auc: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray((observed - auc) ** 2 > reach * exponential_variance(auc, m, n))

    # Both sides at once: each step costs the same for twice the numbers.
    ends = np.stack([np.zeros_like(observed), np.ones_like(observed)])
    low, high = boundary(contradicted, outside=ends, inside=np.stack([observed, observed]))
    unknown = np.isnan(guarded)
    return Interval(np.where(unknown, np.nan, low), np.where(unknown, np.nan, high))


def drop_interval(
    placements: Placements, clusters: Clusters, confidence: float, *, lost_spread: float = LOST_SPREAD
) -> Interval:
    """Interval of each drop from the first (clean) condition: paired, clustered, on guard against the unseen.

    The upper bound counts one extra malignant breast that lost all discrimination: by `clean AUC − 0.5` on average,
    spread as its placements then are. The lower bound counts one that lost nothing. Neither bound is inside the plain
    one.
    """
    drops = placements.drops
    patients = clusters.with_positive
    plain = np.sqrt(clustered_variance(drops, clusters))
    # One cluster has no spread of its own (NaN), and then no t distribution either.
    plain = plain * quantile(confidence, max(patients - 1, 1))
    kept_all = drops.with_one_more(0.0)
    lost_all = drops.with_one_more(max(float(placements.mean[0]) - CHANCE, 0.0))
    spread = lost_spread * placements.kept + float(placements.positives[0].var())
    joined = clusters.with_one_more
    spared = np.sqrt(clustered_variance(kept_all, joined))
    struck = np.sqrt(_scattered_variance(lost_all, joined, spread=spread))
    reach = quantile(confidence, math.inf)
    low = np.fmin(drops.mean - plain, kept_all.mean - reach * spared)
    high = np.fmax(drops.mean + plain, lost_all.mean + reach * struck)
    low[0] = high[0] = 0.0  # Clean against itself is no estimate.
    return Interval(np.clip(low, -1.0, 1.0), np.clip(high, -1.0, 1.0))


def _scattered_variance(placements: Placements, clusters: Clusters, *, spread: float) -> NDArray[np.float64]:
    """Clustered variance when one of the malignant breasts is only known to scatter about its placement."""
    m = placements.positives.shape[1]
    scatter = spread * degrees_corrected(clusters.with_positive) / m**2
    return np.asarray(clustered_variance(placements, clusters) + scatter)


def exponential_variance(auc: NDArray[np.float64], m: int, n: int) -> NDArray[np.float64]:
    """Variance of an AUC of m malignant and n other independent breasts with exponential scores.

    Source: Hanley and McNeil 1982, Q1 = A / (2 − A), Q2 = 2A² / (1 + A).
    """
    return np.asarray(
        auc * (1.0 - auc) * (1.0 + (m - 1) * (1.0 - auc) / (2.0 - auc) + (n - 1) * auc / (1.0 + auc)) / (m * n)
    )


def quantile(confidence: float, degrees: float) -> float:
    """Two-sided quantile of the t distribution; of the normal one for infinite degrees."""
    from scipy.special import ndtri, stdtrit

    level = 0.5 + confidence / 2.0
    return float(ndtri(level) if math.isinf(degrees) else stdtrit(degrees, level))


def boundary(contradicted: _Test, *, outside: NDArray[np.float64], inside: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where, between a value outside and one inside, the test changes its mind; by bisection."""
    for _ in range(_BISECTIONS):
        middle = (outside + inside) / 2.0
        is_out = contradicted(middle)
        outside, inside = np.where(is_out, middle, outside), np.where(is_out, inside, middle)
    return np.asarray(inside)


if TYPE_CHECKING:
    from collections.abc import Callable

    _Test = Callable[[NDArray[np.float64]], NDArray[np.bool_]]
