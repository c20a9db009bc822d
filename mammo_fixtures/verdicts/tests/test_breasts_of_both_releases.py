"""Releases are compared on the breasts that both scored: what one lacks can make neither better."""

from dataclasses import replace

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.score_table import CLEAN
from mammo_fixtures.verdicts import judge_severity
from mammo_fixtures.verdicts.baseline import comparison, paired, same_scores_said
from mammo_fixtures.verdicts.tests.test_contrasts import BREASTS, table, tolerance


def compared(candidate, baseline, severity=2.0, **changed):
    asked = tolerance("not_worse", **({"margin": 0.05, "subgroup": "all"} | changed))
    return judge_severity(comparison(paired(candidate, baseline), asked, severity, unit="mm"), asked, severity)


def without(scores, condition, breasts):
    """The table without the scores of some breasts under one condition."""
    kept = scores.scores.copy()
    kept[condition, breasts] = np.nan
    return replace(scores, scores=kept)


def of_some(scores, breasts):
    return scores.cut(np.flatnonzero(breasts))


@pytest.mark.parametrize("metric", ["auc", "sensitivity"])
def test_cancers_that_a_release_could_not_score_do_not_make_it_better(metric):
    baseline, candidate = table(0.0), table(2.0, hit="masses")
    low = (candidate.malignant == 1) & (candidate.scores[2, :, 0] < 1.5)
    there = compared(of_some(candidate, ~low), of_some(baseline, ~low), metric=metric)
    for lacking in (candidate, baseline):
        tables = [without(each, 2, low) if each is lacking else each for each in (candidate, baseline)]
        found = compared(*tables, metric=metric)
        assert (found.clean, found.perturbed) == pytest.approx((there.clean, there.perturbed), abs=1e-12)
        assert (found.low, found.high) == pytest.approx((there.low, there.high), abs=1e-12)
        assert (found.positives, found.negatives) == (180 - low.sum(), 720)
        assert f"on the {180 - low.sum()} of 180 malignant and 720 of 720 other breasts" in found.sentence


def test_a_metric_that_needs_clean_scores_needs_them_of_both_releases():
    breasts = np.arange(BREASTS) % 5 == 0
    found = compared(table(0.4), without(table(0.0), 0, breasts), metric="sensitivity")
    assert (found.positives, found.negatives) == (144, 576)
    assert compared(table(0.4), without(table(0.0), 0, breasts)).positives == 180


def test_a_reader_without_both_kinds_of_breast_in_common_counts_in_neither_release():
    candidate, baseline = table(0.4, readers=2), table(0.0, readers=2)
    baseline.scores[2, :180, 1] = np.nan  # no cancer
    alone = np.arange(BREASTS) % 2 == 0
    baseline.scores[2, alone, 0] = np.nan  # where only the other reader has a score, which says nothing of cancers
    found = compared(candidate, baseline)
    assert (found.positives, found.negatives) == (90, 360)


def test_a_claim_against_a_baseline_has_its_own_confidence():
    at_95, at_80 = (compared(table(0.4), table(0.0), confidence=confidence) for confidence in (0.95, 0.8))
    assert (at_80.confidence, at_80.drop) == (0.8, at_95.drop)
    assert at_95.low < at_80.low < at_80.drop < at_80.high < at_95.high


def test_a_subgroup_that_was_renamed_between_releases_is_told():
    renamed = table(0.0)
    renamed.subgroup[renamed.subgroup == "grains"] = "calcifications"
    found = compared(table(0.0), renamed, subgroup="grains")
    assert found.outcome == "not_run"
    assert "0 malignant breasts are too few" in found.sentence
    assert "the releases' tables have none of grains in common" in found.sentence


def test_releases_that_scored_no_breast_in_common_are_not_run_with_that_reason():
    half = np.arange(BREASTS) % 2 == 0
    found = compared(without(table(0.0), 2, half), without(table(0.0), 2, ~half))
    assert found.outcome == "not_run"
    assert "no breast has a score in both releases" in found.sentence
    clean = compared(without(table(0.0), 0, half), table(0.0), CLEAN.severity, perturbation="clean")
    assert clean.positives == 90


def test_a_baseline_without_a_breast_in_common_shows_how_each_calls_its_exams():
    candidate, baseline = table(), table()
    padded = replace(baseline, exam_id=np.char.zfill(baseline.exam_id, 6), source="old.csv")
    rule = "old.csv: a baseline must hold breasts of the candidate's cohort with the same labels, got "
    remedy = "; score both releases on the same exams, under the same ids"
    with pytest.raises(UnusableInput) as told:
        paired(candidate, padded)
    assert str(told.value) == f"{rule}none of 900 in common: exam 0, L here, exam 000000, L there{remedy}"
    unlabelled = replace(baseline, malignant=np.full(BREASTS, -1, dtype=np.int8), source="old.csv")
    with pytest.raises(UnusableInput) as told:
        paired(candidate, unlabelled)
    remedy = "; correct the table that is wrong"
    assert str(told.value) == f"{rule}900 in common, none with the same label and subgroup{remedy}"


def test_other_readers_of_a_baseline_are_told_and_another_release_of_one_classifier_is_not():
    two, three = table(readers=2), replace(table(readers=3), readers=("a", "b", "c"))
    assert paired(three, two).differences == (
        "readers differ between the releases' tables, so that each figure is a mean over its own: "
        "3 of the candidate (a, b, c), 2 of the baseline (seed0, seed1)",
    )
    assert "5 of the candidate (seed0, seed1, seed2, seed3, seed4), 1 of" in "".join(
        paired(table(readers=5), replace(table(), readers=("a",))).differences
    )
    assert not paired(two, two).differences
    assert not paired(table(), replace(table(), readers=("release_1",))).differences


def test_a_candidate_that_is_its_own_baseline_is_told():
    one, other = table(0.4), replace(table(0.4), source="/releases/site.csv")
    said = (
        "candidate and baseline have the same scores for all 900 breasts, so that no claim against it can fail: look "
        "whether site.csv is of the release before"
    )
    assert same_scores_said(paired(one, other)) == said
    assert same_scores_said(paired(of_some(one, one.malignant == 1), other)) == said.replace("900", "180")
    assert same_scores_said(paired(without(one, 1, one.malignant == 1), other)) == ""
    assert same_scores_said(paired(one, replace(other, scores=other.scores + 1e-9))) == ""
    assert same_scores_said(paired(one, replace(other, scores=other.scores[:1], conditions=(CLEAN,)))) == ""
    assert same_scores_said(paired(one, table(0.4, readers=2))) == ""
