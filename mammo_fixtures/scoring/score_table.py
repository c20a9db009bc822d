"""Scores of breasts under conditions, as columns: what is judged, whoever computed it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Condition(NamedTuple):
    """A perturbation at a severity; the clean condition is `CLEAN`."""

    perturbation: str
    severity: float


CLEAN = Condition("clean", 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreTable:
    """One score per condition, breast and reader.

    `scores` is float64 (conditions, breasts, readers), NaN where a reader gave none. The breast columns all have one
    entry a breast. A *reader* is a person, or one training seed of a classifier.
    """

    conditions: tuple[Condition, ...]
    readers: tuple[str, ...]
    scores: NDArray[np.float64]
    exam_id: NDArray[np.str_]
    side: NDArray[np.str_]
    malignant: NDArray[np.int8]
    """1, 0, or -1 where the label is not known."""
    subgroup: NDArray[np.str_]
    patient_id: NDArray[np.str_]
    """Empty where not given; then the exam is the cluster."""
    strata: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        shape = (len(self.conditions), len(self.exam_id), len(self.readers))
        if self.scores.shape != shape:
            raise UnusableInput(
                f"{self.source or 'score table'}: scores must be (conditions, breasts, readers) = {shape}, "
                f"got {self.scores.shape}"
            )

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over breasts, labels and subgroups, whatever their order: which cohort this is."""
        columns = (self.exam_id, self.side, self.malignant.astype(np.str_), self.subgroup, self.patient_id)
        rows = sorted("\x1f".join(row) for row in zip(*(column.tolist() for column in columns), strict=True))
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]

    @property
    def clusters(self) -> NDArray[np.intp]:
        """Cluster number of each breast: its patient, or its exam where no patient is given."""
        names = np.where(self.patient_id == "", np.char.add("exam ", self.exam_id), np.char.add("patient ", self.patient_id))
        return np.unique(names, return_inverse=True)[1]

    def severities(self, perturbation: str) -> tuple[float, ...]:
        """Severities of a perturbation that the table holds, in its order, clean not among them."""
        return tuple(c.severity for c in self.conditions if c.perturbation == perturbation)

    def at(self, condition: Condition) -> NDArray[np.float64]:
        """Scores (breasts, readers) under one condition."""
        try:
            return self.scores[self.conditions.index(condition)]
        except ValueError:
            have = ", ".join(f"{c.perturbation} {c.severity:g}" for c in self.conditions)
            raise UnusableInput(
                f"{self.source or 'score table'}: no scores for {condition.perturbation} {condition.severity:g}; it has {have}"
            ) from None

    @classmethod
    def read(cls, path: str | Path) -> ScoreTable:
        """Read `.csv`, `.csv.gz` or `.parquet`."""
        from mammo_fixtures.scoring.table_files import read_score_table

        return read_score_table(Path(path))

    def write(self, path: str | Path) -> None:
        """Write `.csv`, `.csv.gz` or `.parquet`."""
        from mammo_fixtures.scoring.table_files import write_score_table

        write_score_table(self, Path(path))
