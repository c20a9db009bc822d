"""Partial area under the ROC curve where specificity is at least 0.8, the part in which screening works."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.intervals import CHANCE, auc_interval, drop_interval
from mammo_fixtures.metrics.metric import Bounds, Metric, Reading, Terms
from mammo_fixtures.metrics.one_reader import over_readers
from mammo_fixtures.metrics.placements import Placements

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.metrics.clusters import Clusters

LEAST_SPECIFICITY = 0.8
_SPAN = 1.0 - LEAST_SPECIFICITY
_LEAST, _MOST = _SPAN**2 / 2.0, _SPAN
"""Area without discrimination, and of a perfect classifier."""
_LOST_SPREAD = (_SPAN**3 / 3.0 - _LEAST**2) / (2.0 * (_MOST - _LEAST)) ** 2
"""Variance of a lost breast's contribution: it stands anywhere among the others alike."""


def read_partial_auc(positives: NDArray[np.float64], negatives: NDArray[np.float64], _: Terms) -> Reading:
    """Contributions to the area on McClish's scale, 0.5 at chance and 1 when perfect.

    A malignant breast contributes the width of false-positive rates up to 0.2 at which it is found; one that is not
    malignant, among the highest fifth, the share of malignant breasts that it hides beyond those hidden at 0.2.
    """
    areas = [_contributions(p, n) for p, n in zip(positives, negatives, strict=True)]
    return Reading(
        placements=Placements(
            positives=np.stack([_scaled(a) for a, _ in areas]), negatives=np.stack([_scaled(b) for _, b in areas])
        )
    )


def _contributions(positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Of one reader's scores (breasts,) under one condition; both means are the area."""
    m, n = len(positives), len(negatives)
    others, cancers = np.sort(negatives), np.sort(positives)
    # False-positive rates at which a malignant breast begins and ends to be found; they differ where it ties.
    begins = (n - np.searchsorted(others, positives, side="right")) / n
    ends = (n - np.searchsorted(others, positives, side="left")) / n
    width = np.where(ends > begins, ends - begins, 1.0)
    found = np.where(ends <= _SPAN, _SPAN - (begins + ends) / 2.0, np.maximum(_SPAN - begins, 0.0) ** 2 / (2.0 * width))
    above = 1.0 - (np.searchsorted(cancers, negatives, "left") + np.searchsorted(cancers, negatives, "right")) / (2 * m)
    # The rate of 0.2 is passed at this score. Of others tied there only a part lies within, along a straight piece of
    # the curve, and they move the area by less the smaller that part is.
    cut = others[max(n - int(np.ceil(_SPAN * n - 1e-9)), 0)]
    part = (_SPAN - np.mean(negatives > cut)) / np.mean(negatives == cut)
    rise = part * np.mean(positives == cut)
    hidden = np.where(negatives > cut, above - np.mean(positives > cut) - rise, 0.0)
    hidden -= np.where(negatives == cut, part * rise / 2.0, 0.0)
    return found, hidden - hidden.mean() + found.mean()


def _scaled(area: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1.0 + (area - _LEAST) / (_MOST - _LEAST)))


def _bounds(reading: Reading, clusters: Clusters, confidence: float) -> Bounds:
    value = auc_interval(reading.placements, clusters, confidence, lost_spread=_LOST_SPREAD)
    drop = drop_interval(reading.placements, clusters, confidence, lost_spread=_LOST_SPREAD)
    return Bounds(low=value.low, high=value.high, drop_low=drop.low, drop_high=drop.high)


PARTIAL_AUC = Metric(
    name="partial_auc",
    title="partial AUC (specificity ≥ 0.8, McClish's scale)",
    read=partial(over_readers, read_partial_auc),
    bounds=_bounds,
    chance=CHANCE,
    source="McClish 1989, Medical Decision Making 9:190",
)
