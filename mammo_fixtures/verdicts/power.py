"""Decidability before a verdict: how often an unchanged classifier would be held, claim by claim and jointly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mammo_fixtures.verdicts.decidability import needed_to_hold
from mammo_fixtures.verdicts.drawn_cohort import DrawnCohort, Expected, judged_on
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.tolerance import MAY_LOSE

__all__ = ["ENOUGH", "REPLICATES", "Expected", "Power", "needed", "power"]

REPLICATES = 200
"""Cohorts drawn; a chance of 0.8 is then known to ±0.06."""
ENOUGH = 0.8
_MOST_NEGATIVES = 1500
"""More breasts that are not malignant change a bound by less than the chance is known."""
_MOST_POSITIVES = 20_000
_FEW_REPLICATES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Chances that claims are held, from simulated cohorts."""

    chances: tuple[float, ...]
    """One for each claim, in order."""
    joint: float
    """That all are held at once."""


def power(claims: Sequence[Expected], *, negatives: int, replicates: int = REPLICATES, seed: int = 0) -> Power:
    """Draw cohorts with these counts and judge every claim on each by the judge's own rules.

    Scores are binormal with the expected AUC, breasts independent. Claims on the same kind of breasts share their clean
    scores, and claims on the same condition what it draws anew, as in one gate.
    """
    rng = np.random.default_rng(seed)
    held = np.zeros((replicates, len(claims)), dtype=np.bool_)
    for replicate in range(replicates):
        cohort = DrawnCohort(rng=rng, negatives=min(negatives, _MOST_NEGATIVES))
        held[replicate] = [judged_on(cohort, claim).held for claim in claims]
    return Power(
        chances=tuple(float(share) for share in held.mean(axis=0)),
        joint=float(held.all(axis=1).mean()) if claims else 1.0,
    )


def needed(claim: Expected, *, negatives: int, seed: int = 0) -> int | None:
    """Malignant breasts at which the claim is held with a chance of 0.8; None where no cohort would do.

    The number of other breasts grows alongside. Found by halving between the fewest that can be judged and 20,000.
    """
    ratio = negatives / max(claim.positives, 1)

    def enough(positives: int) -> bool:
        grown = max(negatives, int(ratio * positives))
        chance = power([claim.grown_to(positives)], negatives=grown, replicates=_FEW_REPLICATES, seed=seed)
        return chance.chances[0] >= ENOUGH

    metric = metric_named(claim.tolerance.metric)
    low = metric.fewest
    if claim.tolerance.claim in MAY_LOSE:
        low = max(low, needed_to_hold(claim.clean, metric.chance, claim.tolerance.margin))
    if enough(low):
        return low
    high = 2 * low
    while not enough(high):
        low, high = high, 2 * high
        if high > _MOST_POSITIVES:
            return None
    while high > 1.05 * low + 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
