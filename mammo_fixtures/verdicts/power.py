"""Decidability before a verdict: how often an unchanged classifier would be held, claim by claim and jointly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics import Sample, Terms, measure
from mammo_fixtures.verdicts.curve import Curve, point_of
from mammo_fixtures.verdicts.decidability import needed_to_hold
from mammo_fixtures.verdicts.judge import judge_severity
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.tolerance import MAY_LOSE, Tolerance

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPLICATES = 200
"""Cohorts drawn; a chance of 0.8 is then known to ±0.06."""
ENOUGH = 0.8
_MOST_NEGATIVES = 1500
"""More breasts that are not malignant change a bound by less than the chance is known."""
_MOST_POSITIVES = 20_000
_FEW_REPLICATES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A claim at one severity, and what is expected of an unchanged classifier there."""

    tolerance: Tolerance
    severity: float
    kind: str
    """Malignant breasts that share scores: claims on one kind are judged on the same draws."""
    positives: int
    clean: float
    """True clean AUC of the kind."""
    fall: float = 0.0
    """True drop: none where the claim is to hold, what was seen where it is to respond."""
    jitter: float = 0.05
    """Share of a score's variance that the perturbation draws anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Chances that claims are held, from simulated cohorts."""

    chances: tuple[float, ...]
    """One for each claim, in order."""
    joint: float
    """That all are held at once."""


def power(claims: Sequence[Expected], *, negatives: int, replicates: int = REPLICATES, seed: int = 0) -> Power:
    """Draw cohorts with these counts and judge every claim on each by the judge's own rules.

    Scores are binormal with the expected AUC, breasts independent, one reader. Claims on the same kind of breasts share
    their clean scores, and claims on the same condition what it draws anew, as in one gate.
    """
    rng = np.random.default_rng(seed)
    held = np.zeros((replicates, len(claims)), dtype=np.bool_)
    for replicate in range(replicates):
        held[replicate] = _judged_once(claims, min(negatives, _MOST_NEGATIVES), rng)
    return Power(
        chances=tuple(float(share) for share in held.mean(axis=0)),
        joint=float(held.all(axis=1).mean()) if claims else 1.0,
    )


def _judged_once(claims: Sequence[Expected], negatives: int, rng: np.random.Generator) -> list[bool]:
    noise = rng.standard_normal(negatives)
    again: dict[tuple[str, float], NDArray[np.float64]] = {}
    kinds: dict[str, NDArray[np.float64]] = {}
    outcomes = []
    for claim in claims:
        tolerance = claim.tolerance
        own = kinds.setdefault(claim.kind, rng.standard_normal(claim.positives))
        condition = (tolerance.perturbation, claim.severity)
        anew = again.setdefault(condition, rng.standard_normal(negatives))
        jitter = 0.0 if claim.severity == 0.0 else claim.jitter
        positives = _mixed(own, rng.standard_normal(claim.positives), jitter) + _separation(claim.clean - claim.fall)
        clean = np.concatenate([own + _separation(claim.clean), noise])
        perturbed = np.concatenate([positives, _mixed(noise, anew, jitter)])
        sample = Sample(
            scores=np.stack([clean, perturbed])[:, :, None],
            malignant=np.arange(len(clean)) < claim.positives,
            clusters=np.arange(len(clean)),
        )
        estimates = measure(metric_named("auc"), sample, Terms(confidence=tolerance.confidence))
        drawn = Curve(
            perturbation=tolerance.perturbation,
            metric="auc",
            subgroup=tolerance.subgroup,
            points=(point_of(estimates, 0, 0.0), point_of(estimates, 1, claim.severity)),
            confidence=tolerance.confidence,
        )
        outcomes.append(judge_severity(drawn, tolerance, claim.severity).held)
    return outcomes


def needed(claim: Expected, *, negatives: int, seed: int = 0) -> int | None:
    """Malignant breasts at which the claim is held with a chance of 0.8; None where no cohort would do.

    The number of other breasts grows alongside. Found by halving between the fewest that can be judged and 20,000.
    """
    ratio = negatives / max(claim.positives, 1)

    def enough(positives: int) -> bool:
        grown = max(negatives, int(ratio * positives))
        chance = power([replace(claim, positives=positives)], negatives=grown, replicates=_FEW_REPLICATES, seed=seed)
        return chance.chances[0] >= ENOUGH

    low = 10
    if claim.tolerance.claim in MAY_LOSE:
        low = needed_to_hold(claim.clean, metric_named("auc").chance, claim.tolerance.margin)
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


def _mixed(own: NDArray[np.float64], anew: NDArray[np.float64], jitter: float) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(1.0 - jitter) * own + np.sqrt(jitter) * anew)


def _separation(auc: float) -> float:
    """Distance of two normal distributions of unit variance with this AUC."""
    from scipy.special import ndtri

    return float(np.sqrt(2.0) * ndtri(min(max(auc, 1e-6), 1.0 - 1e-6)))
