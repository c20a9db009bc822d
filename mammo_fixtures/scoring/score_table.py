"""Scores of breasts under conditions, as columns: what is judged, whoever computed it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.patients import shared_patient_said

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.exams.pseudonyms import Pseudonyms


class Condition(NamedTuple):
    """A perturbation at a severity; the clean condition is `CLEAN`."""

    perturbation: str
    severity: float


CLEAN = Condition("clean", 0.0)

COLUMNS = ("exam_id", "side", "malignant", "subgroup", "perturbation", "severity", "reader", "score")
"""Columns that every table in a file has; `patient_id` may follow, and any others are strata."""


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
    unmet: Mapping[str, str] = field(default_factory=dict)
    """By perturbation: what it needs that some breasts have not, so that they got no score. Not kept in files."""
    notes: Mapping[Condition, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    """By condition and name: numbers noted of the views that were scored under it. Not kept in files."""
    _numbered: list[NDArray[np.intp]] = field(default_factory=list, init=False, repr=False)
    """The clusters once they were asked for: telling a million texts apart takes a second, and every curve asks."""

    def __post_init__(self) -> None:
        shape = (len(self.conditions), len(self.exam_id), len(self.readers))
        if self.scores.shape != shape:
            raise UnusableInput(
                f"{self.source or 'score table'}: scores must be (conditions, breasts, readers) = {shape}, "
                f"got {self.scores.shape}"
            )
        columns = {name: getattr(self, name) for name in ("side", "malignant", "subgroup", "patient_id")}
        for name, column in (columns | dict(self.strata)).items():
            if len(column) != len(self.exam_id):
                raise UnusableInput(
                    f"{self.source or 'score table'}: {name} must have one entry for each of {len(self.exam_id)} "
                    f"breasts, got {len(column)}"
                )
        check_strata(self.strata, self.source)
        for what, names in (("condition", self.conditions), ("reader", self.readers)):
            doubled = [name for name in names if names.count(name) > 1]
            if doubled:
                raise UnusableInput(
                    f"{self.source or 'score table'}: each {what} may stand once, got {doubled[0]!r} twice"
                )

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over breasts, labels and subgroups, whatever their order: which cohort this is."""
        columns = (self.exam_id, self.side, self.malignant.astype(np.str_), self.subgroup, self.patient_id)
        rows = sorted("\x1f".join(row) for row in zip(*(column.tolist() for column in columns), strict=True))
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]

    @property
    def columns(self) -> dict[str, NDArray[np.str_]]:
        """What subgroups are told by: kind of lesion, side, and every stratum."""
        return {"subgroup": self.subgroup, "side": self.side, **self.strata}

    @property
    def clusters(self) -> NDArray[np.intp]:
        """Cluster number of each breast: its patient, or its exam where no patient is given."""
        if not self._numbered:
            exams, patients = np.char.add("exam ", self.exam_id), np.char.add("patient ", self.patient_id)
            names = np.where(self.patient_id == "", exams, patients)
            self._numbered.append(np.unique(names, return_inverse=True)[1])
        return self._numbered[0]

    @property
    def doubt_of_patients(self) -> str:
        """What is to be told where one patient id stands for more exams than a patient has; empty otherwise."""
        return shared_patient_said(zip(self.exam_id.tolist(), self.patient_id.tolist(), strict=True))

    def severities(self, perturbation: str) -> tuple[float, ...]:
        """Severities of a perturbation that the table holds, in its order, clean not among them."""
        return tuple(c.severity for c in self.conditions if c.perturbation == perturbation)

    def at(self, condition: Condition) -> NDArray[np.float64]:
        """Scores (breasts, readers) under one condition."""
        try:
            number = self.conditions.index(condition)
        except ValueError:
            have = ", ".join(f"{c.perturbation} {c.severity:g}" for c in self.conditions)
            raise UnusableInput(
                f"{self.source or 'score table'}: has no scores for {condition.perturbation} {condition.severity:g}, "
                f"only for {have}; add them, or select other tests"
            ) from None
        scores: NDArray[np.float64] = self.scores[number]
        return scores

    def cut(self, kept: NDArray[np.intp]) -> ScoreTable:
        """The same scores of some breasts only, in the order given."""
        return replace(
            self,
            scores=self.scores[:, kept],
            exam_id=self.exam_id[kept],
            side=self.side[kept],
            malignant=self.malignant[kept],
            subgroup=self.subgroup[kept],
            patient_id=self.patient_id[kept],
            strata={name: column[kept] for name, column in self.strata.items()},
        )

    @classmethod
    def read(cls, path: str | Path, *, pseudonyms: Pseudonyms | None = None) -> ScoreTable:
        """Read `.csv`, `.csv.gz` or `.parquet`; with `pseudonyms`, ids of exams and patients are replaced first."""
        from mammo_fixtures.scoring.table_files import read_score_table

        return read_score_table(Path(path), pseudonyms)

    def write(self, path: str | Path) -> None:
        """Write `.csv`, `.csv.gz` or `.parquet`."""
        from mammo_fixtures.scoring.table_files import write_score_table

        write_score_table(self, Path(path))


def check_strata(names: Iterable[str], source: str) -> None:
    """Refuses strata that a table in a file could not tell from its own columns."""
    taken = sorted({*COLUMNS, "patient_id"} & {*names})
    if taken:
        raise UnusableInput(
            f"{source or 'score table'}: a stratum must not be called like a column of score tables, got {taken[0]!r}; "
            "rename that column"
        )
