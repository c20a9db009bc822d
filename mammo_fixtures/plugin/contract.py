"""The contract: what must be true before any verdict means something. Each check asserts in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mammo_fixtures.classifiers import Classifier
from mammo_fixtures.exams import Cohort, Exam
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.plugin.engine_choice import own_device
from mammo_fixtures.plugin.run import Run
from mammo_fixtures.plugin.run_inputs import sweep_of
from mammo_fixtures.plugin.settings import Settings
from mammo_fixtures.plugin.snapshots import orphans
from mammo_fixtures.plugin.view_checks import (
    breasts_lie_on_their_declared_side,
    views_use_their_declared_intensity_range,
)
from mammo_fixtures.scoring.identical import doubt_of, identical_to_clean
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts.claim import curve_claims

_REPEATS = {"fp32": 1e-5, "bf16": 3e-2, "fp16": 4e-3}
"""Relative difference between repeats or batches that counts as the same score, by precision: the order of sums."""
_FASTER = 1e-4
"""Where a network is run faster than it was written: other kernels for other batches."""
_FEWEST_LOGITS = 20
"""Breasts of which some logit lies outside [0, 1], if scores are logits at all."""
_BATCH = 3  # the image and its two mates


def every_breast_has_a_finite_score(scores: ScoreTable, mammo_run: Run) -> None:
    wanted = np.array([_wanted_of_all(condition, scores, mammo_run) for condition in scores.conditions])[:, None, None]
    # What people leave open, or what needs something that a breast does not have, is judged on what is there.
    missing = np.argwhere(np.isinf(scores.scores) | (np.isnan(scores.scores) & wanted))
    where = ""
    if len(missing):
        condition, breast, reader = missing[0]
        name, severity = scores.conditions[condition]
        where = (
            f"exam {scores.exam_id[breast]}, {scores.side[breast]} has none for {name} {severity:g}, "
            f"reader {scores.readers[reader]}"
        )
    assert not len(missing), (
        f"every breast must have a score under every condition, {len(missing)} are missing: {where}"
    )


def scores_differ_between_breasts(scores: ScoreTable) -> None:
    clean = scores.at(CLEAN)
    constant = [
        reader
        for reader, column in zip(scores.readers, clean.T, strict=True)
        if len(column) > 1 and np.ptp(column) == 0
    ]
    assert not constant, (
        f"clean scores must differ between breasts, {constant[0]} gives {clean[0, 0]:.4g} for all of them"
    )


def perturbed_scores_differ_from_clean(scores: ScoreTable, mammo_run: Run) -> None:
    same = identical_to_clean(scores)
    if mammo_run.settings.scores is not None:
        if same:
            mammo_run.remarks[doubt_of(same)] = None
        return
    undone = mammo_run.cancels
    perturbed = [c for c in scores.conditions if c != CLEAN and c.perturbation not in undone]
    if not perturbed:
        pytest.skip("no selected test needs a perturbation" + (" that the classifier does not undo" if undone else ""))
    same = {condition: share for condition, share in same.items() if condition.perturbation not in undone}
    blamed = [c for c in same if not _may_cancel(c)] if len(same) < len(perturbed) else list(same)
    assert not blamed, (
        f"perturbed scores must differ from clean ones, under {_names(blamed)} they are bit-identical for "
        f"{same[blamed[0]]:.1%} of breasts or more; look at how images reach the classifier"
    )


def the_same_view_gets_the_same_score(cohort: Cohort, classifier: Classifier, mammo_run: Run) -> None:
    same = _same(mammo_run)
    first, second = (_score(cohort.exams[0], classifier, mammo_run) for _ in range(2))
    worst = max(first, key=lambda side: abs(first[side] - second[side]))
    assert math.isclose(first[worst], second[worst], rel_tol=same, abs_tol=same), (
        f"a classifier must repeat its score, exam {cohort.exams[0].exam_id}, {worst} got {first[worst]:.6g} and then "
        f"{second[worst]:.6g} (tolerance {same:g}); look for dropout, test-time "
        "augmentation or training mode"
    )


def a_score_does_not_depend_on_its_batch(cohort: Cohort, classifier: Classifier, mammo_run: Run) -> None:
    if classifier.level == "exam":
        pytest.skip("an exam-level classifier is called with one exam at a time")
    same = _same(mammo_run)
    alone = _score(cohort.exams[0], classifier, mammo_run, batch_size=1)
    together = _score(cohort.exams[0], classifier, mammo_run, batch_size=_BATCH)
    worst = max(alone, key=lambda side: abs(alone[side] - together[side]))
    assert math.isclose(alone[worst], together[worst], rel_tol=same, abs_tol=same), (
        f"a score must not depend on its batch, exam {cohort.exams[0].exam_id}, {worst} got {alone[worst]:.6g} alone "
        f"and {together[worst]:.6g} in a batch of {_BATCH} (tolerance {same:g}); look for batch "
        "statistics in use at evaluation"
    )


def scores_are_of_the_declared_kind(scores: ScoreTable, classifier: Classifier, mammo_run: Run) -> None:
    given = scores.scores[~np.isnan(scores.scores)]
    unlikely = classifier.score == "logit" and len(scores.exam_id) >= _FEWEST_LOGITS
    if unlikely and given.size and given.min() >= 0 and given.max() <= 1:
        mammo_run.remarks[
            f"declared as logits, all {given.size:,} scores lie in [0, 1]: if they are probabilities, declare "
            "score='probability'; calibration and logit shift rest on it"
        ] = None
    outside = (given < 0) | (given > 1)
    assert classifier.score == "logit" or not outside.any(), (
        f"probabilities must lie in [0, 1], {outside.sum()} of {given.size} scores do not; declare score='logit'"
    )


def the_network_is_in_evaluation_mode(classifier: Classifier, scores: ScoreTable) -> None:
    modules = getattr(classifier.network, "named_modules", None)
    if modules is None:
        pytest.skip("the network is a plain callable, which has no modes")
    training = [name or "the network itself" for name, module in modules() if module.training]
    assert not training, f"the network must be in evaluation mode, {training[0]} is in training mode"


def every_snapshot_belongs_to_a_curve(mammo_run: Run) -> None:
    settings = mammo_run.settings
    unused = orphans(settings.snapshots, curve_claims(mammo_run.tolerances))
    if not (settings.default_tolerances and settings.default_snapshots):
        if unused:  # no failure: another tolerances file may use the same folder
            mammo_run.remarks[_of_no_curve(unused, settings)] = None
        pytest.skip("only the shipped snapshots are held against the shipped tolerances")
    assert not unused, (
        f"every snapshot must belong to a curve, {len(unused)} do not; delete {unused[0].name} if its curve is gone"
    )


def _of_no_curve(unused: list[Path], settings: Settings) -> str:
    count = "1 snapshot belongs" if len(unused) == 1 else f"{len(unused)} snapshots belong"
    return (
        f"{count} to no curve of {settings.tolerances.name}, so that nothing is held against "
        f"{'it' if len(unused) == 1 else 'them'}; delete what is not meant: {_in_folder(unused[0], settings)}"
    )


def _in_folder(snapshot: Path, settings: Settings) -> str:
    """A snapshot's path from its folder's name on: the line stands in the report, which holds no path of a machine."""
    return snapshot.relative_to(settings.snapshots.parent).as_posix() if settings.snapshots else snapshot.name


CHECKS: tuple[Callable[..., None], ...] = (
    every_breast_has_a_finite_score,
    scores_differ_between_breasts,
    perturbed_scores_differ_from_clean,
    the_same_view_gets_the_same_score,
    a_score_does_not_depend_on_its_batch,
    scores_are_of_the_declared_kind,
    the_network_is_in_evaluation_mode,
    views_use_their_declared_intensity_range,
    breasts_lie_on_their_declared_side,
    every_snapshot_belongs_to_a_curve,
)


def _same(run: Run) -> float:
    return max(_REPEATS[run.settings.precision], _FASTER if set(run.settings.speed) - {"allocator"} else 0.0)


def _score(exam: Exam, classifier: Classifier, run: Run, batch_size: int | None = None) -> dict[str, float]:
    """Scores of one exam, clean and beside two perturbed images in the same batch, past the store."""
    sweep = sweep_of(run.settings, classifier, own_device(run.settings), batch_size=batch_size)
    # Contrast keeps an image's mean, gamma does not: statistics of the batch move with one or the other.
    mates = [Condition(name, PERTURBATIONS[name].severities[-1]) for name in ("contrast", "gamma_darker")]
    scores = sweep.exam(exam, {breast.side: [CLEAN, *mates] for breast in exam.breasts})
    return {side: value for (side, condition), value in scores.items() if condition == CLEAN}


def _wanted_of_all(condition: Condition, scores: ScoreTable, run: Run) -> bool:
    """Whether every breast must have a score under it."""
    return run.settings.scores is None and condition.perturbation not in scores.unmet


def _may_cancel(condition: Condition) -> bool:
    return PERTURBATIONS[condition.perturbation].may_be_undone(condition.severity)


def _names(conditions: list[Condition]) -> str:
    return ", ".join(f"{c.perturbation} {c.severity:g}" for c in conditions[:3]) + (" …" if len(conditions) > 3 else "")
