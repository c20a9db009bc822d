"""`responds_more`: one subgroup must lose more than another."""

from dataclasses import replace

import numpy as np
import pytest

from mammo_fixtures.metrics import METRICS, Sample, Terms, measure
from mammo_fixtures.metrics.contrast import drop_contrast
from mammo_fixtures.verdicts import curve
from mammo_fixtures.verdicts.selectivity import judge_more, selectivity
from mammo_fixtures.verdicts.tests.test_contrasts import BREASTS, table, tolerance


def more(scores, severity=2.0, **changed):
    asked = tolerance(than="masses", **changed)
    return judge_more(selectivity(scores, asked, unit="mm"), asked, severity, test="t")


def test_a_selective_fall_is_held_and_an_even_one_is_broken():
    verdict = more(table(2.5))
    assert verdict.outcome == "held"
    one, other = (curve(table(2.5), "lowpass", subgroup=s).points[2] for s in ("grains", "masses"))
    assert verdict.drop == pytest.approx(one.drop - other.drop, abs=1e-12)
    assert verdict.sentence.startswith(
        f"AUC fell by {one.drop:.3f} in grains and by {other.drop:.3f} in masses at lowpass 2 mm: difference "
    )
    assert (
        "against a required difference of 0.150 (n = 60 malignant, 720 not; 60 malignant in masses)."
        in verdict.sentence
    )
    broken = more(table(0.0))
    assert broken.outcome == "broken"
    assert "or keeps grains by what they cannot see. Look closer:" in broken.sentence


def test_where_less_is_better_the_sentence_gives_both_rises_and_their_difference():
    logits = table(2.5)
    scores = replace(logits, scores=1 / (1 + np.exp(-logits.scores)))
    changed = {"metric": "brier", "prevalence": 0.3, "margin": 0.02}
    one, other = (
        curve(scores, "lowpass", subgroup=s, metric="brier", prevalence=0.3).points[2] for s in ("grains", "masses")
    )
    verdict = more(scores, **changed)
    assert verdict.outcome == "held"
    assert one.drop < other.drop < 0.02
    assert (verdict.drop, verdict.low < verdict.drop < verdict.high) == (pytest.approx(one.drop - other.drop), True)
    assert verdict.sentence.startswith(
        f"Brier score rose by {-one.drop:.3f} in grains and by {-other.drop:.3f} in masses at lowpass 2 mm: difference "
        f"{-verdict.drop:.3f} [{-verdict.high:.3f}, {-verdict.low:.3f}] against a required difference of 0.020 "
    )
    reversed_kinds = judge_more(
        selectivity(scores, asked := tolerance(**changed, subgroup="masses", than="grains")), asked, 2.0
    )
    assert reversed_kinds.outcome == "broken"


def test_an_undecided_difference_says_how_many_would_decide():
    drop = more(table(1.2), margin=0.1).drop
    verdict = more(table(1.2), margin=drop - 0.02)
    assert verdict.outcome == "inconclusive"
    assert "60 malignant in masses). Inconclusive: about " in verdict.sentence
    assert "malignant breasts would decide. Look closer:" in verdict.sentence
    assert "Inconclusive" not in more(table(2.5)).sentence
    assert "Inconclusive" not in more(table(0.0)).sentence


def test_ten_cancers_of_the_other_kind_are_enough():
    ten = table(2.5)
    of_the_other = np.flatnonzero((ten.malignant == 1) & (ten.subgroup == "masses"))
    ten.malignant[of_the_other[10:]] = -1
    assert more(ten).outcome == "held"
    assert "(n = 60 malignant, 720 not, 50 of unknown label left out; 10 malignant in masses)" in more(ten).sentence


def test_selectivity_needs_cancers_of_both_kinds():
    few = table(2.5)
    few.malignant[(few.malignant == 1) & (few.subgroup == "masses") & (np.arange(BREASTS) > 20)] = -1
    verdict = more(few)
    assert verdict.outcome == "not_run"
    assert "7 malignant breasts in masses are too few, at least 10 are needed" in verdict.sentence
    none = table(2.5)
    none.subgroup[none.subgroup == "masses"] = "grains"
    assert "0 malignant breasts in masses are too few" in more(none).sentence


def test_random_readers_are_told_where_they_cannot_speak_for_others():
    verdict = more(table(2.5, readers=4), readers="random")
    assert verdict.outcome == "held"
    assert "4 readers taken for any readers" in verdict.sentence
    alone = more(table(2.5), readers="random")
    assert alone.outcome == "not_run"
    assert "1 reader is too few to speak for others, at least 2 are needed" in alone.sentence
    apart = table(2.5, readers=4)
    kinds = apart.subgroup[:, None] == np.array(["masses", "masses", "grains", "grains"])
    apart.scores[:, kinds & (apart.malignant == 1)[:, None]] = np.nan
    verdict = more(apart, readers="random")
    assert verdict.outcome == "not_run"
    assert "fewer than 2 readers scored both grains and masses, so none stand for others" in verdict.sentence


def test_the_difference_of_drops_scatters_as_resamples_do():
    rng = np.random.default_rng(51)
    scores = table(1.0, readers=2)

    def samples(breasts):
        found = []
        for name in ("grains", "masses"):
            used = breasts[(scores.malignant[breasts] == 0) | (scores.subgroup[breasts] == name)]
            found.append(
                Sample(scores=scores.scores[:, used], malignant=scores.malignant[used] == 1, clusters=used // 6)
            )
        return found

    whole = drop_contrast(METRICS[0], *samples(np.arange(BREASTS)), Terms())[0]
    drawn = []
    for _ in range(200):
        patients = np.concatenate([rng.integers(0, 30, 30), rng.integers(30, 150, 120)])
        one, other = samples((6 * patients[:, None] + np.arange(6)).ravel())
        drawn.append(measure(METRICS[0], one).drop - measure(METRICS[0], other).drop)
    assert whole.standard_error[1:] == pytest.approx(np.std(drawn, axis=0)[1:], rel=0.2)
    assert np.all((whole.low[1:] < whole.value[1:]) & (whole.value[1:] < whole.high[1:]))
