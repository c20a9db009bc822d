"""Every metric's intervals cover, in a short run of `simulated_metrics`."""

import numpy as np

from mammo_fixtures.metrics import METRICS
from mammo_fixtures.metrics.tests import simulated_jumps
from mammo_fixtures.metrics.tests.simulated_metrics import Setting, coverage
from mammo_fixtures.metrics.tests.simulated_scores import Population

REPLICATES = 60


def test_intervals_of_every_metric_and_its_drop_cover():
    population = Population(auc=0.87, positives=61, negatives=300, bilateral=True)
    got = coverage(Setting(population=population), REPLICATES)
    # 93 to 99 % in the long run, give or take three standard errors of so short a one.
    least = 0.93 - 3 * np.sqrt(0.93 * 0.07 / REPLICATES)
    assert set(got) == {metric.name for metric in METRICS}
    assert {name: covered for name, covered in got.items() if min(covered) < least} == {}


def test_bounds_cover_where_the_operating_point_of_every_other_sample_is_another():
    _, covered = simulated_jumps.coverage(61, 400, level="specificity>=0.894", taken=6.0)
    # .951 as calculated in docs/method.md, give or take three standard errors of so short a run.
    assert abs(covered - 0.951) < 3 * np.sqrt(0.951 * 0.049 / 400)
