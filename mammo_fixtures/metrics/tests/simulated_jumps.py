"""How often the bounds of a drop of sensitivity cover where tied scores let the operating point jump.

`python -m mammo_fixtures.metrics.tests.simulated_jumps [replicates]` prints the table. Scores are rounded to half a
standard deviation, so that specificity is .894 at one threshold and .960 at the next. With a level of .894 the
population's operating point is the first and every other sample's the second: nothing is harder. What the perturbation
takes from the cancers decides whether the drops at the two differ.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from mammo_fixtures.metrics import METRICS, OperatingPoint, Terms, measure
from mammo_fixtures.metrics.tests.simulated_metrics import Setting
from mammo_fixtures.metrics.tests.simulated_scores import Population

STEP = 0.5
LEVELS = ("specificity>=0.90", "specificity>=0.894")
TAKEN = (0.3, 6.0)
"""Standard deviations: as in `simulated_metrics`, and nearly all that is above either threshold."""
_LARGE = 400
_SENSITIVITY = next(metric for metric in METRICS if metric.name == "sensitivity")


def coverage(positives: int, replicates: int, *, level: str, taken: float, seed: int = 0) -> tuple[float, float]:
    """True drop, and share of 95 % intervals that cover it."""
    population = Population(auc=0.87, positives=positives, negatives=600, step=STEP)
    terms = Terms(operating_point=OperatingPoint.parse(level))
    amount = np.array([taken])
    large = replace(population, positives=positives * _LARGE, negatives=600 * _LARGE)
    sample = Setting(population=large).draw(np.random.default_rng(1), amount)
    malignant, other = sample.scores[:, sample.malignant], sample.scores[:, ~sample.malignant]
    truth = float(_SENSITIVITY.read(malignant, other, terms).placements.drops.mean[1])
    rng, setting, covered = np.random.default_rng(seed), Setting(population=population), 0
    for _ in range(replicates):
        got = measure(_SENSITIVITY, setting.draw(rng, amount), terms)
        covered += bool(got.drop_low[1] <= truth <= got.drop_high[1])
    return truth, covered / replicates


def main(replicates: int) -> None:
    print(f"true drop of sensitivity, coverage of its 95 % interval, {replicates} replicates, 600 not malignant")
    for taken in TAKEN:
        for level in LEVELS:
            cells = [
                "{:.3f}, {:.3f}".format(*coverage(positives, replicates, level=level, taken=taken))
                for positives in (22, 61, 500)
            ]
            print(f"| {level} | {taken:g} taken | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
