"""Power predicts what happens."""

import numpy as np
import pytest

from mammo_fixtures.metrics.tests.simulated_scores import Population
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts import Tolerance, curve, judge
from mammo_fixtures.verdicts.expectation import from_counts, from_scores, jitter_of
from mammo_fixtures.verdicts.power import Expected, needed, power


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
    assert jitter_of(scores, Condition("lowpass", 0.5)) == pytest.approx(0.3, abs=0.06)
    (responds,) = from_scores([tolerance(0.05, "responds")], scores)
    assert responds.fall == curve(scores, "lowpass").points[1].drop


def test_only_claims_on_the_auc_of_fixed_readers_are_simulated():
    others = [tolerance(0.05, metric="sensitivity"), tolerance(0.05, readers="random")]
    assert from_counts(others, 61) == []
