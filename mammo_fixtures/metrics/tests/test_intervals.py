"""Laws that intervals keep at any count, and their coverage in simulation."""

import numpy as np
import pytest

from mammo_fixtures.metrics import Sample, measure_auc
from mammo_fixtures.metrics.intervals import exponential_variance
from mammo_fixtures.metrics.tests.simulated_scores import Population, coverage


def estimates(positives, negatives, confidence=0.95, clusters=None):
    malignant = np.arange(positives.shape[1] + negatives.shape[1]) < positives.shape[1]
    scores = np.concatenate([positives, negatives], axis=1)
    clusters = np.arange(len(malignant)) if clusters is None else clusters
    return measure_auc(Sample(scores=scores, malignant=malignant, clusters=clusters), confidence)


@pytest.mark.parametrize("count", [1, 2, 5, 22, 61])
@pytest.mark.parametrize("auc", [0.3, 0.5, 0.93, 0.999])
def test_bounds_enclose_the_estimate_and_stay_in_range(count, auc):
    population = Population(auc=auc, positives=count, negatives=200)
    got = estimates(*population.draw(np.random.default_rng(count), 40))
    assert np.all((got.low >= 0) & (got.low <= got.value) & (got.value <= got.high) & (got.high <= 1))
    assert np.all((got.drop_low >= -1) & (got.drop_high <= 1))
    assert np.all((got.drop_low <= got.drop) & (got.drop <= got.drop_high))
    assert np.all(got.high - got.low > 0.001)


def test_clean_against_itself_is_nothing():
    got = estimates(*Population(auc=0.8, positives=22, negatives=100).draw(np.random.default_rng(0), 3))
    assert (got.drop[0], got.drop_low[0], got.drop_high[0]) == (0.0, 0.0, 0.0)


def test_an_unchanged_classifier_still_has_an_upper_bound():
    """Twenty-two cancers, none lost: one in twenty of those to come might be."""
    positives, negatives = Population(auc=0.9, positives=22, negatives=400).draw(np.random.default_rng(1), 1)
    got = estimates(np.repeat(positives, 2, axis=0), np.repeat(negatives, 2, axis=0))
    assert got.drop[1] == 0.0
    assert got.drop_low[1] == 0.0
    assert 0.03 < got.drop_high[1] < 0.10


def test_a_perfect_classifier_still_has_a_lower_bound():
    got = estimates(np.full((1, 22, 1), 9.0), np.random.default_rng(2).standard_normal((1, 400, 1)))
    assert (got.value[0], got.high[0]) == (1.0, 1.0)
    assert 0.80 < got.low[0] < 0.95


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["above_chance", "below_chance"])
def test_an_unseen_lost_breast_moves_only_the_bound_towards_chance(sign):
    """Breasts told apart almost perfectly show little scatter; only towards chance might others be worse."""
    rng = np.random.default_rng(6)
    positives, negatives = Population(auc=0.97, positives=22, negatives=400, readers=5).draw(rng, 1)
    got = estimates(sign * positives, sign * negatives)
    towards, away = got.value[0] - got.low[0], got.high[0] - got.value[0]
    towards, away = (towards, away) if sign > 0 else (away, towards)
    error = got.standard_error[0]
    assert towards > 3.0 * error
    assert away < 2.1 * error


def test_more_confidence_and_fewer_cancers_widen():
    rng = np.random.default_rng(3)
    positives, negatives = Population(auc=0.85, positives=100, negatives=400).draw(rng, 2)
    usual, sure = estimates(positives, negatives), estimates(positives, negatives, 0.99)
    few = estimates(positives[:, :20], negatives)
    for wide in (sure, few):
        assert np.all(wide.high - wide.low > usual.high - usual.low)
        assert wide.drop_high[1] - wide.drop_low[1] > usual.drop_high[1] - usual.drop_low[1]


def test_bilateral_cancers_widen():
    rng = np.random.default_rng(4)
    population = Population(auc=0.85, positives=100, negatives=400, bilateral=True)
    positives, negatives = population.draw(rng, 30)
    clustered = estimates(positives, negatives, clusters=np.concatenate(population.patients))
    apart = estimates(positives, negatives)
    assert np.mean((clustered.high - clustered.low) / (apart.high - apart.low)) > 1.05


def test_too_few_patients_give_no_interval_rather_than_a_wrong_one():
    got = estimates(np.ones((2, 3, 1)), np.zeros((2, 2, 1)), clusters=np.array([0, 1, 2, 3, 3]))
    assert np.isnan(got.low).all()
    assert np.isnan(got.high).all()
    assert np.isnan(got.drop_high[1])


def test_exponential_variance_by_hand():
    """Hanley and McNeil 1982: Q1 = A / (2 − A), Q2 = 2A² / (1 + A)."""
    a, m, n = 0.8, 30, 50
    by_hand = a * (1 - a) + (m - 1) * (a / (2 - a) - a**2) + (n - 1) * (2 * a**2 / (1 + a) - a**2)
    assert exponential_variance(np.array([a]), m, n)[0] == pytest.approx(by_hand / (m * n), rel=1e-12)


@pytest.mark.parametrize("count", [22, 61, 500])
@pytest.mark.parametrize("inconspicuous", [0.0, 0.1], ids=["smooth", "tenth_inconspicuous"])
@pytest.mark.parametrize("auc", [0.60, 0.80, 0.93, 0.95])
def test_interval_of_one_auc_covers(auc, inconspicuous, count):
    population = Population(auc=auc, positives=count, negatives=400, inconspicuous=inconspicuous)
    covered, _ = coverage(population, 1000 if count < 500 else 500, seed=count)
    # 93 to 99 % in the long run of `simulated_scores`, give or take two standard errors of so short a one.
    assert 0.93 - 0.016 <= covered <= 0.99 + 0.006


@pytest.mark.parametrize(
    "declared",
    [{"step": 0.5}, {"bilateral": True}, {"bilateral": True, "inconspicuous": 0.1}, {"readers": 5}],
    ids=["ties", "bilateral", "bilateral_inconspicuous", "readers"],
)
def test_interval_covers_with_ties_patients_and_readers(declared):
    covered, _ = coverage(Population(auc=0.85, positives=61, negatives=300, **declared), 800)
    assert 0.93 - 0.016 <= covered <= 0.99 + 0.006


def test_plain_wald_would_not_cover():
    """The simulation can fail: the interval that is not good enough is found wanting."""
    assert coverage(Population(auc=0.93, positives=22, negatives=400, inconspicuous=0.1), 800)[1] < 0.88


@pytest.mark.parametrize("auc", [0.93, 0.95])
def test_interval_of_five_readers_and_few_conspicuous_cancers_is_not_too_wide(auc):
    covered, _ = coverage(Population(auc=auc, positives=22, negatives=400, readers=5), 1500)
    assert 0.93 - 0.013 <= covered <= 0.99 + 0.003
