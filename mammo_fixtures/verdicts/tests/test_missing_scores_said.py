"""What verdicts say where scores are missing, readers are random, or a sample is enriched."""

from dataclasses import replace

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts import Tolerance, curve, judge_clean, judge_severity


def table(readers=2, seed=3):
    rng = np.random.default_rng(seed)
    malignant = np.arange(400) < 80
    base = rng.standard_normal((400, readers)) + 2 * malignant[:, None]
    scores = np.stack([base, base + 0.05 * rng.standard_normal(base.shape), base - malignant[:, None]])
    return ScoreTable(
        conditions=(CLEAN, Condition("lowpass", 0.5), Condition("lowpass", 2.0)),
        readers=tuple(f"seed{r}" for r in range(readers)),
        scores=1 / (1 + np.exp(-scores)),
        exam_id=np.arange(400).astype(str),
        side=np.full(400, "L"),
        malignant=malignant.astype(np.int8),
        subgroup=np.where(np.arange(400) % 2 == 0, "masses", "grains"),
        patient_id=np.full(400, ""),
        strata={"density": np.array(list("abcd"))[np.arange(400) // 2 % 4]},
        source="site.csv",
    )


def verdict(scores, severity=0.5, margin=0.1, **asked):
    more = {name: asked[name] for name in asked if name not in ("claim",)}
    tolerance = Tolerance(**({"claim": "holds", "perturbation": "lowpass", "margin": margin, "reason": "-"} | asked))
    return judge_severity(curve(scores, "lowpass", **more), tolerance, severity)


def test_a_subgroup_that_no_malignant_breast_is_in_is_told_with_those_there_are():
    scores = table()

    def said(subgroup):
        clean = judge_clean(curve(scores, "lowpass", subgroup=subgroup)).sentence
        both = (verdict(scores, subgroup=subgroup).sentence, clean)
        told = {sentence.partition(" are needed")[2].partition(" (n = 0")[0] for sentence in both}
        assert len(told) == 1
        return told.pop()

    assert said("mases") == "; none has subgroup 'mases'; did you mean 'masses'?"
    assert said("distortions") == "; none has subgroup 'distortions'; there are grains, masses"
    assert said("masses & density=e") == "; none has density 'e'; there are a, b, c, d"
    assert curve(scores, "lowpass", subgroup="masses").absent == ""


def test_a_subgroup_may_have_an_ampersand_in_its_name():
    """A breast has one subgroup, so that a crossing of two could have no breast."""
    plain = table()
    scores = replace(plain, subgroup=np.where(plain.subgroup == "grains", "masses & grains", "masses"))
    assert curve(scores, "lowpass", subgroup="masses & grains").points[1].positives == 40
    assert curve(scores, "lowpass", subgroup="masses & grains & density=a").points[1].positives == 10
    assert curve(scores, "lowpass", subgroup="density=a & masses & grains").points[1].positives == 10
    said = judge_clean(curve(scores, "lowpass", subgroup="masses & distortions")).sentence
    assert "none has subgroup 'masses & distortions'" in said


def test_the_sentence_counts_the_breasts_that_have_a_score():
    scores = table()
    scores.scores[1, 10:30] = np.nan
    scores.scores[1, 380:] = np.nan
    said = verdict(scores)
    assert said.outcome == "held"
    assert (said.positives, said.negatives) == (60, 300)
    assert (
        "(n = 60 malignant, 300 not, on the 60 of 80 malignant and 300 of 320 other breasts that have a score)"
    ) in said.sentence
    assert "that have a score" not in verdict(scores, 2.0).sentence


def test_what_moved_is_told_of_the_same_breasts():
    scores = table()
    scores.scores[2, :60] = np.nan
    point = curve(scores, "lowpass").points[2]
    said = verdict(scores, 2.0)
    assert f"{point.value + point.drop:.3f} → {point.value:.3f}" in said.sentence
    assert said.clean - said.perturbed == pytest.approx(said.drop)
    assert said.clean != pytest.approx(verdict(table(), 2.0).clean, abs=1e-4), "not the clean value of all breasts"


def test_a_subgroup_without_scores_is_not_run_with_the_reason():
    scores = table()
    scores.scores[1] = np.nan
    said = verdict(scores)
    assert (said.outcome, said.perturbed) == ("not_run", None)
    assert "was not judged: no breast has a score from one reader both when clean and at this severity" in said.sentence


def test_unpaired_conditions_are_told():
    scores = table()
    scores.scores[0, :, 1] = np.nan
    scores.scores[1, :, 0] = np.nan
    assert "unpaired: no reader scored the same breasts clean and perturbed" in verdict(scores).sentence


def test_random_readers_are_told_and_widen():
    scores = table(readers=5)
    fixed, any_reader = verdict(scores), verdict(scores, readers="random")
    assert any_reader.high > fixed.high
    assert "5 readers taken for any readers" in any_reader.sentence
    one = verdict(table(readers=1), readers="random")
    assert (one.outcome, "1 reader is too few to speak for others, at least 2 are needed" in one.sentence) == (
        "not_run",
        True,
    )


def test_an_enriched_sample_says_so():
    own = verdict(table(), metric="flip_rate")
    assert "for the sample's own 20.0% malignant, which is enriched: declare a prevalence" in own.sentence
    assert "weighted to 0.60% malignant" in verdict(table(), metric="flip_rate", prevalence=0.006).sentence


def test_biased_metrics_are_marked_and_never_judged_below_fifty():
    assert "biased upward in small samples" in verdict(table(), metric="ks").sentence
    few = table()
    few.malignant[:40] = -1
    said = verdict(few, metric="ks")
    assert (said.outcome, "40 malignant breasts are too few, at least 50 are needed" in said.sentence) == (
        "not_run",
        True,
    )


def test_less_is_better_for_some_and_nothing_for_others():
    scores = table()
    flips = verdict(scores, 2.0, metric="flip_rate", margin=0.05)
    assert flips.outcome == "broken"
    assert "flip rate at clean specificity>=0.90 of all breasts rose 0.000 → " in flips.sentence
    assert ": rise 0." in flips.sentence
    assert flips.drop < 0
    shift = verdict(scores, 2.0, metric="logit_shift", margin=0.1)
    assert shift.outcome == "broken"
    assert ": change -0." in shift.sentence
    assert verdict(scores, 2.0, metric="logit_shift", margin=0.1, claim="responds").outcome == "held"


def test_strata_and_their_crossings_are_subgroups():
    scores = table()
    dense, both = (
        curve(scores, "lowpass", subgroup="density=d"),
        curve(scores, "lowpass", subgroup="masses & density=d"),
    )
    assert (dense.clean.positives, dense.clean.negatives) == (20, 320)
    assert (both.clean.positives, both.clean.negatives) == (10, 320)
    assert curve(scores, "lowpass", subgroup="side=L").clean == curve(scores, "lowpass").clean
    with pytest.raises(UnusableInput) as refused:
        curve(scores, "lowpass", subgroup="zzz=d")
    assert str(refused.value) == (
        "site.csv: a stratum must be a column of the table, got 'zzz'; it has subgroup, side, density"
    )


def test_calibration_refuses_logits():
    raw = table()
    logits = replace(raw, scores=10 * raw.scores)
    with pytest.raises(UnusableInput) as refused:
        curve(logits, "lowpass", metric="brier")
    assert str(refused.value).startswith("site.csv: brier needs probabilities, every score in [0, 1], got ")
    assert str(refused.value).endswith("; declare score='probability' in the classifier, or leave brier out")
    assert curve(logits, "lowpass", metric="logit_shift").clean.value == 0.0
