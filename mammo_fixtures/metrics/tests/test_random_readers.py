"""Random readers: the variance of their mean against simulation, and its bound where readers scatter too little."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from mammo_fixtures.metrics import METRICS, Sample, Terms, measure
from mammo_fixtures.metrics.contrast import drop_contrast
from mammo_fixtures.metrics.tests.simulated_contrasts import Kinds
from mammo_fixtures.metrics.tests.simulated_contrasts import coverage as contrast_coverage
from mammo_fixtures.metrics.tests.simulated_metrics import Setting, coverage
from mammo_fixtures.metrics.tests.simulated_scores import Population

AUC = METRICS[0]
SETTING = Setting(population=Population(auc=0.87, positives=61, negatives=200, readers=5), reader_spread=0.4)


def test_intervals_cover_the_mean_of_other_readers_and_those_of_fixed_ones_do_not():
    random = coverage(SETTING, 80, (AUC,), readers="random")["auc"]
    fixed = coverage(SETTING, 80, (AUC,), readers="fixed")["auc"]
    assert all(0.87 <= covered <= 1.0 for covered in random)
    assert fixed[1] < random[1] - 0.03


def test_the_component_between_readers_is_unbiased():
    """Of readers alike it is nothing on average, hence often negative; of readers who differ it is not."""
    rng = np.random.default_rng(80)
    same = Setting(population=SETTING.population)
    none = [measure(AUC, same.draw(rng), Terms(readers="random")).reader_variance[1] for _ in range(150)]
    assert abs(np.mean(none)) < 4 * np.std(none) / np.sqrt(150)
    assert np.mean(np.array(none) < 0) > 0.3
    some = [measure(AUC, SETTING.draw(rng), Terms(readers="random")).reader_variance[1] for _ in range(150)]
    assert np.mean(some) > 10 * abs(np.mean(none))


def test_a_negative_component_leaves_the_fixed_readers_variance():
    rng = np.random.default_rng(81)
    sample = Setting(population=SETTING.population).draw(rng)
    alike = Sample(
        scores=np.repeat(sample.scores[:, :, :1], 4, axis=2), malignant=sample.malignant, clusters=sample.clusters
    )
    fixed, random = measure(AUC, alike), measure(AUC, alike, Terms(readers="random"))
    assert random.reader_variance[1] == pytest.approx(0.0, abs=1e-12)
    assert random.drop_low[1] == pytest.approx(fixed.drop_low[1], abs=1e-9)
    assert random.high == pytest.approx(fixed.high, abs=1e-9)


def test_one_reader_by_hand():
    """Two readers: MS / 2 + Cov2, with Cov2 from what each reader and their mean scatter."""
    rng = np.random.default_rng(82)
    sample = Setting(population=Population(auc=0.87, positives=61, negatives=200, readers=2), reader_spread=0.4).draw(
        rng
    )
    each = [
        measure(AUC, Sample(scores=sample.scores[:, :, [r]], malignant=sample.malignant, clusters=sample.clusters))
        for r in range(2)
    ]
    both = measure(AUC, sample, Terms(readers="random"))
    own = [one.drop_standard_error[1] ** 2 for one in each]
    shared = (4 * measure(AUC, sample).drop_standard_error[1] ** 2 - sum(own)) / 2
    scatter = np.var([one.drop[1] for one in each], ddof=1)
    assert both.reader_variance[1] == pytest.approx(scatter - (np.mean(own) - shared), rel=1e-9)
    assert both.drop[1] == pytest.approx(np.mean([one.drop[1] for one in each]), abs=1e-12)


@pytest.mark.parametrize("readers", [2, 5])
def test_bounds_by_hand(readers):
    """Those of fixed readers, wider by the ratio of the errors and by that of the quantiles."""
    rng = np.random.default_rng(85)
    population = Population(auc=0.87, positives=61, negatives=200, readers=readers)
    sample = Setting(population=population, reader_spread=1.5).draw(rng)
    each = [measure(AUC, replace(sample, scores=sample.scores[:, :, [reader]])) for reader in range(readers)]
    fixed, random = measure(AUC, sample), measure(AUC, sample, Terms(readers="random"))
    error, patients = fixed.drop_standard_error[1], len(np.unique(sample.clusters[sample.malignant]))
    own = sum(one.drop_standard_error[1] ** 2 for one in each)
    by_readers = np.var([one.drop[1] for one in each], ddof=1) / readers
    by_cases = max((readers**2 * error**2 - own) / (readers * (readers - 1)), 0.0)
    total = by_readers + by_cases
    degrees = total**2 / (by_readers**2 / (readers - 1) + by_cases**2 / (patients - 1))
    assert total > error**2
    assert 1.0 < degrees < patients - 1
    wider = np.sqrt(total) / error * t.ppf(0.975, degrees) / t.ppf(0.975, patients - 1)
    assert random.drop_low[1] == pytest.approx(fixed.drop[1] - wider * (fixed.drop[1] - fixed.drop_low[1]), abs=1e-9)
    assert random.drop_high[1] == pytest.approx(fixed.drop[1] + wider * (fixed.drop_high[1] - fixed.drop[1]), abs=1e-9)


def test_a_difference_of_drops_covers_that_of_other_readers_and_fixed_ones_do_not():
    kinds = Kinds(negatives=150)
    random, fixed = (contrast_coverage(kinds, 80, readers=readers) for readers in ("random", "fixed"))
    assert random >= 0.87
    assert fixed < random - 0.03


def test_the_readers_component_of_a_difference_by_hand():
    """Variance over readers of their own differences, less what their cases alone would make it."""
    rng, again = np.random.default_rng(83), np.random.default_rng(83)
    kinds = Kinds(readers=2, spread=1.0)
    random, fixed = kinds.contrast(rng, "random"), kinds.contrast(again, "fixed")
    assert random.value[1] == fixed.value[1]
    assert random.reader_variance[1] > 0
    assert np.isnan(fixed.reader_variance[1])
    assert random.high[1] - random.low[1] > fixed.high[1] - fixed.low[1]


def test_readers_alike_leave_the_difference_of_fixed_ones():
    rng = np.random.default_rng(84)
    own = rng.standard_normal((2, 300, 1))
    samples = [
        Sample(scores=np.repeat(own[:, used], 3, axis=2), malignant=used < 100, clusters=used)
        for used in (np.r_[0:50, 100:300], np.r_[50:300])
    ]
    random, fixed = (drop_contrast(AUC, *samples, Terms(readers=readers))[0] for readers in ("random", "fixed"))
    assert random.low[1] == pytest.approx(fixed.low[1], abs=1e-9)
    assert random.reader_variance[1] == pytest.approx(0.0, abs=1e-12)
