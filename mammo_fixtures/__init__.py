"""Robustness of mammography classifiers: exams in, perturb, score, measure, judge.

The public names resolve on first use, so that importing the package imports neither torch nor pytest.

PYTEST_DONT_REWRITE: `python -m robustness_tests` imports this module before pytest could, which then warns of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mammo_fixtures.classifiers import Classifier, load_classifier
    from mammo_fixtures.errors import UnusableInput
    from mammo_fixtures.exams import View, read_cohort
    from mammo_fixtures.perturbations import PERTURBATIONS, perturb
    from mammo_fixtures.scoring import ScoreTable, score
    from mammo_fixtures.verdicts import curve, judge, read_tolerances

__version__ = "0.1.0"

_HOME = {
    "PERTURBATIONS": "perturbations",
    "Classifier": "classifiers",
    "ScoreTable": "scoring",
    "UnusableInput": "errors",
    "View": "exams",
    "curve": "verdicts",
    "judge": "verdicts",
    "load_classifier": "classifiers",
    "perturb": "perturbations",
    "read_cohort": "exams",
    "read_tolerances": "verdicts",
    "score": "scoring",
}

__all__ = [
    "PERTURBATIONS",
    "Classifier",
    "ScoreTable",
    "UnusableInput",
    "View",
    "curve",
    "judge",
    "load_classifier",
    "perturb",
    "read_cohort",
    "read_tolerances",
    "score",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
