"""Exams: views, breasts, cohorts, and the files that hold them."""

from __future__ import annotations

from mammo_fixtures.exams.cohort import Breast, Cohort, Exam, ViewSource
from mammo_fixtures.exams.manifest import read_cohort
from mammo_fixtures.exams.orientation import chest_wall_side, toward
from mammo_fixtures.exams.view import View
from mammo_fixtures.exams.view_file import ViewFile
from mammo_fixtures.exams.voi import Table, Voi, Window, apply_voi

__all__ = [
    "Breast",
    "Cohort",
    "Exam",
    "Table",
    "View",
    "ViewFile",
    "ViewSource",
    "Voi",
    "Window",
    "apply_voi",
    "chest_wall_side",
    "read_cohort",
    "toward",
]
