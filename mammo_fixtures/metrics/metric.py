"""What a metric is given, what it gives, and the record that names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Breasts with both kinds of label, scored under the clean condition (first) and others."""

    scores: NDArray[np.float64]
    """(conditions, breasts, readers), larger meaning more suspicious."""
    malignant: NDArray[np.bool_]
    clusters: NDArray[np.intp]
    """Patient of each breast, as any number."""

    def __post_init__(self) -> None:
        breasts = len(self.malignant)
        if self.scores.ndim != 3 or self.scores.shape[1] != breasts or len(self.clusters) != breasts:
            raise UnusableInput(
                f"sample: scores must be (conditions, {breasts} breasts, readers) with one label and one cluster a "
                f"breast, got scores {self.scores.shape}, {breasts} labels and {len(self.clusters)} clusters"
            )
        if self.malignant.all() or not self.malignant.any():
            raise UnusableInput(
                f"sample: a metric needs malignant and other breasts, got {int(self.malignant.sum())} malignant of "
                f"{breasts}; leave the metric out"
            )
        missing = int(np.isnan(self.scores).sum())
        if missing:
            raise UnusableInput(
                f"sample: every reader must score every breast under every condition, got {missing} missing of "
                f"{self.scores.size} scores; leave those breasts or readers out"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimates:
    """A metric under each condition (conditions,), its paired drop from clean, and their intervals.

    NaN bounds where the breasts are too few for an interval.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    drop: NDArray[np.float64]
    drop_low: NDArray[np.float64]
    drop_high: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    """Clustered, of `value`, as estimated from the breasts at hand; the intervals are wider."""
    drop_standard_error: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A summary of scores, larger being better, with its intervals."""

    name: str
    """As in tolerances, ids and files: `auc`."""
    title: str
    """As in sentences and tables: `AUC`."""
    measure: Callable[[Sample, float], Estimates]
    """Estimates of a sample at a confidence."""
    chance: float | None
    """Value without any discrimination; None where the metric has none."""
    source: str
