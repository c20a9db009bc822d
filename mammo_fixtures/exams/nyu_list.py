"""The exam list of the NYU breast cancer classifiers: a pickled list of dicts, one an exam.

As described in the README of github.com/nyukat/breast_cancer_classifier, GMIC and mammography_metarepository.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.plain_pickle import read_plain_pickle

VIEWS = ("L-CC", "R-CC", "L-MLO", "R-MLO")
WORDS = {"L": "left", "R": "right"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExam:
    """One exam of the list."""

    exam_id: str
    """Its place in the list, from 0."""
    images: Mapping[str, tuple[str, ...]]
    """File names without ending, by view."""
    malignant: Mapping[str, str]
    """`1`, `0`, or empty where the list does not say, by side."""


def read_exam_list(path: Path) -> list[ListedExam]:
    """The exams of a list, in its order. Raises UnusableInput with the place of what is wrong."""
    found = read_plain_pickle(path)
    if not isinstance(found, list) or not found:
        raise UnusableInput(f"{path.name}: an exam list must be a list of dicts, got {type(found).__name__}")
    return [_exam(exam, f"{path.name}, exam {place}", str(place)) for place, exam in enumerate(found)]


def _exam(exam: object, where: str, exam_id: str) -> ListedExam:
    if not isinstance(exam, dict):
        raise UnusableInput(f"{where}: an exam must be a dict, got {type(exam).__name__}")
    images = {}
    for view in VIEWS:
        names = exam.get(view, [])
        if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) and name for name in names):
            raise UnusableInput(f"{where}: {view} must be a list of file names, got {type(names).__name__}")
        if names:
            images[view] = tuple(names)
    if not images:
        raise UnusableInput(f"{where}: an exam must have images of {', '.join(VIEWS)}, got none")
    labels = exam.get("cancer_label") or {}
    if not isinstance(labels, dict):
        raise UnusableInput(f"{where}: cancer_label must be a dict, got {type(labels).__name__}")
    malignant = {side: _label(labels, f"{word}_malignant", where) for side, word in WORDS.items()}
    return ListedExam(exam_id=exam_id, images=images, malignant=malignant)


def _label(labels: Mapping[str, object], name: str, where: str) -> str:
    value = labels.get(name)
    if value is None:
        return ""
    if value not in (0, 1):
        raise UnusableInput(f"{where}: {name} must be 0 or 1, got {value!r:.40}")
    return "1" if value else "0"
