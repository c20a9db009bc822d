"""Placement values: where each breast stands among the breasts of the other class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placements:
    """Placement values under each condition, averaged over readers, or differences of them between conditions.

    Either array's mean along its breasts is the AUC (or the drop): both average the same comparisons of a malignant
    with a non-malignant breast.
    """

    positives: NDArray[np.float64]
    """(conditions, malignant breasts): share of non-malignant breasts with a lower score, ties half."""
    negatives: NDArray[np.float64]
    """(conditions, non-malignant breasts): share of malignant breasts with a higher score, ties half."""
    kept: float = 1.0
    """Share of the variance of one reader's clean placements of other breasts that their mean over readers keeps."""

    @property
    def mean(self) -> NDArray[np.float64]:
        """AUC, or drop of AUC, under each condition."""
        return np.asarray(self.positives.mean(axis=1))

    @property
    def drops(self) -> Placements:
        """Paired: the first (clean) condition minus each condition, breast by breast."""
        return Placements(
            positives=self.positives[:1] - self.positives,
            negatives=self.negatives[:1] - self.negatives,
        )

    def with_one_more(self, placement: float | NDArray[np.float64]) -> Placements:
        """The same and one more malignant breast, last, that stands equally to every other breast, or (conditions,)."""
        conditions, m = self.positives.shape
        column = np.broadcast_to(np.reshape(placement, (-1, 1)), (conditions, 1))
        return Placements(
            positives=np.concatenate([self.positives, column], axis=1),
            negatives=(self.negatives * m + column) / (m + 1),
        )

    def with_one_more_other(self, placement: NDArray[np.float64]) -> Placements:
        """The same and one more breast that is not malignant, last, with this contribution (conditions,)."""
        n, column = self.negatives.shape[1], placement[:, None]
        return Placements(
            positives=(self.positives * n + column) / (n + 1),
            negatives=np.concatenate([self.negatives, column], axis=1),
        )


def placement_values(positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> Placements:
    """Placement values by ranking, from scores (conditions, breasts, readers) of the two classes.

    Each reader is ranked alone and the placement values are averaged, so the AUC is the mean over readers of each
    reader's AUC. O(n log n) in the number of breasts.

    >>> seen = placement_values(np.array([[[2.0], [5.0]]]), np.array([[[1.0], [2.0], [3.0], [4.0]]]))
    >>> seen.positives.tolist(), seen.mean.tolist()
    ([[0.375, 1.0]], [0.6875])
    """
    conditions, readers = positives.shape[0], positives.shape[2]
    above = np.zeros(positives.shape[:2])
    below = np.zeros(negatives.shape[:2])
    of_each = 0.0
    for condition in range(conditions):
        for reader in range(readers):
            more, fewer = _twice_counted(positives[condition, :, reader], negatives[condition, :, reader])
            above[condition] += more
            below[condition] += fewer
            of_each += float(fewer.var()) if condition == 0 and readers > 1 else 0.0
    kept = share_kept(below[0] / readers, of_each / readers)
    above /= 2.0 * readers * negatives.shape[1]
    below /= 2.0 * readers * positives.shape[1]
    return Placements(positives=above, negatives=1.0 - below, kept=kept)


def share_kept(mean: NDArray[np.float64], of_each: float) -> float:
    """Variance of a mean over readers (breasts,), as a share of that of one reader; 1 where that is not known."""
    return min(float(mean.var()) / of_each, 1.0) if of_each > 0.0 else 1.0


def _twice_counted(
    positives: NDArray[np.float64], negatives: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Twice the number of others below each malignant breast, and of malignant breasts below each other; ties once."""
    order = np.argsort(negatives)
    ordered = negatives[order]
    left = np.searchsorted(ordered, positives, side="left")
    right = np.searchsorted(ordered, positives, side="right")
    # In order of score, others from `left` on are not below a malignant breast, and those from `right` on exceed it.
    passed = np.bincount(np.concatenate([left, right]), minlength=len(ordered) + 1)
    below = np.empty(len(ordered), dtype=np.intp)
    below[order] = np.cumsum(passed[:-1])
    return left + right, below
