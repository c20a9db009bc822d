"""Releases are compared on one scale of scores."""

from dataclasses import replace

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.verdicts import curve
from mammo_fixtures.verdicts.baseline import comparison, paired
from mammo_fixtures.verdicts.tests.test_contrasts import table, tolerance


def test_logits_of_one_release_are_not_taken_for_the_others_probabilities():
    logits = table()
    probabilities = replace(logits, scores=1 / (1 + np.exp(-logits.scores)))
    asked = tolerance("not_worse", metric="logit_shift")
    with pytest.raises(UnusableInput, match="scores of one kind, got probabilities and logits; score both with"):
        comparison(paired(logits, probabilities), asked, 2.0)
    ranks = comparison(paired(logits, probabilities), tolerance("not_worse", metric="rank_correlation"), 2.0)
    assert ranks.points[1].drop == pytest.approx(0.0)


def test_probabilities_of_exactly_nothing_and_one_are_probabilities():
    """A sigmoid of float32 gives both."""
    logits = table()
    scores = 1 / (1 + np.exp(-logits.scores))
    scores[:, 0], scores[:, 1] = 0.0, 1.0
    found = curve(replace(logits, scores=scores), "lowpass", metric="ece")
    assert all(0 < point.value < 1 for point in found.points)
    scores[1, 2] = np.nextafter(1.0, 2.0)
    with pytest.raises(UnusableInput, match="ece needs probabilities, every score in"):
        curve(replace(logits, scores=scores), "lowpass", metric="ece")
