"""The metric must fall by at least the margin more in one subgroup than in another: readers are selective."""

import pytest


@pytest.mark.claims("responds_more")
def test_responds_more(claim, judged):
    verdict = judged(claim)
    assert verdict.outcome in claim.accepted, verdict.sentence
