"""Area under the ROC curve: how often a malignant breast scores above one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.clusters import Clusters, clustered_variance
from mammo_fixtures.metrics.intervals import CHANCE, auc_interval, drop_interval
from mammo_fixtures.metrics.metric import Estimates, Metric, Sample
from mammo_fixtures.metrics.placements import placement_values

if TYPE_CHECKING:
    from numpy.typing import NDArray


def auc(scores: NDArray[np.float64], malignant: NDArray[np.bool_]) -> float:
    """AUC of one reader's scores (breasts,), ties half.

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    one = Sample(scores=scores[None, :, None], malignant=malignant, clusters=np.arange(len(scores)))
    return float(placement_values(one.scores[:, malignant], one.scores[:, ~malignant]).mean[0])


def measure_auc(sample: Sample, confidence: float = 0.95) -> Estimates:
    """Mean over readers of each reader's AUC; it speaks for these readers only."""
    malignant = sample.malignant
    placements = placement_values(sample.scores[:, malignant], sample.scores[:, ~malignant])
    clusters = Clusters.of(sample.clusters[malignant], sample.clusters[~malignant])
    value, drop = auc_interval(placements, clusters, confidence), drop_interval(placements, clusters, confidence)
    return Estimates(
        value=placements.mean,
        low=value.low,
        high=value.high,
        drop=placements.mean[0] - placements.mean,
        drop_low=drop.low,
        drop_high=drop.high,
        standard_error=np.sqrt(clustered_variance(placements, clusters)),
        drop_standard_error=np.sqrt(clustered_variance(placements.drops, clusters)),
    )


AUC = Metric(
    name="auc",
    title="AUC",
    measure=measure_auc,
    chance=CHANCE,
    source="DeLong et al. 1988, Biometrics 44:837; Obuchowski 1997, Biometrics 53:567",
)
