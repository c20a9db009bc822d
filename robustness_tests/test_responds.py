"""The metric must fall by at least the margin: being invariant here is the defect."""

import pytest


@pytest.mark.claims("responds")
def test_responds(claim, judged):
    verdict = judged(claim)
    assert verdict.outcome in claim.accepted, verdict.sentence
