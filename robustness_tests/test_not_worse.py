"""A candidate may be worse than its baseline (--mammo-baseline=) by at most the margin, clean and perturbed."""

import pytest


@pytest.mark.claims("not_worse")
def test_not_worse(claim, judged):
    verdict = judged(claim)
    assert verdict.outcome in claim.accepted, verdict.sentence
