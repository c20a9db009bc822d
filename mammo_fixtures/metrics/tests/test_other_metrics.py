"""Separability, stability, calibration and the partial area against independent implementations."""

import numpy as np
import pytest
from scipy import optimize, stats

from mammo_fixtures.metrics import METRICS, Sample, Terms, measure
from mammo_fixtures.metrics.recalibration import fitted

BY_NAME = {metric.name: metric for metric in METRICS}


def drawn(step=0.0, readers=1, m=80, n=400):
    rng = np.random.default_rng(30)
    base = rng.standard_normal((3, m + n, readers)) + 1.5 * (np.arange(m + n) < m)[:, None]
    base[1:] += base[0]
    scores = 1 / (1 + np.exp(1 - base))
    scores = np.round(scores / step) * step if step else scores
    return Sample(scores=scores, malignant=np.arange(m + n) < m, clusters=np.arange(m + n) // 2)


def value(name, sample, **terms):
    return measure(BY_NAME[name], sample, Terms(**terms)).value


@pytest.mark.parametrize("step", [0.0, 0.1], ids=["continuous", "tied"])
def test_ks_agrees_with_scipy(step):
    sample = drawn(step, readers=2)
    for condition, got in enumerate(value("ks", sample)):
        of = sample.scores[condition]
        each = [stats.ks_2samp(of[sample.malignant, r], of[~sample.malignant, r]).statistic for r in range(2)]
        assert got == pytest.approx(np.mean(each), abs=1e-12)


@pytest.mark.parametrize("step", [0.0, 0.1], ids=["continuous", "tied"])
def test_rank_correlation_agrees_with_scipy(step):
    sample = drawn(step)
    for condition, got in enumerate(value("rank_correlation", sample)):
        assert got == pytest.approx(
            stats.spearmanr(sample.scores[0, :, 0], sample.scores[condition, :, 0]).statistic, abs=1e-12
        )


@pytest.mark.parametrize("step", [0.0, 0.1], ids=["continuous", "tied"])
def test_partial_auc_agrees_with_scikit_learn(step):
    reference = pytest.importorskip("sklearn.metrics")
    sample = drawn(step)
    for condition, got in enumerate(value("partial_auc", sample)):
        expected = reference.roc_auc_score(sample.malignant, sample.scores[condition, :, 0], max_fpr=0.2)
        assert got == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["rank_correlation", "partial_auc", "auc", "logit_shift"])
@pytest.mark.parametrize("levels", [[], [0.1, 0.3], [0.25]], ids=["continuous", "three levels", "two levels"])
def test_errors_agree_with_patients_left_out_one_by_one_also_where_scores_are_tied(name, levels):
    sample = drawn()
    scores = np.digitize(sample.scores, levels) * 0.3 + 0.1 if levels else sample.scores
    clusters = sample.clusters
    got = measure(BY_NAME[name], Sample(scores=scores, malignant=sample.malignant, clusters=clusters), Terms())
    variance = np.zeros((2, len(scores)))
    for patients in (np.unique(clusters[sample.malignant]), np.unique(clusters[~sample.malignant])):
        # Patients with cancer and others apart, as their numbers are given.
        left_out = []
        for patient in patients:
            others, kept = scores[:, clusters != patient], sample.malignant[clusters != patient]
            left_out.append(BY_NAME[name].read(others[:, kept], others[:, ~kept], Terms()).placements.mean)
        left_out = np.array(left_out)
        variance += [(len(patients) - 1) * each.var(axis=0) for each in (left_out, left_out[:, :1] - left_out)]
    assert got.standard_error == pytest.approx(np.sqrt(variance[0]), rel=0.06, abs=1e-9)
    assert got.drop_standard_error == pytest.approx(np.sqrt(variance[1]), rel=0.06, abs=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["rank_correlation", "ece"])
@pytest.mark.parametrize("constant", [0, 1], ids=["clean", "perturbed"])
def test_constant_scores_give_no_warning_and_no_interval_of_nothing(name, constant):
    """Scores that are all alike have no ranks, and a bin that they fill has no scatter but by rounding."""
    sample = drawn()
    scores = sample.scores.copy()
    scores[constant] = np.where(sample.malignant, 0.9, 0.1)[:, None] if name == "ece" else 0.7
    got = measure(BY_NAME[name], Sample(scores=scores, malignant=sample.malignant, clusters=sample.clusters), Terms())
    assert np.isfinite([got.value[1], got.drop_low[1], got.drop_high[1]]).all() == (name == "ece")


def test_brier_and_weights_agree_with_scikit_learn():
    reference = pytest.importorskip("sklearn.metrics")
    sample = drawn()
    for prevalence in (None, 0.01):
        share = sample.malignant.mean() if prevalence is None else prevalence
        weight = np.where(
            sample.malignant, share / sample.malignant.mean(), (1 - share) / (1 - sample.malignant.mean())
        )
        expected = reference.brier_score_loss(sample.malignant, sample.scores[1, :, 0], sample_weight=weight)
        assert value("brier", sample, prevalence=prevalence)[1] == pytest.approx(expected, abs=1e-12)


def test_expected_calibration_error_by_hand():
    """Bins 0.1–0.2: mean .15, one of two malignant; 0.8–0.9: mean .85, one of two."""
    scores = np.array([0.1, 0.8, 0.19999, 0.89999])
    sample = Sample(scores=scores[None, :, None], malignant=np.array([True, True, False, False]), clusters=np.arange(4))
    assert value("ece", sample)[0] == pytest.approx(0.35, abs=1e-5)
    # At a prevalence of 0.2 one malignant breast weighs 0.1 and another 0.4.
    by_hand = abs(0.1 * (0.1 - 1) + 0.4 * 0.19999) + abs(0.1 * (0.8 - 1) + 0.4 * 0.89999)
    assert value("ece", sample, prevalence=0.2)[0] == pytest.approx(by_hand, abs=1e-9)


def test_calibration_slope_and_intercept_agree_with_an_unpenalised_fit():
    reference = pytest.importorskip("sklearn.linear_model")
    sample = drawn()
    p = sample.scores[0, :, 0]
    x = np.log(p / (1 - p))
    fit = reference.LogisticRegression(C=1e12, tol=1e-12, max_iter=10_000).fit(x[:, None], sample.malignant)
    assert value("calibration_slope", sample)[0] == pytest.approx(fit.coef_[0, 0], rel=1e-4)
    at = value("calibration_intercept", sample)[0]
    # At slope 1 the intercept makes mean probability and share malignant equal.
    assert np.mean(1 / (1 + np.exp(-x - at))) == pytest.approx(sample.malignant.mean(), abs=1e-9)


def test_recalibrating_moves_slope_and_intercept_as_told():
    sample = drawn()
    x = np.log(sample.scores / (1 - sample.scores))
    moved = Sample(scores=1 / (1 + np.exp(-2 * x - 0.7)), malignant=sample.malignant, clusters=sample.clusters)
    assert value("calibration_slope", moved) == pytest.approx(value("calibration_slope", sample) / 2, rel=1e-9)
    shifted = Sample(scores=1 / (1 + np.exp(-x - 0.7)), malignant=sample.malignant, clusters=sample.clusters)
    expected = value("calibration_intercept", sample) - 0.7
    assert value("calibration_intercept", shifted) == pytest.approx(expected, abs=1e-9)


def test_classes_that_do_not_overlap_have_no_calibration_slope():
    scores = np.array([0.9, 0.8, 0.2, 0.1])
    sample = Sample(scores=scores[None, :, None], malignant=scores > 0.5, clusters=np.arange(4))
    assert np.isnan(value("calibration_slope", sample)[0])


def test_logit_shift_by_hand():
    scores = np.array([[0.5, 0.5, 0.5], [0.5, 0.73105857863, 0.73105857863]])
    sample = Sample(scores=scores[:, :, None], malignant=np.array([True, False, False]), clusters=np.arange(3))
    assert value("logit_shift", sample)[1] == pytest.approx(2 / 3, abs=1e-9)
    assert value("logit_shift", sample, prevalence=0.25)[1] == pytest.approx(0.75, abs=1e-9)
    raw = Sample(scores=10 * scores[:, :, None], malignant=sample.malignant, clusters=sample.clusters)
    assert value("logit_shift", raw, probabilities=False)[1] == pytest.approx(2 / 3 * 2.3105857863, abs=1e-9)


@pytest.mark.parametrize("name", BY_NAME)
def test_clean_against_itself_is_nothing_and_bounds_enclose(name):
    got = measure(BY_NAME[name], drawn(readers=2))
    assert (got.drop[0], got.drop_low[0], got.drop_high[0]) == (0.0, 0.0, 0.0)
    assert np.all((got.low <= got.value + 1e-12) & (got.value <= got.high + 1e-12))
    assert np.all((got.drop_low <= got.drop + 1e-12) & (got.drop <= got.drop_high + 1e-12))
    assert np.all((got.low >= BY_NAME[name].low) & (got.high <= BY_NAME[name].high))


@pytest.mark.parametrize("name", BY_NAME)
def test_the_mean_over_readers_is_that_of_each_reader(name):
    sample = drawn(readers=3)
    each = [
        value(name, Sample(scores=sample.scores[:, :, [r]], malignant=sample.malignant, clusters=sample.clusters))
        for r in range(3)
    ]
    assert value(name, sample) == pytest.approx(np.mean(each, axis=0), abs=1e-12)


@pytest.mark.parametrize("which", [0, 1], ids=["intercept", "slope"])
def test_calibration_influences_are_those_of_leaving_breasts_out(which):
    """Residuals over one less their leverage stand in for the jackknife; plain residuals give too small an error."""
    rng = np.random.default_rng(3)
    classes = [rng.normal(1.0, 1.5, 22), rng.normal(-1.5, 1.5, 200)]

    def fit(malignant, other):
        share = len(malignant) / (len(malignant) + len(other))
        probabilities = (1.0 / (1.0 + np.exp(-x)) for x in (malignant, other))
        return fitted(*probabilities, (share, 1.0 - share), which, Terms())

    estimate, *influences, _, _ = fit(*classes)
    left_out = [estimate - fit(np.delete(classes[0], i), classes[1])[0] for i in range(22)]
    left_out += [estimate - fit(classes[0], np.delete(classes[1], i))[0] for i in range(200)]
    jackknife = np.sqrt(np.sum(np.square(left_out)))
    x, y = np.concatenate(classes), np.repeat([1.0, 0.0], [22, 200])
    design = np.stack([np.ones(222), x])[: which + 1]
    p = 1.0 / (1.0 + np.exp(-(estimate + x)))
    if which == 1:
        intercept = optimize.brentq(lambda a: np.sum(y - 1.0 / (1.0 + np.exp(-(a + estimate * x)))), -20.0, 20.0)
        p = 1.0 / (1.0 + np.exp(-(intercept + estimate * x)))
    bread = np.linalg.inv((design * p * (1.0 - p)) @ design.T)
    plain = np.sqrt(np.sum(np.square((bread @ design)[which] * (y - p))))
    leverage = p * (1.0 - p) * np.sum(design * (bread @ design), axis=0)
    corrected = np.sqrt(np.sum(np.square((bread @ design)[which] * (y - p) / (1.0 - leverage))))
    assert np.sqrt(np.sum(np.square(np.concatenate(influences)))) / 222 == pytest.approx(corrected, rel=1e-9)
    assert plain < corrected == pytest.approx(jackknife, rel=0.09)
