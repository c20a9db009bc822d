"""Variance of an AUC, or of its paired drop, when breasts of one patient are not independent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.metrics.placements import Placements


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clusters:
    """Which patient each malignant and each other breast belongs to, numbered from 0 without gaps."""

    positives: NDArray[np.intp]
    negatives: NDArray[np.intp]
    number: int

    @classmethod
    def of(cls, positives: NDArray[np.intp], negatives: NDArray[np.intp]) -> Clusters:
        """Number whatever tells the patients apart."""
        names, numbered = np.unique(np.concatenate([positives, negatives]), return_inverse=True)
        m = len(positives)
        return cls(positives=numbered[:m], negatives=numbered[m:], number=len(names))

    @property
    def with_positive(self) -> int:
        """Number of patients with a malignant breast."""
        return _distinct(self.positives, self.number)

    @property
    def with_one_more(self) -> Clusters:
        """The same and one more malignant breast, last, of a patient of its own."""
        positives = np.append(self.positives, self.number)
        return Clusters(positives=positives, negatives=self.negatives, number=self.number + 1)

    @property
    def with_one_more_other(self) -> Clusters:
        """The same and one more breast that is not malignant, last, of a patient of its own."""
        negatives = np.append(self.negatives, self.number)
        return Clusters(positives=self.positives, negatives=negatives, number=self.number + 1)


def clustered_variance(placements: Placements, clusters: Clusters) -> NDArray[np.float64]:
    """Variance (conditions,) of the mean placement, with patients as clusters.

    Given differences of placement values it is the variance of the paired drop. With one breast a cluster it is
    DeLong's (1988). NaN where the malignant or the other breasts come from fewer than two clusters: one cluster says
    nothing of its spread.

    Source: Obuchowski 1997, Biometrics 53:567, S10, S01 and S11.
    """
    centre = placements.mean[:, None]
    m, n = placements.positives.shape[1], placements.negatives.shape[1]
    positives = _sum_by_cluster(placements.positives - centre, clusters.positives, clusters.number)
    negatives = _sum_by_cluster(placements.negatives - centre, clusters.negatives, clusters.number)
    s10 = np.einsum("ck,ck->c", positives, positives) * degrees_corrected(clusters.with_positive) / m
    s01 = np.einsum("ck,ck->c", negatives, negatives)
    s01 *= degrees_corrected(_distinct(clusters.negatives, clusters.number)) / n
    s11 = np.einsum("ck,ck->c", positives, negatives) * degrees_corrected(clusters.number)
    # Patients with both kinds of breast may pull the sum of the three just below nothing when the spread is nothing.
    return np.asarray(np.maximum(s10 / m + s01 / n + 2.0 * s11 / (m * n), 0.0))


def degrees_corrected(clusters: int) -> float:
    """Factor for the mean having been estimated from the same clusters."""
    return clusters / (clusters - 1) if clusters > 1 else float("nan")


def _sum_by_cluster(values: NDArray[np.float64], numbered: NDArray[np.intp], number: int) -> NDArray[np.float64]:
    """Sum (conditions, clusters) of values (conditions, breasts)."""
    sums = [np.bincount(numbered, weights=row, minlength=number) for row in values]
    return np.stack(sums)


def _distinct(numbered: NDArray[np.intp], number: int) -> int:
    return int(np.count_nonzero(np.bincount(numbered, minlength=number)))
