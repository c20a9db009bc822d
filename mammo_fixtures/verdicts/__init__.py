"""Verdicts hold a curve of a metric over severity against a tolerance."""

from __future__ import annotations

from mammo_fixtures.verdicts.curve import Curve, Point, curve
from mammo_fixtures.verdicts.judge import judge, judge_clean, judge_severity, not_run
from mammo_fixtures.verdicts.subgroups import ALL
from mammo_fixtures.verdicts.tolerance import Tolerance
from mammo_fixtures.verdicts.tolerance_file import read_tolerances
from mammo_fixtures.verdicts.verdict import OUTCOMES, Verdict

__all__ = [
    "ALL",
    "OUTCOMES",
    "Curve",
    "Point",
    "Tolerance",
    "Verdict",
    "curve",
    "judge",
    "judge_clean",
    "judge_severity",
    "not_run",
    "read_tolerances",
]
