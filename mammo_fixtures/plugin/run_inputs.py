"""The exams, the classifier and the score tables that the options name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.plugin.progress import PHANTOMS, stage_reporter
from mammo_fixtures.plugin.run import Run, run_of
from mammo_fixtures.scoring.score_table import ScoreTable
from mammo_fixtures.verdicts.spelling import unknown_said

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from mammo_fixtures.classifiers import Classifier
    from mammo_fixtures.exams import Cohort


def read_exams(config: pytest.Config) -> Cohort:
    """The cohort; phantoms that are not there yet are made, with progress."""
    from mammo_fixtures.exams import read_cohort
    from mammo_fixtures.exams.phantoms import phantom_cohort

    run = run_of(config)
    settings = run.settings
    if settings.exams == "phantoms":
        phantom_cohort(progress=stage_reporter(config, PHANTOMS))
    return read_cohort(settings.exams, allow_outside=settings.allow_outside, pseudonyms=run.pseudonyms)


def load(config: pytest.Config) -> Classifier:
    """The classifier; what can be imported where the command was typed can be named."""
    from mammo_fixtures.classifiers import load_classifier

    run = run_of(config)
    settings, folder = run.settings, str(config.invocation_params.dir)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    classifier = load_classifier(settings.classifier, allow_pickle=settings.allow_pickle)
    for name in classifier.cancels:
        try:
            PERTURBATIONS[name]
        except UnusableInput as error:
            raise UnusableInput(f"classifier {classifier.name}: cancels: {error}") from None
    run.cancels = tuple(classifier.cancels)
    return classifier


def read_table(run: Run, path: Path) -> ScoreTable:
    """A score table, and a remark on what of it no claim can be about."""
    table = ScoreTable.read(path, pseudonyms=run.pseudonyms)
    if said := unknown_said(table, path.name):
        run.remarks[said] = None
    return table
