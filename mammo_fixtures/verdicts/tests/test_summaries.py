"""A curve in one number: its mean over the ladder, and the mildest severity at which a margin is broken."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.verdicts import curve
from mammo_fixtures.verdicts.summaries import first_broken, in_one_number, ladder_mean
from mammo_fixtures.verdicts.tests.test_contrasts import BREASTS, table, tolerance


def test_a_mean_over_the_ladder_is_of_the_breasts_that_have_all_of_it():
    scores, whole = table(2.5), np.arange(BREASTS) % 3 != 0
    gaps = scores.scores.copy()
    gaps[1, ~whole & (np.arange(BREASTS) % 2 == 0)] = np.nan
    gaps[2, ~whole & (np.arange(BREASTS) % 2 == 1)] = np.nan
    found = ladder_mean(replace(scores, scores=gaps), "lowpass", subgroup="grains")
    expected = ladder_mean(scores.cut(np.flatnonzero(whole)), "lowpass", subgroup="grains")
    assert (found.positives, found.negatives) == (expected.positives, expected.negatives)
    assert (found.value, found.drop) == pytest.approx((expected.value, expected.drop), abs=1e-12)
    assert (found.drop_low, found.drop_high) == pytest.approx((expected.drop_low, expected.drop_high), abs=1e-12)


def test_what_is_first_broken_is_looked_for_among_the_severities_drawn():
    scores = table(2.5)
    whole = curve(scores, "lowpass", subgroup="grains")
    mild, strong = (replace(whole, points=(whole.clean, whole.at(severity))) for severity in (0.5, 2.0))
    asked = [
        tolerance("holds", subgroup="grains", margin=margin, confidence=confidence)
        for margin, confidence in ((0.2, 0.95), (0.1, 0.8), (0.1, 0.95))
    ]
    for drawn, severity in ((mild, None), (strong, 2.0), (whole, 2.0)):
        assert in_one_number(scores, drawn, asked)["first_broken"] == [
            {"margin": 0.1, "confidence": 0.8, "severity": severity},
            {"margin": 0.1, "confidence": 0.95, "severity": severity},
            {"margin": 0.2, "confidence": 0.95, "severity": severity},
        ]


@pytest.mark.parametrize("kind", [0, 1])
def test_a_mean_over_the_ladder_needs_both_kinds_of_breast(kind):
    scores = table(2.5)
    alone = ladder_mean(scores.cut(np.flatnonzero(scores.malignant == kind)), "lowpass")
    gaps = scores.scores.copy()
    gaps[1, scores.malignant != kind] = np.nan
    unscored = ladder_mean(replace(scores, scores=gaps), "lowpass")
    for found in (alone, unscored):
        assert (found.value, found.drop, found.drop_low) == (None, None, None)


def test_the_mean_over_the_ladder_and_the_first_broken_severity():
    scores = table(2.5)
    mean = ladder_mean(scores, "lowpass", subgroup="grains")
    drawn = curve(scores, "lowpass", subgroup="grains")
    assert mean.value == pytest.approx(np.mean([p.value for p in drawn.points[1:]]), abs=1e-12)
    assert mean.drop == pytest.approx(np.mean([p.drop for p in drawn.points[1:]]), abs=1e-12)
    assert mean.drop_low < mean.drop < mean.drop_high
    assert first_broken(drawn, tolerance("holds", margin=0.1)) == 2.0
    assert first_broken(curve(table(0.0), "lowpass", subgroup="grains"), tolerance("holds", margin=0.1)) is None
    with pytest.raises(
        UnusableInput, match=r"^site\.csv: a mean over the ladder needs scores under contrast, got clean"
    ):
        ladder_mean(scores, "contrast")


def test_a_mean_over_some_severities_and_for_any_readers():
    scores = table(1.5, readers=3)
    strong = ladder_mean(scores, "lowpass", subgroup="grains", severities=(2.0,))
    at = curve(scores, "lowpass", subgroup="grains").at(2.0)
    assert (strong.value, strong.drop, strong.drop_high) == pytest.approx((at.value, at.drop, at.drop_high), abs=1e-12)
    fixed, random = (ladder_mean(scores, "lowpass", subgroup="grains", readers=kind) for kind in ("fixed", "random"))
    assert random.value == fixed.value
    assert random.drop_low <= fixed.drop_low < fixed.drop_high <= random.drop_high
    assert fixed.reader_variance is None
    assert random.reader_variance is not None


def test_each_margin_of_a_curve_is_held_against_every_severity_with_its_own_confidence():
    scores = table(1.5)
    drawn = curve(scores, "lowpass", subgroup="grains")
    low = drawn.at(2.0).drop_low
    wider = curve(scores, "lowpass", subgroup="grains", confidence=0.999).at(2.0).drop_low
    asked = [
        tolerance("holds", margin=(low + wider) / 2, severities=(0.5,)),
        tolerance("holds", margin=(low + wider) / 2, confidence=0.999),
        tolerance("holds", margin=0.1, subgroup="masses"),
        tolerance("responds", margin=0.1),
    ]
    told = in_one_number(scores, drawn, asked)
    assert [(each["confidence"], each["severity"]) for each in told["first_broken"]] == [(0.95, 2.0), (0.999, None)]
    assert told["ladder_mean"]["positives"] == 60
    assert json.loads(json.dumps(told)) == told
