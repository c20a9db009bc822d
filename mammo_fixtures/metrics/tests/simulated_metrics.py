"""How often each metric's intervals cover the truth, for the metric under a perturbation and for its drop.

`python -m mammo_fixtures.metrics.tests.simulated_metrics [replicates] [metric …]` prints the full table, in minutes,
or some metrics of it. The truth is the metric of a sample of some hundred thousand breasts.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mammo_fixtures.metrics import METRICS, Metric, Sample, Terms, measure
from mammo_fixtures.metrics.tests.simulated_scores import Population

_PREVALENCE = 0.05
_LARGE = 250_000


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Clean scores, and scores perturbed: each shrunk, with noise of its own, and a tenth of the cancers lost."""

    population: Population
    reader_spread: float = 0.0
    """Standard deviation, between random readers, of what the perturbation takes from the cancers."""

    def draw(self, rng: np.random.Generator, taken: NDArray[np.float64] | None = None) -> Sample:
        """One cohort, and new readers where nobody says what each takes from the cancers."""
        population = self.population
        clean, others = (scores[0] for scores in population.draw(rng, 1))
        noise, other_noise = (scores[0] for scores in population.noise(rng, 1))
        if taken is None:
            taken = _TAKEN + self.reader_spread * rng.standard_normal(population.readers)
        lost = rng.random((population.positives, 1)) < 0.1
        unit = population.step or 1.0
        perturbed = 0.8 * clean + (0.4 * noise - taken) / unit
        perturbed = np.where(lost, 0.8 * noise / unit, perturbed)
        other_perturbed = 0.8 * others + 0.4 * other_noise / unit
        if population.step:
            perturbed, other_perturbed = np.round(perturbed), np.round(other_perturbed)
        scores = np.stack([np.concatenate([clean, others]), np.concatenate([perturbed, other_perturbed])]) * unit
        return Sample(
            scores=1.0 / (1.0 + np.exp(3.0 - 1.5 * scores)),
            malignant=np.arange(scores.shape[1]) < population.positives,
            clusters=np.concatenate(population.patients),
        )

    def truth(self, metrics: tuple[Metric, ...]) -> dict[str, tuple[float, float]]:
        """Value under the perturbation and drop, of each metric."""
        population = self.population
        times = _LARGE // (population.positives + population.negatives)
        large = Population(
            auc=population.auc,
            positives=population.positives * times,
            negatives=population.negatives * times,
            inconspicuous=population.inconspicuous,
            step=population.step,
        )
        readers = len(_NORMAL) if self.reader_spread else 1
        totals = {metric.name: np.zeros(2) for metric in metrics}
        for reader in range(readers):
            taken = np.array([_TAKEN + self.reader_spread * _NORMAL[reader]])
            sample = Setting(population=large).draw(np.random.default_rng([1, reader]), taken)
            for metric in metrics:
                read = metric.read(sample.scores[:, sample.malignant], sample.scores[:, ~sample.malignant], _TERMS)
                mean = read.placements.mean
                totals[metric.name] += (mean[1] / readers, (mean[0] - mean[1]) / readers)
        return {name: (float(total[0]), float(total[1])) for name, total in totals.items()}


_TERMS = Terms(prevalence=_PREVALENCE)
_TAKEN = 0.3
_NORMAL = ndtri((np.arange(15) + 0.5) / 15)
"""Fifteen equally likely values of a standard normal variable."""


def coverage(
    setting: Setting, replicates: int, metrics: tuple[Metric, ...] = METRICS, *, readers: str = "fixed", seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Share of 95 % intervals of each metric, and of its drop, that cover the truth."""
    rng = np.random.default_rng(seed)
    truth = setting.truth(metrics)
    terms = Terms(prevalence=_PREVALENCE, readers=readers)
    covered = {metric.name: np.zeros(2) for metric in metrics}
    for _ in range(replicates):
        sample = setting.draw(rng)
        for metric in metrics:
            got, (value, drop) = measure(metric, sample, terms), truth[metric.name]
            covered[metric.name] += (
                got.low[1] - 1e-9 <= value <= got.high[1] + 1e-9,
                got.drop_low[1] - 1e-9 <= drop <= got.drop_high[1] + 1e-9,
            )
    return {name: (float(c[0] / replicates), float(c[1] / replicates)) for name, c in covered.items()}


def main(replicates: int, names: tuple[str, ...] = ()) -> None:
    metrics = tuple(metric for metric in METRICS if not names or metric.name in names)
    kinds: dict[str, tuple[dict[str, object], float]] = {
        "smooth": ({}, 0.0),
        "ties": ({"step": 0.5}, 0.0),
        "bilateral": ({"bilateral": True}, 0.0),
        "five fixed readers": ({"readers": 5}, 0.0),
        "five random readers": ({"readers": 5}, 0.3),
    }
    print(f"coverage of 95 % intervals: metric / drop, {replicates} replicates, 600 not malignant")
    for (kind, (declared, spread)), positives in itertools.product(kinds.items(), (22, 61, 500)):
        population = Population(auc=0.87, positives=positives, negatives=600, **declared)  # type: ignore[arg-type]
        setting = Setting(population=population, reader_spread=spread)
        got = coverage(setting, replicates, metrics, readers="random" if spread else "fixed")
        print(f"{kind}, {positives} cancers", flush=True)
        print("  " + ", ".join(f"{name} {c:.3f} / {d:.3f}" for name, (c, d) in got.items()), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, tuple(sys.argv[2:]))
