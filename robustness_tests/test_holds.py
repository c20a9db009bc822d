"""The metric may fall by at most the margin."""

import pytest


@pytest.mark.claims("holds")
def test_holds(claim, judged):
    verdict = judged(claim)
    assert verdict.outcome in claim.accepted, verdict.sentence
