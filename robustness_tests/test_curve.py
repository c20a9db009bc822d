"""Did our number change? Each curve against its snapshot; whether the number is acceptable is another claim."""

import pytest


@pytest.mark.claims("curve")
def test_curve(claim, drawn, curve_snapshot):
    assert drawn(claim) == curve_snapshot
