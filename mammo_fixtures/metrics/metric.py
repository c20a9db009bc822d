"""What a metric is given, what it gives, and the record that names it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics.operating_point import DEFAULT, OperatingPoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.metrics.clusters import Clusters
    from mammo_fixtures.metrics.placements import Placements

READERS = ("fixed", "random")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Breasts with both kinds of label, scored under the clean condition (first) and others."""

    scores: NDArray[np.float64]
    """(conditions, breasts, readers), larger meaning more suspicious; NaN where a reader gave none."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a metric is asked for, beside its name."""

    confidence: float = 0.95
    operating_point: OperatingPoint = DEFAULT
    prevalence: float | None = None
    """Share of malignant breasts that the figures are to be for; None for that of the sample."""
    probabilities: bool = True
    """Whether scores are probabilities; else they are taken for logits."""
    readers: str = "fixed"
    """`fixed` speaks for these readers only, `random` for others like them."""

    def __post_init__(self) -> None:
        if not 0.5 < self.confidence < 1.0:
            raise UnusableInput(f"curve: confidence must lie between 0.5 and 1, got {self.confidence:g}; 0.95 is usual")
        if self.prevalence is not None and not 0.0 < self.prevalence < 1.0:
            raise UnusableInput(
                f"curve: prevalence must lie between 0 and 1, got {self.prevalence:g}; screening has about 0.005"
            )
        if self.readers not in READERS:
            raise UnusableInput(f"curve: readers must be 'fixed' or 'random', got {self.readers!r}; fixed is usual")

    def weights(self, positives: int, negatives: int) -> tuple[float, float]:
        """Shares of malignant and of other breasts in figures that depend on their mix."""
        share = positives / (positives + negatives) if self.prevalence is None else self.prevalence
        return share, 1.0 - share


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """What the scores of complete readers come to under each condition, as contributions of single breasts."""

    placements: Placements
    """Contributions whose mean is the metric, and whose clustered spread is its variance."""
    fell: NDArray[np.float64] | None = None
    """Of a proportion: share of breasts (conditions,) counted when clean and not under the condition."""
    rose: NDArray[np.float64] | None = None
    breasts: float = math.nan
    """Of a proportion: how many breasts of equal weight tell as much as these (Kish 1965, Survey Sampling)."""
    bias: NDArray[np.float64] | None = None
    """Least and most plausible upward bias of the metric (2, conditions)."""
    lost: NDArray[np.float64] | None = None
    """What a malignant breast that scores like the others would contribute (conditions,), less the mean."""
    alarm: NDArray[np.float64] | None = None
    """What one of the others that scores like a malignant breast would contribute (conditions,), less the mean."""
    readers: int = 1
    """How many were averaged."""
    others: tuple[Reading, ...] = ()
    """Readings at operating points that other samples might have set, where tied scores leave gaps between them."""
    against: float = 0.0
    """Standard errors by which the clean scores contradict the operating point of one of those."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounds:
    """Intervals (conditions,) of a metric and of its drop."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    drop_low: NDArray[np.float64]
    drop_high: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimates:
    """A metric under each condition (conditions,), its paired drop from clean, and their intervals.

    NaN bounds where the breasts are too few for an interval, NaN values where no reader scored both kinds of breast.
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
    positives: NDArray[np.intp]
    """Malignant breasts with a score that counts at each condition."""
    negatives: NDArray[np.intp]
    readers: NDArray[np.intp]
    unpaired: NDArray[np.bool_]
    """Where no reader scored both kinds of breast under both conditions, so each condition stands for itself."""
    reader_variance: NDArray[np.float64]
    """Of random readers: estimated variance component of the drop between readers, negative where chance made it so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A summary of scores with its intervals."""

    name: str
    """As in tolerances, ids and files: `auc`."""
    title: str
    """As in sentences and tables: `AUC`."""
    read: Callable[[NDArray[np.float64], NDArray[np.float64], Terms], Reading] = field(repr=False)
    """From scores (conditions, breasts, readers) of malignant and of other breasts, clean first and none missing."""
    bounds: Callable[[Reading, Clusters, float], Bounds] = field(repr=False)
    """Intervals at a confidence, the readers being fixed."""
    chance: float | None
    """Value without any discrimination; None where the metric has none."""
    source: str
    better: str = "larger"
    """`larger`, `smaller`, or `steady` where a change either way is for the worse."""
    low: float = 0.0
    """Least and largest value that the metric can have."""
    high: float = 1.0
    when_clean: float | None = None
    """Its value of clean scores where all scores have the same one, because it compares each breast with itself."""
    fewest: int = 10
    """Malignant breasts below which it is never judged."""
    needs: frozenset[str] = frozenset()
    """Of `clean` (compares each breast with itself), `operating_point`, `prevalence`, `probabilities`."""
    snapshot: float = 0.005
    """Largest difference that counts as the same number: devices and library versions differ by less."""
