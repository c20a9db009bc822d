"""Releases against each other, pooling, and selectivity on published scores."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts import Tolerance, curve, judge_severity
from mammo_fixtures.verdicts.baseline import comparison, paired, tolerances_for_baseline
from mammo_fixtures.verdicts.pooling import hidden_by_pooling
from mammo_fixtures.verdicts.selectivity import judge_more, selectivity
from mammo_fixtures.verdicts.summaries import ladder_mean

PUBLISHED = Path(os.environ.get("MAMMO_SHARED", "")) / "nyu_reader_study" / "gmic_lowpass_scores.csv.gz"
BREASTS = 900


def table(loss=0.0, *, hit="grains", seed=50, noise=0.1, readers=1):
    """60 cancers of each of three kinds; under 2 mm one kind loses its separation."""
    rng = np.random.default_rng(seed)
    malignant = np.arange(BREASTS) < 180
    kind = np.array(["masses", "grains", "distortions"])[np.arange(BREASTS) % 3]
    base = rng.standard_normal((BREASTS, readers)) + 2.2 * malignant[:, None]
    jitter = noise * rng.standard_normal((2, BREASTS, readers))
    struck = (malignant & (kind == hit))[:, None] * loss
    return ScoreTable(
        conditions=(CLEAN, Condition("lowpass", 0.5), Condition("lowpass", 2.0)),
        readers=tuple(f"seed{r}" for r in range(readers)),
        scores=np.stack([base, base + jitter[0], base + jitter[1] - struck]),
        exam_id=np.arange(BREASTS).astype(str),
        side=np.full(BREASTS, "L"),
        malignant=malignant.astype(np.int8),
        subgroup=kind,
        patient_id=np.full(BREASTS, ""),
        source="site.csv",
    )


def tolerance(claim="responds_more", **changed):
    known = {"perturbation": "lowpass", "subgroup": "grains", "margin": 0.15, "reason": "-"}
    return Tolerance(claim=claim, **(known | changed))


def not_worse(candidate, baseline, severity=2.0, **changed):
    asked = tolerance("not_worse", **({"margin": 0.05} | changed))
    drawn = comparison(paired(candidate, baseline), asked, severity, unit="mm")
    return judge_severity(drawn, asked, severity), drawn


def test_a_candidate_worse_in_one_subgroup_is_caught_by_that_claim_and_no_other():
    baseline, candidate = table(0.0), table(1.5)
    outcomes = {
        (subgroup, severity): not_worse(candidate, baseline, severity, subgroup=subgroup, margin=0.15)[0].outcome
        for subgroup in ("all", "masses", "grains", "distortions")
        for severity in (0.5, 2.0)
    }
    assert outcomes.pop(("grains", 2.0)) == "broken"
    assert set(outcomes.values()) == {"held"}


def test_what_pooling_hides_is_told():
    baseline, candidate = table(0.0), table(1.5)
    asked = tolerance("not_worse", margin=0.15)
    verdict, _ = not_worse(candidate, baseline, margin=0.15)
    _, pooled = not_worse(candidate, baseline, subgroup="all", margin=0.15)
    said = hidden_by_pooling(verdict, asked, pooled)
    assert said.startswith("Pooled over all breasts it would have passed: drop 0.0")
    assert said.endswith("so the pooled figure hides what grains lose.")
    assert not hidden_by_pooling(replace(verdict, outcome="held"), asked, pooled)
    _, all_fallen = not_worse(table(0.6, hit="masses"), table(-1.0), subgroup="all", margin=0.01)
    assert not hidden_by_pooling(verdict, replace(asked, margin=0.01), all_fallen)


def test_releases_are_paired_by_breast_whatever_the_order():
    baseline, candidate = table(0.0), table(0.4)
    order = np.random.default_rng(52).permutation(BREASTS)
    shuffled = replace(
        baseline, scores=baseline.scores[:, order], exam_id=baseline.exam_id[order],
        malignant=baseline.malignant[order], subgroup=baseline.subgroup[order],
    )  # fmt: skip
    straight, mixed = not_worse(candidate, baseline)[1], not_worse(candidate, shuffled)[1]
    assert straight == mixed
    assert straight.points[1].drop == pytest.approx(straight.points[0].value - straight.points[1].value, abs=1e-12)


def test_the_same_release_is_not_worse_than_itself():
    verdict, drawn = not_worse(table(0.4), table(0.4), margin=0.06)
    assert verdict.drop == 0.0
    assert verdict.outcome == "held"
    clean, _ = not_worse(table(0.4), table(0.4), 0.0, perturbation="clean", margin=0.06)
    assert clean.outcome == "held"
    assert clean.sentence.startswith("AUC of grains stayed at 0.9")
    assert " against the baseline at clean: drop 0.000 [0.000, " in clean.sentence
    assert drawn.points[0].drop == 0.0


@pytest.mark.parametrize(
    "name", ["partial_auc", "sensitivity", "specificity", "recall_rate", "ks", "flip_rate", "logit_shift"]
)
def test_other_metrics_compare_releases_too(name):
    verdict, drawn = not_worse(table(0.6, readers=2), table(0.0, readers=3), metric=name, subgroup="all", margin=0.5)
    alone = curve(table(0.6, readers=2), "lowpass", metric=name).at(2.0).value
    assert drawn.points[1].value == pytest.approx(alone, abs=1e-12)
    assert verdict.outcome in ("held", "broken")
    assert verdict.low <= verdict.drop <= verdict.high


def test_breasts_that_differ_are_listed_and_not_judged():
    baseline, candidate = table(0.0), table(0.0)
    other = replace(baseline, exam_id=np.where(np.arange(BREASTS) == 5, "new", baseline.exam_id))
    other.malignant[7] = 0
    other.subgroup[9] = "asymmetries"
    found = paired(candidate, other)
    assert found.differences == (
        "only the candidate has a score for 1 breasts: exam 5 L",
        "only the baseline has a score for 1 breasts: exam new L",
        "malignant differs between the releases' tables for 1 breasts: exam 7 L",
        "subgroup differs between the releases' tables for 1 breasts: exam 9 L",
    )
    assert len(found.candidate.exam_id) == BREASTS - 3
    assert not paired(candidate, table(1.0)).differences
    many = replace(baseline, exam_id=np.char.add(baseline.exam_id, np.where(np.arange(BREASTS) < 30, "x", "")))
    assert paired(candidate, many).differences[0].endswith("exam 19 L and 10 more")
    with pytest.raises(UnusableInput) as refused:
        paired(candidate, replace(baseline, side=np.full(BREASTS, "R")))
    assert "got none of 900 in common: exam 0, L here, exam 0, R there" in str(refused.value)


def test_a_condition_that_the_baseline_lacks_is_not_run():
    baseline = table(0.0)
    bare = replace(baseline, conditions=baseline.conditions[:2], scores=baseline.scores[:2])
    verdict, _ = not_worse(table(0.0), bare)
    assert verdict.outcome == "not_run"


def test_without_tolerances_of_their_own_releases_get_those_of_holds():
    asked = [tolerance("holds", severities=(0.5,), margin=0.1), tolerance("holds", severities=(2.0,), margin=0.05)]
    implied = tolerances_for_baseline([*asked, tolerance("responds")])
    assert [(t.claim, t.perturbation, t.severities, t.margin) for t in implied] == [
        ("not_worse", "clean", (0.0,), 0.05),
        ("not_worse", "lowpass", (0.5,), 0.1),
        ("not_worse", "lowpass", (2.0,), 0.05),
    ]
    stated = tolerance("not_worse")
    assert tolerances_for_baseline([*asked, stated]) == (stated,)


@pytest.mark.parametrize(
    ("metric", "operating_point", "decided"),
    [
        ("auc", "specificity>=0.90", True),
        ("brier", "specificity>=0.90", True),
        ("sensitivity", "specificity>=0.90", True),
        ("recall_rate", "specificity>=0.90", True),
        ("specificity", "score>0.5", True),
        ("specificity", "sensitivity>=0.85", True),
        ("specificity", "specificity>=0.90", False),
        ("sensitivity", "sensitivity>=0.85", False),
        ("flip_rate", "specificity>=0.90", False),
        ("rank_correlation", "specificity>=0.90", False),
        ("logit_shift", "specificity>=0.90", False),
    ],
)
def test_what_is_the_same_of_all_clean_scores_is_no_claim_on_them(metric, operating_point, decided):
    holds = tolerance("holds", metric=metric, operating_point=operating_point)
    assert ("clean" in [t.perturbation for t in tolerances_for_baseline([holds])]) is decided
    if decided:
        assert replace(holds, claim="not_worse", perturbation="clean").metric == metric
        return
    with pytest.raises(UnusableInput, match=f"decide where perturbation is 'clean', got '{metric}'; it is the same of"):
        replace(holds, claim="not_worse", perturbation="clean")


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="MAMMO_SHARED does not name the folder with the published scores")
def test_published_scores_are_selective_at_one_mm():
    scores = ScoreTable.read(PUBLISHED)
    asked = tolerance(subgroup="microcalcifications", than="soft_tissue_lesions")
    pair = selectivity(scores, asked, unit="mm")
    assert (pair.one.at(1.0).drop, pair.than.at(1.0).drop) == pytest.approx((0.376, 0.029), abs=0.0006)
    assert judge_more(pair, asked, 1.0).outcome == "held"
    assert judge_more(pair, asked, 0.17).outcome == "broken"


def tied(scores):
    """Scores so coarse that the operating point can only jump: nine in ten others lie below an edge, 1.28."""
    return replace(scores, scores=np.round(scores.scores / 0.855))


@pytest.mark.parametrize(("name", "width"), [("sensitivity", 0.2), ("recall_rate", 0.1)])
def test_where_an_operating_point_jumps_releases_and_ladders_get_bounds_for_both_sides_of_it(name, width):
    coarse = tied(table(1.0))
    asked = {"metric": name, "subgroup": "all"}
    _, drawn = not_worse(coarse, tied(table(0.0)), **asked, margin=0.5)
    mean = ladder_mean(coarse, "lowpass", **asked)
    for point in (drawn.points[1], mean):
        assert point.high - point.low > width
    fine = table(1.0)
    _, drawn = not_worse(fine, table(0.0), **asked, margin=0.5)
    for point in (drawn.points[1], ladder_mean(fine, "lowpass", **asked)):
        assert point.high - point.low < width
