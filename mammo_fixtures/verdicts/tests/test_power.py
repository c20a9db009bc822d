"""Power predicts what happens."""

import numpy as np
import pytest

from mammo_fixtures.metrics import METRICS
from mammo_fixtures.metrics.tests.simulated_scores import Population
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts import Tolerance, curve, judge
from mammo_fixtures.verdicts.expectation import Scatter, from_counts, from_scores, scatter_of
from mammo_fixtures.verdicts.power import Expected, needed, power
from mammo_fixtures.verdicts.tests.simulated_power import CASES, cohort, predicted_and_seen


def tolerance(margin, claim="holds", **changed):
    known = {"perturbation": "lowpass", "severities": (0.5,), "subgroup": "all", "reason": "-"}
    return Tolerance(claim=claim, margin=margin, **(known | changed))


def table(rng, positives, negatives, jitter, auc):
    population = Population(auc=auc, positives=positives, negatives=negatives)
    own, again = (np.concatenate(population.noise(rng, 1), axis=1)[0] for _ in range(2))
    shift = population.separation * (np.arange(positives + negatives) < positives)[:, None]
    scores = np.stack([own + shift, np.sqrt(1 - jitter) * own + np.sqrt(jitter) * again + shift])
    breasts = positives + negatives
    return ScoreTable(
        conditions=(CLEAN, Condition("lowpass", 0.5)),
        readers=("one",),
        scores=scores,
        exam_id=np.arange(breasts).astype(str),
        side=np.full(breasts, "L"),
        malignant=(np.arange(breasts) < positives).astype(np.int8),
        subgroup=np.full(breasts, "masses"),
        patient_id=np.full(breasts, ""),
    )


@pytest.mark.parametrize(("positives", "margin", "jitter"), [(61, 0.04, 0.15), (150, 0.03, 0.3)])
def test_predicts_the_share_of_unchanged_classifiers_that_are_held(positives, margin, jitter):
    rng = np.random.default_rng(70)
    asked = tolerance(margin)
    held = [judge(curve(table(rng, positives, 300, jitter, 0.88), "lowpass"), asked)[0].held for _ in range(400)]
    expected = Expected(tolerance=asked, severity=0.5, kind="all", positives=positives, clean=0.88, jitter=jitter)
    predicted = power([expected], negatives=300, replicates=400).chances[0]
    assert predicted == pytest.approx(np.mean(held), abs=0.05)


def test_the_joint_chance_lies_between_the_product_and_the_least():
    claims = from_counts([tolerance(0.04), tolerance(0.05, perturbation="contrast", severities=(0.75,))], 61)
    found = power(claims, negatives=300, replicates=150)
    assert np.prod(found.chances) - 0.1 <= found.joint <= min(found.chances)


def test_more_breasts_and_wider_margins_help():
    claim = from_counts([tolerance(0.05)], 61)[0]
    number = needed(claim, negatives=300)
    assert number is not None
    assert 20 < number < 400
    wider = needed(from_counts([tolerance(0.10)], 61)[0], negatives=300)
    assert wider < number


def test_scores_at_hand_tell_counts_auc_and_scatter():
    scores = table(np.random.default_rng(71), 80, 2000, 0.3, 0.88)
    (holds,) = from_scores([tolerance(0.05)], scores)
    assert holds.positives == 80
    assert holds.clean == pytest.approx(curve(scores, "lowpass").clean.value)
    assert holds.fall == 0.0
    assert holds.jitter == pytest.approx(0.3, abs=0.04)
    (responds,) = from_scores([tolerance(0.05, "responds")], scores)
    assert responds.fall == curve(scores, "lowpass").points[1].drop


FEW = 150


@pytest.mark.parametrize("case", [CASES[1], CASES[2], CASES[5]], ids=["five readers", "any readers", "sensitivity"])
def test_power_of_other_claims_is_what_happens(case):
    """A short run of `simulated_power`, whose table stands in docs/method.md."""
    predicted, seen = predicted_and_seen(*case, FEW)
    assert 0.1 < seen < 0.9
    # .05 in the long run, give or take three standard errors of a difference of two shares in so short a one.
    assert predicted == pytest.approx(seen, abs=0.05 + 3 * np.sqrt(2 * 0.25 / FEW) / np.sqrt(2))


def test_the_scatter_of_readers_is_read_off_their_ranks():
    table = cohort(np.random.default_rng(73), 50, 4, negatives=4000)
    seen = scatter_of(table, Condition("lowpass", 0.5))
    assert seen.readers == 4
    assert (seen.jitter, seen.alike, seen.anew_alike) == pytest.approx((0.2, 0.6, 0.3), abs=0.03)
    # Breasts with a gap, here of one reader or another when clean or perturbed, do not count.
    others = np.flatnonzero(table.malignant == 0)
    table.scores[0, others[:900], 0] = np.nan
    table.scores[1, others[900:1800], 3] = np.nan
    table.scores[:, others[1800:2200], 1] = 9.0
    table.scores[0, others[1800:2200], 2] = np.nan
    seen = scatter_of(table, Condition("lowpass", 0.5))
    assert (seen.jitter, seen.alike, seen.anew_alike) == pytest.approx((0.2, 0.6, 0.3), abs=0.04)
    table.scores[1, :, 2] = np.nan
    assert scatter_of(table, Condition("lowpass", 0.5)) == Scatter(0.05, 4, 0.5, 0.5)


def test_a_condition_without_scores_is_taken_to_scatter_as_most_do():
    scores = cohort(np.random.default_rng(75), 50, 4, negatives=4000)
    for condition in (Condition("contrast", 0.5), CLEAN):
        seen = scatter_of(scores, condition)
        assert seen.jitter == 0.05
        assert seen.alike == pytest.approx(0.6, abs=0.03)
    one = scatter_of(table(np.random.default_rng(76), 20, 500, 0.3, 0.88), Condition("lowpass", 0.5))
    assert (one.readers, one.alike, one.anew_alike) == (1, 0.0, 0.0)


def test_ten_complete_breasts_are_the_fewest_whose_ranks_tell_anything():
    few, enough = (table(np.random.default_rng(77), 20, number, 0.3, 0.88) for number in (9, 10))
    assert scatter_of(few, Condition("lowpass", 0.5)) == Scatter(0.05, 1, 0.5, 0.5)
    assert scatter_of(enough, Condition("lowpass", 0.5)) != Scatter(0.05, 1, 0.5, 0.5)


def test_scores_that_do_not_move_scatter_next_to_nothing():
    scores = table(np.random.default_rng(78), 20, 500, 0.3, 0.88)
    scores.scores[1] = scores.scores[0]
    assert scatter_of(scores, Condition("lowpass", 0.5)).jitter == 1e-4


def test_a_severity_without_scores_loses_all_or_nothing():
    scores = table(np.random.default_rng(79), 80, 500, 0.3, 0.88)
    clean = curve(scores, "lowpass").clean.value
    holds, responds = (
        from_scores([tolerance(0.05, claim, perturbation="contrast", severities=(0.5,))], scores)[0]
        for claim in ("holds", "responds")
    )
    assert (holds.fall, responds.fall) == (0.0, clean - 0.5)
    assert from_scores([tolerance(0.05, subgroup="grains")], scores) == []
    assert from_scores([tolerance(0.05, "responds_more", subgroup="masses", than="grains")], scores) == []


def test_selectivity_is_simulated_from_both_subgroups():
    table = cohort(np.random.default_rng(74), 160, 1, fall=0.2)
    asked = tolerance(0.15, "responds_more", subgroup="grains", than="masses")
    (claim,) = from_scores([asked], table)
    assert (claim.positives, claim.than.positives) == (80, 80)
    even = power([claim], negatives=300, replicates=60).chances[0]
    (selective,) = from_counts([asked], 80)
    assert even < 0.1
    assert power([selective], negatives=300, replicates=60).chances[0] > 0.9
    assert from_counts([asked], {"grains": 80, "masses": 0}.get) == []


@pytest.mark.parametrize("metric", [record.name for record in METRICS])
def test_every_metric_has_a_chance(metric):
    claim = tolerance(0.2, metric=metric, prevalence=0.01 if metric == "brier" else None)
    (expected,) = from_counts([claim], 61)
    assert power([expected], negatives=200, replicates=10).chances[0] > 0.5
