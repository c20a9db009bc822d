"""Class separability: the largest distance between the two classes' distributions of scores."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.metric import Metric, Reading, Terms
from mammo_fixtures.metrics.mixture import mixed
from mammo_fixtures.metrics.one_reader import over_readers
from mammo_fixtures.metrics.plain_bounds import plain_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

_REPLICATES = 100
"""Resamples for the bias alone, whose own error is then far below the interval's width."""
_HIDDEN = (1.0, 3.0)
"""True bias in units of what resamples show. They scatter about scores that scatter already: a maximum of noise alone,
in proportion to its spread, grows by √2 − 1 of itself, a 2.4th of its bias; in simulations the bias is 1.9 to 2.6
times what resamples show, and less where the maximum is distinct."""
FEWEST_UNBIASED = 50
"""Malignant breasts below which a metric that is biased upward is not judged."""


def read_ks(positives: NDArray[np.float64], negatives: NDArray[np.float64], _: Terms) -> Reading:
    """Kolmogorov and Smirnov's distance between the classes, two-sided, of one reader's scores (conditions, breasts).

    It is the largest of many differences, hence biased upward; the bias is that of resamples (Efron and Tibshirani
    1993, chapter 10), drawn with a fixed seed.
    """
    m, n = positives.shape[1], negatives.shape[1]
    of_positives, of_negatives, bias = [], [], []
    drawn = _resamples(m, n)
    for malignant, other in zip(positives, negatives, strict=True):
        scores = np.concatenate([malignant, other])
        order = np.argsort(scores, kind="stable")
        last_of_ties = np.append(np.diff(scores[order]) > 0, True)
        step = np.concatenate([np.full(m, 1.0 / m), np.full(n, -1.0 / n)])[order]
        distance = np.cumsum(step)[last_of_ties]
        at = int(np.argmax(np.abs(distance)))
        threshold, sign = scores[order][last_of_ties][at], np.sign(distance[at]) or 1.0
        of_positives.append(sign * (malignant <= threshold))
        of_negatives.append(-sign * (other <= threshold))
        resampled = np.abs(np.cumsum(drawn[:, order] * step, axis=1)[:, last_of_ties]).max(axis=1)
        bias.append(resampled.mean() - abs(distance[at]))
    placements = mixed(np.stack(of_positives), np.stack(of_negatives), (1.0, 1.0))
    return Reading(placements=placements, bias=np.outer(_HIDDEN, bias))


@lru_cache(maxsize=4)
def _resamples(m: int, n: int) -> NDArray[np.float32]:
    """How often each breast is drawn: (replicates, malignant then other breasts), each class on its own."""
    rng = np.random.default_rng([m, n])
    malignant = rng.multinomial(m, np.full(m, 1.0 / m), size=_REPLICATES)
    other = rng.multinomial(n, np.full(n, 1.0 / n), size=_REPLICATES)
    return np.concatenate([malignant, other], axis=1).astype(np.float32)


KS = Metric(
    name="ks",
    title="KS distance between the classes",
    read=partial(over_readers, read_ks),
    bounds=partial(plain_bounds, 0.0, 1.0, one_lost=True),
    chance=None,
    source="Smirnov 1948, Annals of Mathematical Statistics 19:279",
    fewest=FEWEST_UNBIASED,
)
