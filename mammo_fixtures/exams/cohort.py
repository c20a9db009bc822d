"""Breasts, exams and cohorts: what is known of them before any pixel is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.view import SIDES, View


class ViewSource(Protocol):
    """Something that gives a view when asked: a file, or a view in memory."""

    @property
    def exam_id(self) -> str: ...
    @property
    def side(self) -> str: ...
    @property
    def position(self) -> str: ...
    def read(self) -> View: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Breast:
    """One breast of an exam: its label, its subgroup and its views."""

    exam_id: str
    side: str
    views: tuple[ViewSource, ...]
    malignant: bool | None = None
    """None where the label is not known."""
    subgroup: str = ""
    patient_id: str = ""
    strata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise UnusableInput(f"exam {self.exam_id}: side must be L or R, got {self.side!r}")
        if not self.views:
            raise UnusableInput(f"exam {self.exam_id}, {self.side}: a breast needs at least one view, got none")

    @property
    def columns(self) -> dict[str, str]:
        """What subgroups are told by: kind of lesion, side, and every stratum."""
        return {"subgroup": self.subgroup, "side": self.side, **self.strata}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """The breasts of one woman on one day."""

    exam_id: str
    breasts: tuple[Breast, ...]

    def __post_init__(self) -> None:
        sides = [breast.side for breast in self.breasts]
        if not sides or len(set(sides)) != len(sides):
            raise UnusableInput(f"exam {self.exam_id}: one or two breasts of different sides, got {sides}")

    @property
    def views(self) -> tuple[ViewSource, ...]:
        return tuple(view for breast in self.breasts for view in breast.views)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The exams a run is about, in a stable order."""

    name: str
    exams: tuple[Exam, ...]
    source: str = ""
    """The manifest's path, or empty for a cohort in memory."""

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for exam in self.exams:
            if exam.exam_id in seen:
                raise UnusableInput(f"exam {exam.exam_id}: an exam id may appear once in a cohort, got it twice")
            seen.add(exam.exam_id)

    def __iter__(self) -> Iterator[Exam]:
        return iter(self.exams)

    def __len__(self) -> int:
        return len(self.exams)

    @property
    def breasts(self) -> tuple[Breast, ...]:
        return tuple(breast for exam in self.exams for breast in exam.breasts)

    @property
    def subgroups(self) -> tuple[str, ...]:
        """Subgroups that hold a malignant breast, sorted."""
        return tuple(sorted({breast.subgroup for breast in self.breasts if breast.malignant and breast.subgroup}))
