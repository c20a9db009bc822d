"""Clustered variance against DeLong's formula written out, and against the bootstrap."""

import numpy as np
import pytest

from mammo_fixtures.metrics import Sample, measure_auc
from mammo_fixtures.metrics.clusters import Clusters, clustered_variance
from mammo_fixtures.metrics.placements import placement_values
from mammo_fixtures.metrics.tests.simulated_scores import Population


def comparisons(positives, negatives):
    """Every malignant breast against every other, mean over readers: (conditions, malignant, other)."""
    difference = positives[:, :, None, :] - negatives[:, None, :, :]
    return ((difference > 0) + 0.5 * (difference == 0)).mean(axis=3)


def delong(kernel):
    """DeLong et al. 1988, equations 4 to 7, for one kernel (malignant, other)."""
    m, n = kernel.shape
    return np.var(kernel.mean(axis=1), ddof=1) / m + np.var(kernel.mean(axis=0), ddof=1) / n


@pytest.mark.parametrize("step", [0.0, 0.5], ids=["continuous", "tied"])
def test_one_breast_a_cluster_is_delong(step):
    rng = np.random.default_rng(8)
    positives, negatives = Population(auc=0.8, positives=40, negatives=170, readers=3, step=step).draw(rng, 3)
    kernels = comparisons(positives, negatives)
    scores = np.concatenate([positives, negatives], axis=1)
    got = measure_auc(Sample(scores=scores, malignant=np.arange(210) < 40, clusters=rng.permutation(210)))
    for condition, kernel in enumerate(kernels):
        assert got.standard_error[condition] ** 2 == pytest.approx(delong(kernel), abs=1e-12)
        assert got.drop_standard_error[condition] ** 2 == pytest.approx(delong(kernels[0] - kernel), abs=1e-12)
        assert got.drop[condition] == pytest.approx(np.mean(kernels[0] - kernel), abs=1e-12)


def bootstrap_errors(positives, negatives, clusters, rng, replicates=10_000):
    """Standard deviations over resampled patients of the clean AUC, the perturbed one and their difference."""
    kernels = comparisons(positives, negatives)
    aucs = []
    for start in range(0, replicates, 500):
        size = min(500, replicates - start)
        drawn = rng.multinomial(clusters.number, np.full(clusters.number, 1 / clusters.number), size=size)
        m, n = drawn[:, clusters.positives].astype(float), drawn[:, clusters.negatives].astype(float)
        pairs = m.sum(axis=1) * n.sum(axis=1)
        aucs.append([np.einsum("bm,bm->b", m, n @ kernel.T) / pairs for kernel in kernels])
    clean, perturbed = np.concatenate(aucs, axis=1)
    return np.std(clean, ddof=1), np.std(perturbed, ddof=1), np.std(clean - perturbed, ddof=1)


@pytest.mark.parametrize(
    ("count", "readers", "agreement"), [(22, 1, 0.10), (61, 1, 0.05), (61, 5, 0.05), (200, 1, 0.05)]
)
def test_agrees_with_a_cluster_bootstrap(count, readers, agreement):
    rng = np.random.default_rng(9)
    population = Population(auc=0.85, positives=count, negatives=500, readers=readers, bilateral=True)
    positives, negatives = population.draw(rng, 1)
    # A perturbation that adds its own noise to all and takes a third from the cancers.
    again = population.noise(rng, 1)
    positives = np.concatenate([positives, 0.66 * positives + 0.5 * again[0]])
    negatives = np.concatenate([negatives, negatives + 0.5 * again[1]])
    clusters = Clusters.of(*population.patients)
    placements = placement_values(positives, negatives)
    clean, perturbed, drop = bootstrap_errors(positives, negatives, clusters, rng)
    errors = np.sqrt(clustered_variance(placements, clusters))
    assert errors[0] == pytest.approx(clean, rel=agreement)
    assert errors[1] == pytest.approx(perturbed, rel=agreement)
    assert np.sqrt(clustered_variance(placements.drops, clusters))[1] == pytest.approx(drop, rel=agreement)


def test_twins_count_once():
    """Each patient's second breast repeats the first: twice the breasts, no more information."""
    rng = np.random.default_rng(10)
    positives, negatives = Population(auc=0.8, positives=60, negatives=300).draw(rng, 1)
    alone = clustered_variance(placement_values(positives, negatives), Clusters.of(np.arange(60), np.arange(60, 360)))
    twice = placement_values(np.repeat(positives, 2, axis=1), np.repeat(negatives, 2, axis=1))
    paired = Clusters.of(np.repeat(np.arange(60), 2), np.repeat(np.arange(60, 360), 2))
    assert clustered_variance(twice, paired)[0] == pytest.approx(alone[0], rel=1e-12)
    apart = clustered_variance(twice, Clusters.of(np.arange(120), np.arange(120, 720)))
    assert apart[0] < 0.55 * alone[0]


def test_cluster_names_do_not_matter():
    rng = np.random.default_rng(11)
    population = Population(auc=0.8, positives=30, negatives=100, bilateral=True)
    placements = placement_values(*population.draw(rng, 2))
    positives, negatives = population.patients
    renamed = rng.permutation(1000)
    variance = clustered_variance(placements, Clusters.of(positives, negatives))
    again = clustered_variance(placements, Clusters.of(renamed[positives], renamed[negatives]))
    np.testing.assert_allclose(again, variance, rtol=1e-12)


def test_one_cluster_of_cancers_has_no_variance_of_its_own():
    placements = placement_values(np.ones((1, 2, 1)), np.zeros((1, 5, 1)))
    assert np.isnan(clustered_variance(placements, Clusters.of(np.zeros(2, int), np.arange(1, 6)))[0])
