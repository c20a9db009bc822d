"""The clean metric against chance, before any perturbation is blamed."""

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.verdicts import Curve, judge_clean
from mammo_fixtures.verdicts.tests.test_judge import point


@pytest.mark.parametrize(
    ("low", "high", "outcome", "says"),
    [
        (
            0.51,
            0.9,
            "held",
            "Clean AUC of masses is 0.700 [0.510, 0.900] against chance at 0.5 (n = 48 malignant, 211 not).",
        ),
        (
            0.5,
            0.9,
            "inconclusive",
            "Clean AUC of masses is 0.700 [0.500, 0.900] against chance at 0.5 (n = 48 malignant, 211 not). It may be "
            "chance: add malignant breasts, and check that labels and exams belong together. Look closer: "
            "the same command with -k contract --mammo-report=out/",
        ),
        (
            0.3,
            0.5,
            "inconclusive",
            "Clean AUC of masses is 0.700 [0.300, 0.500] against chance at 0.5 (n = 48 malignant, 211 not). It may be "
            "chance: add malignant breasts, and check that labels and exams belong together. Look closer: "
            "the same command with -k contract --mammo-report=out/",
        ),
        (
            0.3,
            0.49,
            "broken",
            "Clean AUC of masses is 0.700 [0.300, 0.490] against chance at 0.5 (n = 48 malignant, 211 not). The score "
            "points the wrong way: check the labels and the sign of the score. Look closer: the same command "
            "with -k contract --mammo-report=out/",
        ),
    ],
)
def test_clean_is_held_against_chance(low, high, outcome, says):
    curve = Curve(perturbation="clean", metric="auc", subgroup="masses", points=(point(0.0, 0.7, low, high),))
    verdict = judge_clean(curve, test="test_clean")
    assert (verdict.outcome, verdict.sentence, verdict.test) == (outcome, says, "test_clean")
    assert (verdict.claim, verdict.clean, verdict.low, verdict.high) == ("clean", 0.7, low, high)
    assert (verdict.perturbed, verdict.drop, verdict.margin, verdict.severity) == (None, None, None, 0.0)


def test_clean_is_not_run_without_an_interval_and_refused_of_a_metric_without_chance():
    for low, high in ((None, 0.9), (0.6, None), (None, None)):
        curve = Curve(perturbation="clean", metric="auc", subgroup="masses", points=(point(0.0, 0.7, low, high),))
        verdict = judge_clean(curve)
        assert verdict.outcome == "not_run"
        assert "so there is no interval" in verdict.sentence
    brier = Curve(perturbation="clean", metric="brier", subgroup="masses", points=(point(0.0, 0.2, 0.1, 0.3),))
    with pytest.raises(UnusableInput, match="a value at chance, got 'brier'; judge auc"):
        judge_clean(brier)


def test_clean_is_not_run_below_ten_cancers():
    few = Curve(perturbation="clean", metric="auc", subgroup="all", points=(point(0.0, positives=9),))
    verdict = judge_clean(few)
    assert verdict.outcome == "not_run"
    assert verdict.sentence == (
        "Clean AUC of all breasts was not judged: 9 malignant breasts are too few, at least 10 are needed (n = 9 "
        "malignant, 211 not). Add such breasts to the cohort."
    )
