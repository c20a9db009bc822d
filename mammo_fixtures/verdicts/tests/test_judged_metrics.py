"""Rules of judgement of metrics of which less, or nothing but the same, is better."""

import pytest

from mammo_fixtures.verdicts import judge_severity
from mammo_fixtures.verdicts.tests.test_judge import drawn, tolerance


@pytest.mark.parametrize(
    ("drop", "holds", "responds"),
    [
        # A rise of 0.09, of which the bounds say 0.0501 to 0.12 and so on.
        ((-0.09, -0.12, -0.0501), "broken", "held"),
        ((-0.09, -0.12, -0.05), "inconclusive", "held"),
        ((-0.09, -0.12, -0.04), "inconclusive", "inconclusive"),
        ((-0.03, -0.05, 0.0), "held", "inconclusive"),
        ((-0.03, -0.0499, 0.0), "held", "broken"),
        ((0.09, 0.06, 0.12), "held", "broken"),
    ],
)
def test_where_less_is_better_it_is_the_rise_that_counts(drop, holds, responds):
    curve = drawn(drop, clean=0.2, low=0.15, metric="brier")
    assert judge_severity(curve, tolerance(metric="brier"), 0.5).outcome == holds
    assert judge_severity(curve, tolerance("responds", metric="brier"), 0.5).outcome == responds


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("drop", "holds", "responds"),
    [
        ((0.09, 0.0501, 0.12), "broken", "held"),
        ((0.09, 0.05, 0.12), "inconclusive", "held"),
        ((0.09, 0.04, 0.12), "inconclusive", "inconclusive"),
        ((0.03, -0.01, 0.05), "held", "inconclusive"),
        ((0.03, -0.01, 0.0499), "held", "broken"),
        # The bound on the side of the lesser change counts too.
        ((0.01, -0.04, 0.06), "inconclusive", "inconclusive"),
        ((0.005, -0.03, 0.04), "held", "broken"),
    ],
)
def test_where_nothing_should_change_a_change_either_way_counts(sign, drop, holds, responds):
    low, high = sorted(sign * bound for bound in drop[1:])
    curve = drawn((sign * drop[0], low, high), clean=0.2, low=0.15, metric="recall_rate")
    verdict = judge_severity(curve, tolerance(metric="recall_rate"), 0.5)
    assert verdict.outcome == holds
    assert (verdict.drop, verdict.low, verdict.high) == (sign * drop[0], low, high)
    assert judge_severity(curve, tolerance("responds", metric="recall_rate"), 0.5).outcome == responds


@pytest.mark.parametrize("sign", [1, -1])
def test_how_many_would_decide_goes_by_the_size_of_the_change(sign):
    # 48 × (0.05 / 0.02)² = 300, whichever way it changed.
    low, high = sorted((sign * 0.02, sign * 0.12))
    curve = drawn((sign * 0.07, low, high), clean=0.2, low=0.15, metric="recall_rate")
    sentence = judge_severity(curve, tolerance(metric="recall_rate"), 0.5).sentence
    assert "about 300 malignant breasts would decide" in sentence
