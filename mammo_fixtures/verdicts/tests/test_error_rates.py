"""The judge judged: what it lets pass and what it does not, in simulation."""

import doctest
import importlib

import numpy as np
import pytest

from mammo_fixtures.metrics.tests.simulated_scores import Population
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts import Tolerance, curve, judge, judge_clean
from mammo_fixtures.verdicts.tests.simulated_verdicts import passes

REPLICATES = 600
ALLOWED = 0.06


@pytest.mark.parametrize("lost", [True, False], ids=["few_lost_entirely", "all_shift_a_little"])
@pytest.mark.parametrize(
    ("positives", "auc", "margin"),
    [(22, 0.75, 0.05), (22, 0.93, 0.10), (30, 0.85, 0.05), (61, 0.97, 0.05), (200, 0.80, 0.02)],
)
def test_a_truly_broken_holds_seldom_passes(positives, auc, margin, lost):
    held, _ = passes(
        Population(auc=auc, positives=positives, negatives=250), margin, REPLICATES, lost=lost, jitter=0.01
    )
    assert held <= ALLOWED


@pytest.mark.parametrize("declared", [{"readers": 5}, {"bilateral": True}], ids=["readers", "bilateral"])
def test_nor_with_several_readers_or_bilateral_cancers(declared):
    population = Population(auc=0.85, positives=40, negatives=250, **declared)
    assert passes(population, 0.06, REPLICATES, lost=True)[0] <= ALLOWED


def test_a_plain_wald_bound_would_let_it_pass():
    """The simulation can fail: the bound that is not good enough is found wanting."""
    assert passes(Population(auc=0.85, positives=22, negatives=250), 0.055, REPLICATES, lost=True)[1] > 0.10


def table(levels, malignant, subgroup):
    """A score table of one clean and several perturbed score arrays (breasts,)."""
    breasts = len(malignant)
    return ScoreTable(
        conditions=(CLEAN, *(Condition("lowpass", float(i)) for i in range(1, len(levels)))),
        readers=("one",),
        scores=np.stack(levels)[:, :, None],
        exam_id=np.arange(breasts).astype(str),
        side=np.full(breasts, "L"),
        malignant=malignant.astype(np.int8),
        subgroup=subgroup,
        patient_id=np.full(breasts, ""),
    )


def outcomes(scores, claim, margin, subgroup="all"):
    tolerance = Tolerance(claim=claim, perturbation="lowpass", subgroup=subgroup, margin=margin, reason="-")
    return [verdict.outcome for verdict in judge(curve(scores, "lowpass", subgroup=subgroup), tolerance)]


@pytest.fixture
def cohort():
    rng = np.random.default_rng(12)
    malignant = np.arange(640) < 160
    subgroup = np.where(np.arange(640) % 2 == 0, "masses", "grains")
    return rng, malignant, subgroup


@pytest.mark.parametrize("margin", [0.02, 0.15, 0.3])
def test_scores_blind_to_pixels_pass_no_responds(cohort, margin):
    rng, malignant, subgroup = cohort
    same = rng.standard_normal(640) + 2 * malignant
    redrawn = [same] + [rng.standard_normal(640) + 2 * malignant for _ in range(5)]
    for levels in ([same] * 6, redrawn):
        scores = table(levels, malignant, subgroup)
        assert judge_clean(curve(scores, "lowpass")).held
        for group in ("all", "masses", "grains"):
            assert "held" not in outcomes(scores, "responds", margin, group)
    noise = [rng.standard_normal(640) for _ in range(6)]
    assert set(outcomes(table(noise, malignant, subgroup), "responds", margin)) == {"not_run"}


def test_shuffled_labels_are_no_better_than_chance(cohort):
    rng, malignant, subgroup = cohort
    scores = rng.standard_normal(640) + 2 * malignant
    held = []
    for _ in range(60):
        shuffled = table([scores], rng.permutation(malignant), subgroup)
        clean = curve(shuffled, "lowpass").clean
        assert clean.value == pytest.approx(0.5, abs=0.11)
        held.append(judge_clean(curve(shuffled, "lowpass")).held)
    assert np.mean(held) <= 0.1


def test_a_fragile_classifier_fails_its_claim_and_only_it(cohort):
    rng, malignant, subgroup = cohort
    clean = rng.standard_normal(640) + 2 * malignant
    fragile = clean - 1.5 * (malignant & (subgroup == "grains"))
    scores = table([clean, clean + 0.02 * rng.standard_normal(640), fragile], malignant, subgroup)
    assert outcomes(scores, "holds", 0.05, "masses") == ["held", "held"]
    assert outcomes(scores, "holds", 0.05, "grains") == ["held", "broken"]
    assert outcomes(scores, "responds", 0.15, "grains") == ["broken", "held"]


@pytest.mark.parametrize(
    "module",
    [
        "metrics.auc",
        "metrics.placements",
        "verdicts.decidability",
        "verdicts.sentence",
    ],
)
def test_examples_in_docstrings_are_true(module):
    results = doctest.testmod(importlib.import_module(f"mammo_fixtures.{module}"), raise_on_error=False)
    assert results.attempted
    assert not results.failed
