"""Whether pooling hides a subgroup's fall, after Simpson: what all breasts together would have passed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mammo_fixtures.verdicts.curve import Curve
from mammo_fixtures.verdicts.judge import judge_severity
from mammo_fixtures.verdicts.sentence import bounded
from mammo_fixtures.verdicts.subgroups import ALL
from mammo_fixtures.verdicts.tolerance import MAY_LOSE

if TYPE_CHECKING:
    from mammo_fixtures.verdicts.tolerance import Tolerance
    from mammo_fixtures.verdicts.verdict import Verdict


def hidden_by_pooling(verdict: Verdict, tolerance: Tolerance, pooled: Curve) -> str:
    """A sentence where a subgroup's claim is broken and that of all breasts is held by the same margin; else empty."""
    if verdict.outcome != "broken" or tolerance.claim not in MAY_LOSE or tolerance.subgroup == ALL:
        return ""
    whole = judge_severity(pooled, replace(tolerance, subgroup=ALL), verdict.severity)
    if not whole.held:
        return ""
    return (
        f"Pooled over all breasts it would have passed: drop {bounded(whole.drop, whole.low, whole.high)}, "
        f"so the pooled figure hides what {tolerance.subgroup} lose."
    )
