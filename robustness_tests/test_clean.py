"""The clean metric is judged before any perturbation is blamed."""

import pytest


@pytest.mark.claims("clean")
def test_clean(claim, judged):
    verdict = judged(claim)
    assert verdict.outcome in claim.accepted, verdict.sentence
