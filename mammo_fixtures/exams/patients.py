"""Whether patients are told apart: archives from which ids were removed give one to all of their exams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

MOST_EXAMS = 40
"""Of one woman: one a year from 40 to 79."""
FEWEST_EXAMS = 5
"""Of a cohort of which one patient only is no small try."""


def shared_patient_said(exams: Iterable[tuple[str, str]]) -> str:
    """What is to be told of (exam, patient) pairs where one patient has more exams than anyone; empty otherwise.

    A patient is not named: what stands for many exams may still name one woman. Without a patient the exam is the
    cluster, which is no fault.
    """
    pairs = set(exams)
    counted = Counter(patient for _, patient in pairs if patient)
    doubtful = {patient: n for patient, n in counted.items() if n > MOST_EXAMS or FEWEST_EXAMS <= n == len(pairs)}
    if not doubtful:
        return ""
    whose = "one patient_id stands" if len(doubtful) == 1 else f"{len(doubtful)} patient_ids stand"
    return (
        f"{whose} for {sum(doubtful.values()):,} of {len(pairs):,} exams, as where ids were removed: they count as one "
        "patient's in every interval, which is then wrong or not there; leave patient_id empty in those rows, so that "
        "each exam is taken for a patient, or give every patient a pseudonym"
    )
