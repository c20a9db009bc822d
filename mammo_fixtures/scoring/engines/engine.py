"""What an engine is given, and what it must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from mammo_fixtures.exams import Cohort, Exam
from mammo_fixtures.scoring.pipeline import ExamRows, Pipeline
from mammo_fixtures.scoring.store import Store

CHUNK_EXAMS = 4
_CHUNKS_OF_A_SMALL_COHORT = 64
"""Fewer exams a chunk before fewer chunks: the last ones keep every worker busy, and least is lost to a kill."""


@dataclass(slots=True, kw_only=True, eq=False)
class Work:
    """A pass that is prepared: nothing that decides a score is open any more."""

    name: str
    """The same for all processes that share the pass."""
    owner: str
    """This process."""
    cohort: Cohort
    pipeline: Pipeline
    """What scores exams in this process; its `keys` hold conditions, fingerprint and what is known of the files."""
    store: Store
    cells: int
    """Scores in all."""
    loaded: dict[str, float] = field(default_factory=dict)
    """Numbers of the classifier that the first of other processes loaded."""
    tell: Callable[[], None] = field(default=lambda: None)
    """To be called whenever scores were written, or while waiting."""

    @property
    def chunks(self) -> list[tuple[Exam, ...]]:
        exams = self.cohort.exams
        size = exams_of_a_chunk(len(exams))
        return [exams[start : start + size] for start in range(0, len(exams), size)]

    def keep(self, rows: ExamRows) -> None:
        """Write what came of an exam; insert-or-ignore, so that writing it twice does no harm."""
        if rows.files:
            self.store.remember_files(rows.files.items())
        # Before the scores: what is noted of a view is then known wherever its scores are.
        if rows.notes:
            self.store.keep(rows.notes.items())
        self.store.keep(rows.scores.items(), pass_name=self.name, found=rows.found)


def exams_of_a_chunk(exams: int) -> int:
    """How many exams are leased at a time, of a cohort of so many."""
    return max(1, min(CHUNK_EXAMS, exams // _CHUNKS_OF_A_SMALL_COHORT))


class Engine(Protocol):
    """Somewhere to score a pass. All engines give the same table."""

    def device_type(self, own: str) -> str:
        """Type of the device that scores will be made on, which is part of their keys; `own` is this process's."""

    def run(self, work: Work) -> None:
        """Bring every score of the work into its store; returns when none is missing.

        Raises UnusableInput where that cannot be, after which a later run goes on from what the store has.
        """
