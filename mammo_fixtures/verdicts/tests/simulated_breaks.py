"""How often a truly broken classifier passes `holds` of other metrics than the AUC, by either way of breaking.

`python -m mammo_fixtures.verdicts.tests.simulated_breaks [replicates]` prints the full table, in minutes. Every metric
is broken twice: all the breasts that it is about shift a little, or a few of them are lost entirely. How much it takes
is found on a cohort of a hundred thousand breasts.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mammo_fixtures.metrics import METRICS, Metric, Sample, Terms, measure
from mammo_fixtures.verdicts import Curve, Tolerance, judge_severity
from mammo_fixtures.verdicts.curve import point_of

TRULY_BROKEN = 1.02
"""True loss, in margins: just broken is hardest to see."""
AUC, OTHERS = 0.85, 400
_DISTANCE = float(np.sqrt(2.0) * ndtri(AUC))
_JITTER = 0.02
"""Share of every score's variance that the perturbation draws anew."""
_LARGE = 50_000
ABOUT_OTHERS = ("specificity", "recall_rate", "flip_rate", "logit_shift", "calibration_intercept")
"""Metrics that mostly follow the breasts that are not malignant."""
ABOUT_ALL = ("rank_correlation",)
MARGINS = {
    "flip_rate": (0.1, 0.15),
    "rank_correlation": (0.05, 0.1),
    "logit_shift": (0.1, 0.3),
    "brier": (0.02, 0.05),
    "ece": (0.04, 0.08),
    "calibration_slope": (0.15, 0.3),
    "calibration_intercept": (0.2, 0.4),
}
_USUAL = (0.05, 0.1, 0.2)


@dataclass(frozen=True, kw_only=True)
class Break:
    """A classifier under a perturbation, broken by some amount."""

    metric: Metric
    few: bool
    """A share of the breasts is lost entirely: cancers score like others, others like cancers, or all anew."""
    amount: float
    """That share, or by how many standard deviations all shift; of ranks, the further share drawn anew."""

    def draw(self, rng: np.random.Generator, positives: int, negatives: int) -> Sample:
        """One cohort, clean and perturbed, as calibrated probabilities of an enriched sample."""
        breasts = positives + negatives
        malignant = np.arange(breasts) < positives
        own, anew, other = rng.standard_normal((3, breasts))
        perturbed = _mixed(own, anew, _JITTER) + _DISTANCE * malignant
        struck = np.ones(breasts, dtype=np.bool_)
        if self.metric.name not in ABOUT_ALL:
            struck = ~malignant if self.metric.name in ABOUT_OTHERS else malignant
        if self.few:
            lost = struck & (rng.random(breasts) < self.amount)
            # A lost breast scores like one of the other class; where ranks are judged, like any.
            like = ~malignant if self.metric.name not in ABOUT_ALL else rng.random(breasts) < 0.5
            perturbed = np.where(lost, other + _DISTANCE * like, perturbed)
        elif self.metric.name in ABOUT_ALL:
            perturbed = _mixed(own, anew, min(_JITTER + self.amount, 1.0)) + _DISTANCE * malignant
        else:
            perturbed = perturbed + self.amount * struck * np.where(malignant, -1.0, 1.0)
        scores = np.stack([own + _DISTANCE * malignant, perturbed])
        logit = _DISTANCE * scores - 0.5 * _DISTANCE**2 + np.log(positives / negatives)
        return Sample(
            scores=(0.5 * (1.0 + np.tanh(0.5 * logit)))[:, :, None], malignant=malignant, clusters=np.arange(breasts)
        )

    def loss(self, positives: int) -> float:
        """What is truly lost, on a large cohort of the same mix."""
        share = positives / (positives + OTHERS)
        sample = self.draw(np.random.default_rng(1), int(2 * _LARGE * share), int(2 * _LARGE * (1.0 - share)))
        read = self.metric.read(sample.scores[:, sample.malignant], sample.scores[:, ~sample.malignant], Terms())
        fall = float(read.placements.mean[0] - read.placements.mean[1])
        return {"larger": fall, "smaller": -fall, "steady": abs(fall)}[self.metric.better]


def broken(metric: Metric, margin: float, positives: int, *, few: bool) -> Break | None:
    """Just broken; None where even the most does not take so much."""
    # Cancers that shift below the others are set apart from them again.
    furthest = _DISTANCE if metric.name == "ks" else 3.0
    low, high = 0.0, 1.0 if few or metric.name in ABOUT_ALL else furthest
    wanted = TRULY_BROKEN * margin
    if Break(metric=metric, few=few, amount=high).loss(positives) < wanted:
        return None
    for _ in range(12):
        middle = (low + high) / 2.0
        enough = Break(metric=metric, few=few, amount=middle).loss(positives) >= wanted
        low, high = (low, middle) if enough else (middle, high)
    return Break(metric=metric, few=few, amount=high)


def passes(found: Break, margin: float, positives: int, replicates: int, seed: int = 0) -> float:
    """Share of cohorts on which the claim is held."""
    rng = np.random.default_rng(seed)
    name = found.metric.name
    tolerance = Tolerance(
        claim="holds", perturbation="lowpass", severities=(1.0,), metric=name, margin=margin, reason="-"
    )
    held = 0
    for _ in range(replicates):
        estimates = measure(found.metric, found.draw(rng, positives, OTHERS))
        drawn = Curve(
            perturbation="lowpass",
            metric=name,
            subgroup="all",
            points=(point_of(estimates, 0, 0.0), point_of(estimates, 1, 1.0)),
        )
        held += judge_severity(drawn, tolerance, 1.0).held
    return held / replicates


def _mixed(before: NDArray[np.float64], anew: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(1.0 - share) * before + np.sqrt(share) * anew)


def main(replicates: int, names: tuple[str, ...] = ()) -> None:
    print(f"share of truly broken `holds` that is held: all shift, few lost; {replicates} replicates")
    for metric, positives in itertools.product(METRICS[1:], (22, 61, 500)):
        if positives < metric.fewest or (names and metric.name not in names):
            continue
        for margin in MARGINS.get(metric.name, _USUAL):
            cells = []
            for few in (False, True):
                found = broken(metric, margin, positives, few=few)
                cells.append("–" if found is None else f"{passes(found, margin, positives, replicates):.3f}")
            print(f"| {metric.name} | {positives} | {margin:g} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, tuple(sys.argv[2:]))
