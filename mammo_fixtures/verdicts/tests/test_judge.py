"""Rules of judgement, on curves made by hand."""

import json
from dataclasses import replace

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.verdicts import Curve, Point, Tolerance, judge, judge_severity, not_run


def point(severity, value=0.9, low=0.8, high=0.95, drop=(0.0, 0.0, 0.0), positives=48, negatives=211):
    return Point(
        severity=severity, value=value, low=low, high=high, drop=drop[0], drop_low=drop[1], drop_high=drop[2],
        positives=positives, negatives=negatives,
    )  # fmt: skip


def drawn(
    drop=(0.07, 0.041, 0.099),
    *,
    clean=0.91,
    low=0.85,
    positives=48,
    negatives=211,
    subgroup="masses",
    metric="auc",
    **more,
):
    counts = {"positives": positives, "negatives": negatives}
    start = point(0.0, clean, low, None if clean is None else 0.95, **counts)
    value = None if clean is None else clean - drop[0]
    return Curve(
        perturbation="lowpass", unit="mm", metric=metric, subgroup=subgroup,
        points=(start, point(0.5, value, drop=drop, **counts)), **more,
    )  # fmt: skip


def tolerance(claim="holds", margin=0.05, **changed):
    known = {"perturbation": "lowpass", "severities": (0.5,), "subgroup": "masses", "reason": "-"}
    return Tolerance(claim=claim, margin=margin, **(known | changed))


LOOK = 'Look closer: the same command with -k "lowpass and masses" --mammo-report=out/'


@pytest.mark.parametrize(
    ("drop", "outcome"),
    [
        ((0.01, -0.02, 0.0499), "held"),
        ((0.01, -0.02, 0.05), "held"),
        ((0.01, -0.02, 0.0501), "inconclusive"),
        ((0.09, 0.05, 0.12), "inconclusive"),
        ((0.09, 0.0501, 0.12), "broken"),
        ((-0.09, -0.12, -0.06), "held"),
    ],
)
def test_holds_compares_the_bounds_with_the_margin(drop, outcome):
    verdict = judge_severity(drawn(drop), tolerance(), 0.5)
    assert verdict.outcome == outcome
    assert (verdict.low, verdict.high) == drop[1:]
    assert verdict.held is (outcome == "held")


@pytest.mark.parametrize(
    ("drop", "outcome"),
    [
        ((0.3, 0.1501, 0.4), "held"),
        ((0.3, 0.15, 0.4), "held"),
        ((0.3, 0.1499, 0.4), "inconclusive"),
        ((0.1, 0.05, 0.15), "inconclusive"),
        ((0.1, 0.05, 0.1499), "broken"),
        ((0.0, 0.0, 0.05), "broken"),
    ],
)
def test_responds_compares_the_bounds_with_the_margin(drop, outcome):
    assert judge_severity(drawn(drop), tolerance("responds", 0.15), 0.5).outcome == outcome


def test_responds_needs_something_to_lose():
    curve = drawn((0.3, 0.2, 0.4), low=0.65)
    assert judge_severity(curve, tolerance("responds", 0.1499), 0.5).outcome == "held"
    verdict = judge_severity(curve, tolerance("responds", 0.15), 0.5)
    assert verdict.outcome == "not_run"
    assert verdict.sentence == (
        "AUC of masses at lowpass 0.50 mm was not judged: clean AUC too low: its lower bound 0.650 less the margin "
        "0.150 must exceed 0.5, or there is too little to lose (n = 48 malignant, 211 not). "
        'Mend that, or allow it with not_run = "allow" (tolerance).'
    )


@pytest.mark.parametrize(
    ("positives", "clean", "margin", "outcome", "needed"),
    [
        (9, 0.93, 0.05, "not_run", 26),
        (9, 0.60, 0.10, "not_run", 20),
        (10, 0.93, 0.05, "inconclusive", 26),
        (25, 0.93, 0.05, "inconclusive", 26),
        (26, 0.93, 0.05, "held", None),
        (19, 0.60, 0.10, "inconclusive", 20),
        (20, 0.60, 0.10, "held", None),
        (128, 0.93, 0.01, "inconclusive", 129),
        (129, 0.93, 0.01, "held", None),
    ],
)
def test_holds_is_decidable_only_with_enough_cancers(positives, clean, margin, outcome, needed):
    verdict = judge_severity(drawn((0.0, 0.0, 0.005), clean=clean, positives=positives), tolerance(margin=margin), 0.5)
    assert verdict.outcome == outcome
    assert needed is None or f"at least {needed} are needed" in verdict.sentence


def test_too_few_cancers_cannot_even_break_a_claim():
    assert judge_severity(drawn((0.4, 0.3, 0.5), positives=15), tolerance(), 0.5).outcome == "inconclusive"


def test_responds_is_not_run_below_ten_cancers():
    wide = tolerance("responds", 0.15)
    assert judge_severity(drawn((0.4, 0.3, 0.5), positives=10), wide, 0.5).outcome == "held"
    verdict = judge_severity(drawn((0.4, 0.3, 0.5), positives=9), wide, 0.5)
    assert verdict.outcome == "not_run"
    assert "9 malignant breasts are too few, at least 10 are needed" in verdict.sentence


@pytest.mark.parametrize(
    ("drop", "says"),
    [
        # 48 × (0.045 / 0.035)² and 48 × (0.03 / 0.02)².
        ((0.015, -0.02, 0.06), "about 80 malignant breasts would decide"),
        ((0.07, 0.04, 0.12), "about 110 malignant breasts would decide"),
        ((0.046, 0.0, 0.085), "about 4600 malignant breasts would decide"),
        ((0.046, 0.0, 0.087), "not decidable at this margin"),
        ((0.05, 0.0, 0.1), "not decidable at this margin"),
    ],
)
def test_inconclusive_says_how_many_would_decide(drop, says):
    verdict = judge_severity(drawn(drop), tolerance(), 0.5)
    assert verdict.sentence.endswith(f"(n = 48 malignant, 211 not). Inconclusive: {says}. {LOOK}")


def test_a_severity_that_was_not_scored_is_not_run():
    verdict = judge_severity(drawn(), tolerance(severities=(1.0,)), 1.0)
    assert (verdict.outcome, verdict.perturbed, verdict.drop, verdict.low, verdict.high) == ("not_run", *[None] * 4)
    assert verdict.sentence == (
        "AUC of masses at lowpass 1 mm was not judged: the scores hold no such severity, only 0.5 "
        '(n = 48 malignant, 211 not). Mend that, or allow it with not_run = "allow" (tolerance).'
    )


def test_a_perturbation_that_was_not_scored_is_not_run():
    curve = drawn()
    bare = Curve(perturbation="lowpass", metric="auc", subgroup="masses", points=curve.points[:1])
    assert "the scores hold no such severity, and none of lowpass" in judge_severity(bare, tolerance(), 0.5).sentence


@pytest.mark.parametrize("claim", ["holds", "responds"])
def test_without_cancers_or_without_others_nothing_is_judged(claim):
    nothing = (0.0, None, None)
    none = judge_severity(drawn(nothing, clean=None, low=None, positives=0), tolerance(claim), 0.5)
    # Not even the clean AUC is known, so the number is that of a perfect one.
    assert none.outcome == "not_run"
    assert f"0 malignant breasts are too few, at least {30 if claim == 'holds' else 10} are needed" in none.sentence
    alone = judge_severity(drawn(nothing, clean=None, low=None, negatives=0), tolerance(claim), 0.5)
    assert alone.outcome == "not_run"
    assert "there is no breast that is not malignant, and malignant ones are set against those" in alone.sentence
    for single in (drawn(nothing, low=None), drawn((0.0, -0.01, 0.01), low=None), drawn(nothing)):
        verdict = judge_severity(single, tolerance(claim), 0.5)
        assert verdict.outcome == "not_run"
        assert (
            "come from fewer than two patients, so there is no interval; where one patient_id stands for all of them, "
            "leave it empty"
        ) in verdict.sentence


def test_two_readers_are_enough_to_speak_for_others():
    def judged(readers):
        curve = drawn((0.01, -0.02, 0.0499))
        points = tuple(replace(each, readers=readers) for each in curve.points)
        return judge_severity(replace(curve, readers="random", points=points), tolerance(readers="random"), 0.5)

    assert judged(2).outcome == "held"
    assert judged(1).outcome == "not_run"
    assert "1 reader is too few to speak for others, at least 2 are needed" in judged(1).sentence


@pytest.mark.parametrize(("low", "outcome"), [(0.5, "not_run"), (0.501, "held")])
def test_there_is_nothing_to_hold_where_clean_may_be_chance(low, outcome):
    verdict = judge_severity(drawn((0.0, -0.01, 0.01), low=low), tolerance(), 0.5)
    assert verdict.outcome == outcome
    assert ("so there is nothing to hold" in verdict.sentence) is (outcome == "not_run")


def test_a_failure_reads_as_a_sentence():
    assert judge_severity(drawn((0.09, 0.06, 0.12)), tolerance(), 0.5).sentence == (
        "AUC of masses fell 0.910 → 0.820 at lowpass 0.50 mm: drop 0.090 [0.060, 0.120] against a margin of 0.050 "
        f"(n = 48 malignant, 211 not). {LOOK}"
    )


def test_an_inconclusive_one_says_so():
    assert judge_severity(drawn(), tolerance(), 0.5).sentence == (
        "AUC of masses fell 0.910 → 0.840 at lowpass 0.50 mm: drop 0.070 [0.041, 0.099] against a margin of 0.050 "
        f"(n = 48 malignant, 211 not). Inconclusive: about 110 malignant breasts would decide. {LOOK}"
    )


def test_a_classifier_that_does_not_respond_is_told_what_that_means():
    assert judge_severity(
        drawn((0.0, 0.0, 0.05), subgroup="all"), tolerance("responds", 0.15, subgroup="all"), 0.5
    ).sentence == (
        "AUC of all breasts stayed at 0.910 at lowpass 0.50 mm: drop 0.000 [0.000, 0.050] against a required drop of "
        "0.150 (n = 48 malignant, 211 not). It keeps what readers lose there, so it uses what they cannot see. "
        'Look closer: the same command with -k "lowpass" --mammo-report=out/'
    )


def test_what_is_held_needs_no_remedy():
    sentence = judge_severity(drawn((-0.01, -0.02, 0.0)), tolerance(), 0.5).sentence
    assert sentence == (
        "AUC of masses rose 0.910 → 0.920 at lowpass 0.50 mm: drop -0.010 [-0.020, 0.000] against a margin of 0.050 "
        "(n = 48 malignant, 211 not)."
    )


def test_breasts_of_unknown_label_are_told():
    sentence = judge_severity(drawn((0.0, 0.0, 0.01), unlabelled=7), tolerance(), 0.5).sentence
    assert "(n = 48 malignant, 211 not, 7 of unknown label left out)" in sentence


def test_every_sentence_is_one_line():
    for drop in ((0.0, 0.0, 0.01), (0.07, 0.041, 0.099), (0.09, 0.06, 0.12)):
        assert "\n" not in judge_severity(drawn(drop), tolerance(), 0.5).sentence


def test_one_verdict_for_each_severity():
    curve = drawn()
    assert [v.severity for v in judge(curve, tolerance(severities=(0.5, 1.0)))] == [0.5, 1.0]
    assert [v.severity for v in judge(curve, tolerance(severities=()))] == [0.5]


def test_a_verdict_is_plain_data_with_the_names_of_verdicts_json():
    plain = judge_severity(drawn(), tolerance(), 0.5, test="test_holds[lowpass]").as_dict()
    names = "test claim perturbation severity unit subgroup metric clean perturbed drop low high margin confidence"
    assert " ".join(plain) == f"{names} outcome positives negatives sentence"
    assert plain["test"] == "test_holds[lowpass]"
    assert json.loads(json.dumps(plain)) == plain


def test_not_run_for_a_reason_from_elsewhere():
    verdict = not_run(drawn(), tolerance(), 0.5, reason="scores are identical", test="t")
    assert (verdict.outcome, verdict.test, verdict.drop, verdict.low) == ("not_run", "t", 0.07, 0.041)
    assert "was not judged: scores are identical (n = 48" in verdict.sentence


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"subgroup": "grains"}, "subgroup 'grains', got 'masses'; draw it with curve(table, …, subgroup='grains')"),
        ({"confidence": 0.9}, "confidence 0.9, got 0.95; draw it with curve(table, …, confidence=0.9)"),
        (
            {"perturbation": "contrast"},
            "perturbation 'contrast', got 'lowpass'; draw it with curve(table, …, perturbation='contrast')",
        ),
    ],
)
def test_a_tolerance_meets_its_own_curve_only(changed, message):
    with pytest.raises(UnusableInput) as refused:
        judge(drawn(), tolerance(**changed))
    assert str(refused.value) == f"tolerance: the curve must have the tolerance's {message}"
