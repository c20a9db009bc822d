"""The judge's error rates over simulated releases: `python docs/simulated_releases.py [releases] [kind]`.

A cohort of 80 malignant breasts with masses, 80 with grains and 640 others; scores are binormal with a clean AUC of
.90. A release is a training run: a tenth of its scores' variance differs from the baseline's. `unchanged` keeps its AUC
under every condition and loses the grains at 2 mm, as readers do. `slightly worse` loses .02 everywhere, less than any
margin. `broken in one subgroup` truly loses .12 of the grains' AUC at 0.22 mm, more than twice the margin: a part of
them is lost entirely and the rest scores as before. `blind to pixels` keeps the grains at 2 mm.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
from scipy.special import ndtri

from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts import Tolerance, curve, judge_severity
from mammo_fixtures.verdicts.baseline import comparison, paired

EACH, OTHERS, AUC = 80, 640, 0.90
ANEW_BY_TRAINING, ANEW_BY_PERTURBATION = 0.1, 0.05
KINDS = ("unchanged", "slightly worse", "broken in one subgroup", "blind to pixels")
MILD, USUAL, STRONG = (Condition("lowpass", severity) for severity in (0.22, 0.5, 2.0))

CLAIMS = tuple(
    Tolerance(claim=claim, perturbation="lowpass", severities=(at.severity,), subgroup=group, margin=margin, reason="-")
    for claim, group, at, margin in (
        ("holds", "masses", USUAL, 0.05),
        ("holds", "grains", MILD, 0.05),
        ("responds", "grains", STRONG, 0.15),
        ("not_worse", "masses", MILD, 0.05),
        ("not_worse", "grains", MILD, 0.05),
        ("not_worse", "all", MILD, 0.05),
    )
)


def separation(auc: float) -> float:
    """Distance of two normal distributions of unit variance."""
    return float(np.sqrt(2.0) * ndtri(auc))


def mixed(own: np.ndarray, rng: np.random.Generator, anew: float) -> np.ndarray:
    """Scores of which a share of the variance is drawn anew."""
    return np.sqrt(1.0 - anew) * own + np.sqrt(anew) * rng.standard_normal(len(own))


def table(noise: np.ndarray, kind: str, rng: np.random.Generator) -> ScoreTable:
    """A release's scores, from its clean noise."""
    masses, grains = np.arange(len(noise)) < EACH, (np.arange(len(noise)) >= EACH) & (np.arange(len(noise)) < 2 * EACH)
    worse = 0.02 if kind == "slightly worse" else 0.0
    level = separation(AUC - worse) * (masses | grains)
    levels = {CLEAN: noise + level}
    for condition in (MILD, USUAL, STRONG):
        scores = mixed(noise, rng, ANEW_BY_PERTURBATION)
        found = level.copy()
        if condition == STRONG and kind != "blind to pixels":
            found[grains] = separation(0.55)
        scores = scores + found
        if condition == MILD and kind == "broken in one subgroup":
            lost = grains & (rng.random(len(noise)) < 0.12 / (AUC - 0.5))
            scores[lost] = rng.standard_normal(int(lost.sum()))
        levels[condition] = scores
    breasts = len(noise)
    return ScoreTable(
        conditions=tuple(levels),
        readers=("release",),
        scores=np.stack(list(levels.values()))[:, :, None],
        exam_id=np.arange(breasts).astype(str),
        side=np.full(breasts, "L"),
        malignant=(masses | grains).astype(np.int8),
        subgroup=np.where(masses, "masses", np.where(grains, "grains", "normal")),
        patient_id=np.full(breasts, ""),
    )


def main(releases: int, kinds: tuple[str, ...]) -> None:
    """Print a table of outcomes in per cent: held / inconclusive / broken."""
    names = [f"{c.claim} {c.subgroup} {c.severities[0]:g} mm" for c in CLAIMS]
    print("| release | " + " | ".join(names) + " | all held |\n|---|" + "---|" * (len(names) + 1), flush=True)
    for kind in kinds:
        rng = np.random.default_rng(KINDS.index(kind))
        counts: list[Counter[str]] = [Counter() for _ in CLAIMS]
        passed = 0
        for _ in range(releases):
            noise = rng.standard_normal(2 * EACH + OTHERS)
            baseline = table(noise, "unchanged", rng)
            candidate = table(mixed(noise, rng, ANEW_BY_TRAINING), kind, rng)
            both, outcomes = paired(candidate, baseline), []
            for claim in CLAIMS:
                severity = claim.severities[0]
                drawn = (
                    comparison(both, claim, severity)
                    if claim.claim == "not_worse"
                    else curve(candidate, "lowpass", subgroup=claim.subgroup)
                )
                outcomes.append(judge_severity(drawn, claim, severity).outcome)
            for counter, outcome in zip(counts, outcomes, strict=True):
                counter[outcome] += 1
            passed += set(outcomes) == {"held"}
        cells = [
            " / ".join(f"{100 * counter[name] / releases:.1f}" for name in ("held", "inconclusive", "broken"))
            for counter in counts
        ]
        print(f"| {kind} | " + " | ".join(cells) + f" | {100 * passed / releases:.1f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, (sys.argv[2],) if len(sys.argv) > 2 else KINDS)
