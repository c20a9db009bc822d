"""Releases are compared on one scale of scores."""

from dataclasses import replace

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
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
