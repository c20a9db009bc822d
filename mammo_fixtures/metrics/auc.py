"""Area under the ROC curve: how often a malignant breast scores above one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.intervals import CHANCE, auc_interval, drop_interval
from mammo_fixtures.metrics.measure import measure
from mammo_fixtures.metrics.metric import Bounds, Estimates, Metric, Reading, Sample, Terms
from mammo_fixtures.metrics.placements import placement_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.metrics.clusters import Clusters


def auc(scores: NDArray[np.float64], malignant: NDArray[np.bool_]) -> float:
    """AUC of one reader's scores (breasts,), ties half.

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    one = Sample(scores=scores[None, :, None], malignant=malignant, clusters=np.arange(len(scores)))
    return float(placement_values(one.scores[:, malignant], one.scores[:, ~malignant]).mean[0])


def measure_auc(sample: Sample, confidence: float = 0.95) -> Estimates:
    """Mean over readers of each reader's AUC; it speaks for these readers only."""
    return measure(AUC, sample, Terms(confidence=confidence))


def read_auc(positives: NDArray[np.float64], negatives: NDArray[np.float64], _: Terms) -> Reading:
    """Placement values."""
    return Reading(placements=placement_values(positives, negatives), readers=positives.shape[2])


def auc_bounds(reading: Reading, clusters: Clusters, confidence: float) -> Bounds:
    """On guard against a few cancers that are lost entirely."""
    value = auc_interval(reading.placements, clusters, confidence)
    drop = drop_interval(reading.placements, clusters, confidence)
    return Bounds(low=value.low, high=value.high, drop_low=drop.low, drop_high=drop.high)


AUC = Metric(
    name="auc",
    title="AUC",
    read=read_auc,
    bounds=auc_bounds,
    chance=CHANCE,
    source="DeLong et al. 1988, Biometrics 44:837; Obuchowski 1997, Biometrics 53:567",
)
