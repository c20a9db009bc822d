"""Clustered standard errors of every metric, and of its drop, against how it scatters over fresh cohorts.

`python -m mammo_fixtures.metrics.tests.fresh_cohorts [replicates] [metric …]` prints, for every metric, the root mean
square of the clustered standard error over the standard deviation of the metric in 10,000 cohorts. Resamples of one
cohort (`cluster_bootstrap`) cannot tell where a metric takes a maximum or absolute values: their noise comes on top of
the cohort's own, and folds over once more. Fresh cohorts have noise once, as a cohort to come will.
"""

from __future__ import annotations

import sys

import numpy as np

from mammo_fixtures.metrics import METRICS, measure
from mammo_fixtures.metrics.tests.cluster_bootstrap import TERMS
from mammo_fixtures.metrics.tests.simulated_metrics import Setting
from mammo_fixtures.metrics.tests.simulated_scores import Population

NAMES = tuple(metric.name for metric in METRICS)


def ratios(
    positives: int, replicates: int, names: tuple[str, ...] = NAMES, seed: int = 5
) -> dict[str, tuple[float, float]]:
    """Clustered standard error over the scatter, of the perturbed value and of the drop."""
    setting = Setting(population=Population(auc=0.87, positives=positives, negatives=600, bilateral=True))
    rng = np.random.default_rng(seed)
    chosen = [metric for metric in METRICS if metric.name in names]
    found: dict[str, list[tuple[float, ...]]] = {metric.name: [] for metric in chosen}
    for _ in range(replicates):
        sample = setting.draw(rng)
        for metric in chosen:
            got = measure(metric, sample, TERMS)
            columns = (got.value, got.drop, got.standard_error, got.drop_standard_error)
            found[metric.name].append(tuple(float(column[1]) for column in columns))
    figures = {name: np.array(rows) for name, rows in found.items()}
    return {
        name: (
            float(np.sqrt(np.mean(rows[:, 2] ** 2)) / np.std(rows[:, 0], ddof=1)),
            float(np.sqrt(np.mean(rows[:, 3] ** 2)) / np.std(rows[:, 1], ddof=1)),
        )
        for name, rows in figures.items()
    }


def main(replicates: int, names: tuple[str, ...]) -> None:
    print(
        f"clustered standard error over the scatter in {replicates} fresh cohorts: metric under a perturbation / drop"
    )
    for name in names:
        cells = ["{:.3f} / {:.3f}".format(*ratios(positives, replicates, (name,))[name]) for positives in (61, 200)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, tuple(sys.argv[2:]) or NAMES)
