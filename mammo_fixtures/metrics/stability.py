"""Stability: how far scores move from clean, in rank and on the logit scale."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.metric import Metric, Reading, Terms
from mammo_fixtures.metrics.mixture import mixed
from mammo_fixtures.metrics.one_reader import over_readers
from mammo_fixtures.metrics.plain_bounds import correlation_bounds, plain_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_PROBABILITY = 1e-6
"""Probabilities nearer to 0 or 1 are taken as this near: a logit of infinity has no mean."""


def logits(scores: NDArray[np.float64], terms: Terms) -> NDArray[np.float64]:
    """Scores on the logit scale."""
    if not terms.probabilities:
        return scores
    p = np.clip(scores, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
    return np.asarray(np.log(p / (1.0 - p)))


def read_rank_correlation(positives: NDArray[np.float64], negatives: NDArray[np.float64], _: Terms) -> Reading:
    """Spearman's correlation with the clean scores over all breasts, of one reader's scores (conditions, breasts)."""
    m = positives.shape[1]
    scores = np.concatenate([positives, negatives], axis=1)
    places = np.stack([_midranks(row) for row in scores]) / scores.shape[1] - 0.5
    spread = places.std(axis=1)
    scale = np.where(spread[0] * spread > 0.0, spread[0] * spread, math.nan)[:, None]
    value = (places[:1] * places).mean(axis=1) / scale[:, 0]
    # A breast counts by its own product and by the ranks it gives all others, in both orders (Hampel's influence). So
    # it does in the spread of either ranking: without ties that is a constant, with ties it is not.
    joint = places[:1] * places
    joint += np.stack(
        [_above(scores[0], row) + _above(given, places[0]) for given, row in zip(scores, places, strict=True)]
    )
    own = places**2 + 2.0 * np.stack([_above(*both) for both in zip(scores, places, strict=True)])
    own /= np.where(spread > 0.0, spread**2, math.nan)[:, None]
    influence = joint / scale - value[:, None] * (own[:1] + own) / 2.0
    # Over a mixture the two classes' influences need not vanish one by one: their numbers are given, not sampled.
    weights = (m / scores.shape[1], 1.0 - m / scores.shape[1])
    return Reading(placements=mixed(influence[:, :m], influence[:, m:], weights, value))


def _midranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank of each score, from 0.5, ties sharing their mean."""
    ordered = np.sort(scores)
    return np.asarray((np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right")) / 2.0)


def _above(scores: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each breast, the mean over all breasts of `values` where they score above it, ties half."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    upward = np.append(np.cumsum(values[order][::-1])[::-1], 0.0)
    left, right = np.searchsorted(ordered, scores, "left"), np.searchsorted(ordered, scores, "right")
    return np.asarray((upward[left] + upward[right]) / (2.0 * len(scores)))


def read_logit_shift(positives: NDArray[np.float64], negatives: NDArray[np.float64], terms: Terms) -> Reading:
    """Mean change of the logit from clean, of one reader's scores (conditions, breasts)."""
    a, b = logits(positives, terms), logits(negatives, terms)
    weights = terms.weights(positives.shape[1], negatives.shape[1])
    return Reading(placements=mixed(a - a[:1], b - b[:1], weights))


RANK_CORRELATION = Metric(
    name="rank_correlation",
    title="rank correlation with clean",
    read=partial(over_readers, read_rank_correlation),
    bounds=correlation_bounds,
    chance=None,
    source="Spearman 1904, American Journal of Psychology 15:72; Fisher 1921, Metron 1:3",
    low=-1.0,
    when_clean=1.0,
    needs=frozenset({"clean"}),
)
LOGIT_SHIFT = Metric(
    name="logit_shift",
    title="mean shift of the logit",
    read=partial(over_readers, read_logit_shift),
    bounds=partial(plain_bounds, -math.inf, math.inf),
    chance=None,
    source="mean and standard error, clustered",
    better="steady",
    low=-math.inf,
    when_clean=0.0,
    high=math.inf,
    needs=frozenset({"clean", "prevalence"}),
    snapshot=0.02,
)
