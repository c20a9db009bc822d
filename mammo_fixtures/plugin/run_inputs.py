"""The exams, the classifier and the score tables that the options name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.plugin.progress import PHANTOMS, stage_reporter
from mammo_fixtures.plugin.run import Run, run_of
from mammo_fixtures.scoring.score_table import ScoreTable
from mammo_fixtures.verdicts.spelling import nearest

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from mammo_fixtures.classifiers import Classifier
    from mammo_fixtures.exams import Cohort
    from mammo_fixtures.perturbations.universal import UniversalFields
    from mammo_fixtures.plugin.settings import Settings
    from mammo_fixtures.scoring.sweep import Sweep

_LISTED = 5
"""Unknown perturbations of a table that are named."""


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


def sweep_of(settings: Settings, classifier: Classifier, device: str, **more: Any) -> Sweep:
    """What makes images and scores as the settings say, wherever the run needs some; `more` as of `Sweep`."""
    from mammo_fixtures.classifiers.inference import Inference
    from mammo_fixtures.scoring.sweep import Sweep

    inference = Inference(classifier, device=device, precision=settings.precision, speed=settings.speed)
    return Sweep(inference=inference, seed=settings.seed, **more)


def given_fields(settings: Settings) -> UniversalFields | None:
    """The universal fields that an option names; None where they are fitted to the classifier."""
    from mammo_fixtures.perturbations.universal import UniversalFields

    return UniversalFields.read(settings.universal) if settings.universal else None


def read_table(run: Run, path: Path) -> ScoreTable:
    """A score table, and a remark on what of it no claim can be about."""
    table = ScoreTable.read(path, pseudonyms=run.pseudonyms)
    if said := _unknown_said(table, path.name):
        run.remarks[said] = None
    return table


def _unknown_said(table: ScoreTable, name: str) -> str:
    """What is to be told of a table's perturbations that are none of the catalogue: no claim is about them."""
    known = ("clean", *PERTURBATIONS.names)
    unknown = list(dict.fromkeys(c.perturbation for c in table.conditions if c.perturbation not in known))
    if not unknown:
        return ""
    hints = {each: nearest(each, known).removeprefix("; ") for each in unknown[:_LISTED]}
    listed = ", ".join(f"{each!r}" + (f" ({hint})" if hint else "") for each, hint in hints.items())
    more = f" and {len(unknown) - _LISTED} more" if len(unknown) > _LISTED else ""
    return f"{name}: no claim is judged on perturbations that are not in the catalogue, got {listed}{more}"
