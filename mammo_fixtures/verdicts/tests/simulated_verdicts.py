"""How often a truly broken classifier passes `holds`, by either way of breaking.

`python -m mammo_fixtures.verdicts.tests.simulated_verdicts [replicates]` prints the full table, in minutes.
With 1,000 replicates, 22 to 500 cancers and AUC .75 to .93, at most .015 passed where all cancers shift and .058 where
a few are lost entirely, against .066 and .181 by a plain Wald bound.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mammo_fixtures.metrics.clusters import Clusters, clustered_variance
from mammo_fixtures.metrics.intervals import drop_interval
from mammo_fixtures.metrics.placements import Placements, placement_values
from mammo_fixtures.metrics.tests.simulated_scores import Population
from mammo_fixtures.verdicts.decidability import needed_to_hold

TRULY_BROKEN = 1.02
"""True drop, in margins: just broken is hardest to see."""
_BATCH = 100


def broken_pairs(
    population: Population, margin: float, rng: np.random.Generator, replicates: int, *, lost: bool, jitter: float = 0.0
) -> Placements:
    """Placements (replicates × 2, breasts), clean before perturbed, whose AUC truly falls by a little over the margin.

    `lost`: a few cancers score like any other breast and the rest as before. Else all cancers shift a little.
    `jitter` is the share of every score's variance that the perturbation draws anew.
    """
    noise, other = population.noise(rng, replicates)
    again, again_other = population.noise(rng, replicates)
    fall = TRULY_BROKEN * margin
    if lost:
        share = fall / (population.auc - 0.5)
        is_lost = rng.random((replicates, population.positives, 1)) < share
        anew, _ = population.noise(rng, replicates)
        perturbed = np.where(is_lost, anew, _mixed(noise, again, jitter) + population.separation)
    else:
        perturbed = _mixed(noise, again, jitter) + np.sqrt(2.0) * ndtri(population.auc - fall)
    clean = noise + population.separation
    return placement_values(_paired(clean, perturbed), _paired(other, _mixed(other, again_other, jitter)))


def passes(
    population: Population, margin: float, replicates: int, *, lost: bool, jitter: float = 0.0, seed: int = 0
) -> tuple[float, float]:
    """Share of truly broken classifiers whose `holds` is held, and that a plain Wald bound would let pass."""
    rng = np.random.default_rng(seed)
    clusters = Clusters.of(*population.patients)
    held = wald = 0
    for start in range(0, replicates, _BATCH):
        batch = min(_BATCH, replicates - start)
        all_pairs = broken_pairs(population, margin, rng, batch, lost=lost, jitter=jitter)
        for one in range(batch):
            rows = slice(2 * one, 2 * one + 2)
            pair = Placements(
                positives=all_pairs.positives[rows], negatives=all_pairs.negatives[rows], kept=all_pairs.kept
            )
            needed = needed_to_hold(float(pair.mean[0]), 0.5, margin)
            upper = drop_interval(pair, clusters, 0.95).high[1]
            held += bool(population.positives >= needed and upper <= margin)
            drops = pair.drops
            wald += bool(drops.mean[1] + 1.96 * np.sqrt(clustered_variance(drops, clusters)[1]) <= margin)
    return held / replicates, wald / replicates


def _mixed(before: NDArray[np.float64], anew: NDArray[np.float64], jitter: float) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(1.0 - jitter) * before + np.sqrt(jitter) * anew)


def _paired(clean: NDArray[np.float64], perturbed: NDArray[np.float64]) -> NDArray[np.float64]:
    """(replicates × 2, breasts, readers), clean and perturbed in turn."""
    return np.stack([clean, perturbed], axis=1).reshape(-1, *clean.shape[1:])


def main(replicates: int) -> None:
    print(f"share of truly broken `holds` that is held (by a plain Wald bound), {replicates} replicates")
    print(
        "malignant  AUC  margin   all shift      …, jittered    few lost       …, jittered    five readers   bilateral"
    )
    for positives in (22, 30, 61, 150, 500):
        for auc in (0.65, 0.75, 0.85, 0.93, 0.97):
            decidable = 3.0 * (auc - 0.5) / positives
            for margin in sorted({max(round(decidable * 1.1, 3), 0.01), 0.05, 0.10}):
                if margin < decidable or TRULY_BROKEN * margin > auc - 0.5:
                    continue
                cells = []
                for readers, bilateral, lost, jitter in (
                    (1, False, False, 0.0),
                    (1, False, False, 0.05),
                    (1, False, True, 0.0),
                    (1, False, True, 0.05),
                    (5, False, True, 0.0),
                    (1, True, True, 0.0),
                ):
                    population = Population(
                        auc=auc, positives=positives, negatives=400, readers=readers, bilateral=bilateral
                    )
                    cells.append(
                        "{:.3f} ({:.3f})".format(*passes(population, margin, replicates, lost=lost, jitter=jitter))
                    )
                print(f"{positives:>9} {auc:.2f} {margin:>7.3f}   " + "  ".join(cells), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
