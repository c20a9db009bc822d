"""Missing scores: cells that clean and a condition share, honest variances, and what is said where there are none."""

import numpy as np
import pytest

from mammo_fixtures.metrics import METRICS, Sample, Terms, auc, measure
from mammo_fixtures.metrics.tests.simulated_scores import Population

AUC = METRICS[0]
BY_NAME = {metric.name: metric for metric in METRICS}
M, N = 40, 160


def complete(readers=2, conditions=3, seed=40):
    rng = np.random.default_rng(seed)
    malignant = np.arange(M + N) < M
    base = rng.standard_normal((1, M + N, readers)) + 1.5 * malignant[:, None]
    scores = base + 0.4 * rng.standard_normal((conditions, M + N, readers)) * (np.arange(conditions) > 0)[:, None, None]
    return Sample(scores=1 / (1 + np.exp(-scores)), malignant=malignant, clusters=np.arange(M + N) // 2)


def without(sample, *cells):
    scores = sample.scores.copy()
    for cell in cells:
        scores[cell] = np.nan
    return Sample(scores=scores, malignant=sample.malignant, clusters=sample.clusters)


def some(sample, kept):
    return Sample(scores=sample.scores[:, kept], malignant=sample.malignant[kept], clusters=sample.clusters[kept])


@pytest.mark.parametrize("name", BY_NAME)
def test_breasts_without_any_score_at_a_severity_drop_out_of_it_alone(name):
    sample = complete()
    gone = np.zeros(M + N, dtype=bool)
    gone[5:15] = gone[100:130] = True
    got = measure(BY_NAME[name], without(sample, (1, gone)))
    whole, rest = measure(BY_NAME[name], sample), measure(BY_NAME[name], some(sample, ~gone))
    for figure in ("value", "low", "high", "drop", "drop_low", "drop_high", "standard_error", "drop_standard_error"):
        for condition, expected in ((0, whole), (1, rest), (2, whole)):
            ours, theirs = getattr(got, figure)[condition], getattr(expected, figure)[condition]
            assert ours == pytest.approx(theirs, abs=1e-12), figure
    assert got.positives.tolist() == [40, 30, 40]
    assert got.negatives.tolist() == [160, 130, 160]


def test_a_cell_counts_where_the_reader_scored_it_clean_too():
    sample = complete(readers=1)
    first, second = np.arange(M + N) < 10, np.arange(M + N) >= 190
    got = measure(AUC, without(sample, (0, first), (1, second)))
    rest = measure(AUC, some(sample, ~(first | second)))
    assert got.drop[1] == pytest.approx(rest.drop[1], abs=1e-12)
    assert got.value[1] == pytest.approx(rest.value[1], abs=1e-12)
    assert (got.positives[1], got.negatives[1]) == (30, 150)


def test_readers_with_different_breasts_are_averaged_reader_by_reader():
    sample = complete()
    missing = without(sample, (slice(None), slice(0, 10), 0), (slice(None), slice(30, 60), 1))
    each = []
    for reader in range(2):
        kept = ~np.isnan(missing.scores[0, :, reader])
        each.append([auc(row[kept], sample.malignant[kept]) for row in sample.scores[:, :, reader]])
    got = measure(AUC, missing)
    assert got.value == pytest.approx(np.mean(each, axis=0), abs=1e-12)
    assert got.positives.tolist() == [40, 40, 40]


def test_the_error_of_incomplete_readers_agrees_with_resamples():
    rng = np.random.default_rng(41)
    sample = complete(readers=3)
    scores = sample.scores.copy()
    scores[:, rng.random((M + N, 3)) < 0.4] = np.nan
    got = measure(AUC, Sample(scores=scores, malignant=sample.malignant, clusters=sample.clusters))
    drawn = []
    for _ in range(200):
        patients = np.concatenate([rng.integers(0, M // 2, M // 2), rng.integers(M // 2, (M + N) // 2, N // 2)])
        breasts = (2 * patients[:, None] + [0, 1]).ravel()
        again = Sample(scores=scores[:, breasts], malignant=sample.malignant[breasts], clusters=np.arange(M + N))
        drawn.append(measure(AUC, again).value)
    drawn = np.array(drawn)
    assert got.standard_error == pytest.approx(drawn.std(axis=0), rel=0.2)
    assert got.drop_standard_error[1:] == pytest.approx((drawn[:, :1] - drawn[:, 1:]).std(axis=0), rel=0.2)


def test_a_reader_of_one_kind_of_breast_is_left_out():
    sample = complete()
    got = measure(AUC, without(sample, (slice(None), slice(0, M), 1)))
    alone = measure(AUC, Sample(scores=sample.scores[:, :, :1], malignant=sample.malignant, clusters=sample.clusters))
    assert got.value == pytest.approx(alone.value, abs=1e-12)
    assert got.readers.tolist() == [1, 1, 1]


def test_a_severity_without_scores_has_no_values():
    got = measure(AUC, without(complete(), 1))
    assert np.isnan([got.value[1], got.drop[1], got.drop_low[1], got.low[1]]).all()
    assert (got.positives[1], got.negatives[1]) == (0, 0)
    assert not np.isnan(got.value[[0, 2]]).any()


def test_conditions_without_shared_cells_stand_each_for_itself():
    """Reader 0 saw clean, reader 1 the perturbed views: the drop is unpaired, its error larger, and it says so."""
    sample = complete()
    got = measure(AUC, without(sample, (0, slice(None), 1), (slice(1, 3), slice(None), 0)))
    clean = auc(sample.scores[0, :, 0], sample.malignant)
    assert got.unpaired.tolist() == [False, True, True]
    assert got.drop[1] == pytest.approx(clean - auc(sample.scores[1, :, 1], sample.malignant), abs=1e-12)
    assert got.drop_standard_error[1] > measure(AUC, sample).drop_standard_error[1]
    assert got.positives.tolist() == [40, 40, 40]
    # What compares each breast with itself cannot be had.
    assert np.isnan(measure(BY_NAME["flip_rate"], without(sample, (0, slice(None), 1), (1, slice(None), 0))).value[1])


def test_unpaired_breasts_are_independent():
    rng = np.random.default_rng(42)
    population = Population(auc=0.85, positives=M, negatives=N)
    values = []
    for _ in range(300):
        a, b = population.draw(rng, 2)
        scores = np.concatenate([a, b], axis=1)
        half = np.arange(M + N) % 2 == 0
        scores[0, half], scores[1, ~half] = np.nan, np.nan
        got = measure(AUC, Sample(scores=scores, malignant=np.arange(M + N) < M, clusters=np.arange(M + N)))
        values.append((got.drop[1], got.drop_standard_error[1], got.drop_low[1] <= 0.0 <= got.drop_high[1]))
    drops, errors, covered = np.array(values).T
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(drops.std(), rel=0.12)
    assert 0.92 <= covered.mean() <= 1.0


def test_random_readers_need_two():
    got = measure(AUC, complete(readers=1), Terms(readers="random"))
    assert np.isnan(got.low).all()
