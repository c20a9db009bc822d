"""Claims that no score could break are not run."""

from dataclasses import replace

import pytest

from mammo_fixtures.verdicts import judge_severity
from mammo_fixtures.verdicts.tests.test_judge import drawn, tolerance


@pytest.mark.parametrize(("clean", "outcome"), [(0.0, "not_run"), (0.05, "not_run"), (0.06, "held")])
def test_a_sensitivity_that_cannot_fall_by_the_margin_has_nothing_to_hold(clean, outcome):
    """Where a tenth of the others share the highest score, no cancer lies above the operating point."""
    curve = replace(drawn((0.0, -0.02, 0.03), clean=clean, low=0.0), metric="sensitivity")
    verdict = judge_severity(curve, tolerance(metric="sensitivity"), 0.5)
    says = f"the clean sensitivity is {clean:.3f} and cannot fall by more than the margin 0.050, so there is nothing to"
    assert (verdict.outcome, says in verdict.sentence) == (outcome, outcome == "not_run")


def test_a_classifier_no_better_than_chance_has_nothing_to_hold():
    verdict = judge_severity(drawn((0.0, -0.01, 0.01), clean=0.55, low=0.48), tolerance(), 0.5)
    assert verdict.outcome == "not_run"
    assert (
        "was not judged: the clean AUC is not above chance, its lower bound is 0.480 and must exceed 0.5, so there is "
        "nothing to hold (n = 48"
    ) in verdict.sentence
