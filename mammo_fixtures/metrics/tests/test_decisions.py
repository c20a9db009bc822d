"""Decisions at the clean operating point: thresholds by hand, intervals by the book, scatter as resamples have it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import METRICS, OperatingPoint, Sample, Terms, measure
from mammo_fixtures.metrics.proportions import tango, wilson

BY_NAME = {metric.name: metric for metric in METRICS}


def sample(positives, negatives):
    scores = np.concatenate([np.atleast_2d(positives), np.atleast_2d(negatives)], axis=1)[:, :, None]
    m = np.atleast_2d(positives).shape[1]
    return Sample(scores=scores, malignant=np.arange(scores.shape[1]) < m, clusters=np.arange(scores.shape[1]))


def values(name, point, positives, negatives, **terms):
    terms = Terms(operating_point=OperatingPoint.parse(point), **terms)
    return measure(BY_NAME[name], sample(positives, negatives), terms).value.tolist()


NEGATIVES = [[1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10], [1.0, 2, 3, 4, 5, 6, 7, 9.5, 11, 12]]
POSITIVES = [[8.5, 9.5, 9, 20], [1.0, 9.5, 30, 40]]


def test_by_hand_at_a_clean_specificity():
    # Nine in ten of the clean scores are at most 9, so a breast is called positive above 9.
    at = ("specificity>=0.90", POSITIVES, NEGATIVES)
    assert values("sensitivity", *at) == pytest.approx([2 / 4, 3 / 4])
    assert values("specificity", *at) == pytest.approx([0.9, 0.7])
    assert values("recall_rate", *at) == pytest.approx([3 / 14, 6 / 14])
    # One cancer comes in at 30, and of the others 8 and 9 do, while 10 stays.
    assert values("flip_rate", *at) == pytest.approx([0, 3 / 14])


def test_by_hand_at_a_clean_sensitivity_and_at_a_given_score():
    at = ("sensitivity>=0.75", POSITIVES, NEGATIVES)
    # The third of four cancers is at 9, so the threshold lies just below it.
    assert values("sensitivity", *at) == pytest.approx([3 / 4, 3 / 4])
    assert values("specificity", *at) == pytest.approx([0.8, 0.7])
    given = ("score>9", POSITIVES, NEGATIVES)
    assert values("specificity", *given) == pytest.approx([0.9, 0.7])


def test_prevalence_weights_the_classes():
    at = ("specificity>=0.90", POSITIVES, NEGATIVES)
    assert values("recall_rate", *at, prevalence=0.01) == pytest.approx(
        [0.01 * 0.5 + 0.99 * 0.1, 0.01 * 0.75 + 0.99 * 0.3]
    )


@pytest.mark.parametrize("text", ["specificity>0.9", "specificity>=1", "sensitivity>=90", "score>=3", "0.9", "score>x"])
def test_other_operating_points_are_refused(text):
    with pytest.raises(UnusableInput) as refused:
        OperatingPoint.parse(text)
    assert str(refused.value) == (
        "curve: operating_point must be like 'specificity>=0.90', 'sensitivity>=0.85' or 'score>0.42', the first two "
        f"between 0 and 1, got {text!r}; write one of these"
    )


def test_terms_that_cannot_be_are_refused():
    with pytest.raises(UnusableInput, match=r"^curve: prevalence must lie between 0 and 1, got 5; screening has"):
        Terms(prevalence=5)
    with pytest.raises(UnusableInput, match=r"^curve: readers must be 'fixed' or 'random', got 'any'; fixed is usual$"):
        Terms(readers="any")


@pytest.mark.parametrize(("found", "low", "high"), [(0, 0.0, 0.2775), (3, 0.1078, 0.6032), (10, 0.7225, 1.0)])
def test_wilsons_interval_of_ten(found, low, high):
    """Newcombe 1998, Statistics in Medicine 17:857, method 3 written out."""
    got = wilson(np.array([found / 10]), np.array([10.0]), 1.959964)
    assert (got[0][0], got[1][0]) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(("fell", "rose", "n"), [(9, 2, 40), (0, 3, 22), (5, 5, 61), (0, 0, 30)])
def test_tangos_bounds_solve_the_score_equation(fell, rose, n):
    """At each bound the score statistic is z, with the share of `rose` at its constrained maximum of the likelihood."""
    z = 1.959964
    low, high = tango(np.array([fell / n]), np.array([rose / n]), np.array([float(n)]), z)
    for bound in (low[0], high[0]):

        def against(q, bound=bound):
            counts, shares = (fell, rose, n - fell - rose), (q + bound, q, 1 - bound - 2 * q)
            return -sum(c * np.log(max(s, 1e-300)) for c, s in zip(counts, shares, strict=True) if c)

        room = (max(0.0, -bound), (1 - bound) / 2)
        q = minimize_scalar(against, bounds=room, method="bounded", options={"xatol": 1e-12}).x
        score = (fell - rose - n * bound) / np.sqrt(n * (2 * q + bound * (1 - bound)))
        assert abs(score) == pytest.approx(z, abs=2e-3)


@pytest.mark.parametrize("prevalence", [0.005, 0.5])
def test_where_no_call_flips_the_bound_is_of_as_many_breasts_as_the_weights_leave(prevalence):
    """Weighted to screening, a hundred cancers beside sixty others tell nothing: no flip in sixty is up to 6 %."""
    m, n = 100, 60
    rng = np.random.default_rng(3)
    still = sample(*(np.repeat(rng.normal(mean, 1.0, (1, count)), 2, axis=0) for mean, count in ((2, m), (0, n))))
    got = measure(BY_NAME["flip_rate"], still, Terms(prevalence=prevalence))
    alike = 1 / (prevalence**2 / m + (1 - prevalence) ** 2 / n)
    assert got.drop_low[1] == pytest.approx(-(1.959964**2) / (alike + 1.959964**2), abs=1e-5)


def test_a_share_that_every_breast_ends_up_in_has_an_interval():
    """Nothing is called positive any more: specificity is 1 in these 200 breasts, not in all that there are."""
    rng = np.random.default_rng(4)
    gone = sample(np.stack([rng.normal(2, 1, 40), np.zeros(40)]), np.stack([rng.normal(0, 1, 200), np.zeros(200) - 9]))
    got = measure(BY_NAME["specificity"], gone)
    assert (got.low[1], got.high[1]) == pytest.approx((200 / (200 + 1.959964**2), 1.0))
    assert got.drop[1] == pytest.approx(-0.1)
    assert got.drop_low[1] < -0.12
    assert got.drop_high[1] > -0.09


@pytest.mark.parametrize(
    "name", ["sensitivity", "specificity", "recall_rate", "flip_rate", "partial_auc", "rank_correlation"]
)
def test_scatter_agrees_with_resamples_that_set_the_threshold_anew(name):
    rng = np.random.default_rng(21)
    m, n, patients = 150, 600, 375
    shared = rng.standard_normal(patients)[np.arange(m + n) // 2]
    base = shared + rng.standard_normal(m + n) + 2.0 * (np.arange(m + n) < m)
    scores = np.stack([base, 0.8 * base + 0.6 * rng.standard_normal(m + n) - 0.3 * (np.arange(m + n) < m)])
    malignant, clusters = np.arange(m + n) < m, np.arange(m + n) // 2
    whole = Sample(scores=scores[:, :, None], malignant=malignant, clusters=clusters)
    got = measure(BY_NAME[name], whole)
    replicates = []
    for _ in range(600):
        drawn = rng.integers(0, patients // 5, patients // 5), rng.integers(patients // 5, patients, patients * 4 // 5)
        breasts = (2 * np.concatenate(drawn)[:, None] + [0, 1]).ravel()
        breasts = breasts[breasts < m + n]
        again, cancers = whole.scores[:, breasts], malignant[breasts]
        replicates.append(BY_NAME[name].read(again[:, cancers], again[:, ~cancers], Terms()).placements.mean)
    replicates = np.array(replicates)
    # A threshold at a given specificity leaves the clean specificity and correlation no scatter.
    fixed = name in ("specificity", "rank_correlation", "flip_rate")
    if not fixed:
        assert got.standard_error[0] == pytest.approx(replicates[:, 0].std(), rel=0.15)
    assert got.standard_error[1] == pytest.approx(replicates[:, 1].std(), rel=0.15)
    assert got.drop_standard_error[1] == pytest.approx((replicates[:, 0] - replicates[:, 1]).std(), rel=0.15)


def test_a_share_that_the_operating_point_fixes_is_of_as_many_cancers_as_there_are_and_of_others_settled():
    rng = np.random.default_rng(97)
    malignant = np.arange(260) < 60
    scores = rng.standard_normal((1, 260, 4)) + 1.5 * malignant[None, :, None]
    drawn = Sample(scores=scores, malignant=malignant, clusters=np.arange(260))
    fixed = measure(BY_NAME["sensitivity"], drawn, Terms(operating_point=OperatingPoint.parse("sensitivity>=0.85")))
    low, high = wilson(fixed.value, np.array([60.0]), 1.959964)
    assert (fixed.low[0], fixed.high[0]) == pytest.approx((low[0], high[0]), abs=1e-6)
    twice = replace(drawn, scores=np.repeat(scores, 2, axis=0))
    settled = measure(BY_NAME["specificity"], twice, Terms(operating_point=OperatingPoint.parse("specificity>=0.90")))
    assert settled.low.tolist() == settled.value.tolist() == settled.high.tolist()


@pytest.mark.parametrize("name", ["sensitivity", "specificity", "recall_rate"])
@pytest.mark.parametrize("text", ["specificity>=0.90", "sensitivity>=0.85"])
def test_tied_scores_bound_as_each_neighbouring_threshold_does_with_what_the_clean_scores_leave_of_z(name, text):
    """z² − c², where the clean scores contradict a threshold by c standard errors; docs/method.md."""
    rng = np.random.default_rng(100)
    malignant = np.arange(380) < 80
    scores = np.round(rng.standard_normal((2, 380)) + 1.5 * malignant)[:, :, None]
    drawn = Sample(scores=scores, malignant=malignant, clusters=np.arange(380))
    point = OperatingPoint.parse(text)
    clean = scores[0, malignant, 0], scores[0, ~malignant, 0]
    got = measure(BY_NAME[name], drawn, Terms(operating_point=point))
    each = [(point.threshold(*clean), 0.0), *zip(point.neighbours(*clean)[0], point.against(*clean), strict=True)]
    z = norm.ppf(0.975)
    confidences = [2 * norm.cdf(np.sqrt(max(z * z - c * c, 0.0))) - 1 for _, c in each]
    assert min(confidences) < 0.92 < max(confidences), "one of them is contradicted"
    at = [
        measure(
            BY_NAME[name],
            drawn,
            Terms(operating_point=OperatingPoint(kind="score", level=threshold), confidence=max(confidence, 1e-9)),
        )
        for (threshold, _), confidence in zip(each, confidences, strict=True)
    ]
    assert got.low[1] == pytest.approx(min(one.low[1] for one in at), abs=1e-6)
    assert got.high[1] == pytest.approx(max(one.high[1] for one in at), abs=1e-6)
    assert got.drop_low[1] == pytest.approx(min(one.drop_low[1] for one in at), abs=1e-6)
    assert got.drop_high[1] == pytest.approx(max(one.drop_high[1] for one in at), abs=1e-6)


def test_readers_who_call_different_cancers_count_as_that_many_times_the_cancers_and_no_more():
    """One calls what the other does not, but for two breasts: their mean hardly scatters."""
    calls = np.stack([np.arange(60) < 30, np.arange(60) >= 28], axis=1)
    scores = np.concatenate([calls, np.roll(calls, 7, axis=0)])[None].astype(float)
    drawn = Sample(scores=scores, malignant=np.arange(120) < 60, clusters=np.arange(120))
    given = Terms(operating_point=OperatingPoint.parse("score>0.5"))
    got = measure(BY_NAME["sensitivity"], drawn, given)
    low, high = wilson(got.value, np.array([120.0]), 1.959964)
    assert (got.low[0], got.high[0]) == pytest.approx((low[0], high[0]), abs=1e-6)
    others = measure(BY_NAME["specificity"], drawn, given)
    assert others.high[0] - others.low[0] < 0.5 * (high[0] - low[0])


def cohort(rng, m, n):
    malignant = np.arange(m + n) < m
    clean = rng.standard_normal(m + n) + 1.5 * malignant
    perturbed = 0.8 * clean + 0.4 * rng.standard_normal(m + n) - 0.3 * malignant
    return Sample(scores=np.stack([clean, perturbed])[:, :, None], malignant=malignant, clusters=np.arange(m + n))


@pytest.mark.parametrize("point", ["specificity>=0.90", "sensitivity>=0.85"])
@pytest.mark.parametrize("name", ["sensitivity", "specificity", "recall_rate", "flip_rate"])
def test_bounds_cover_whichever_breasts_set_the_operating_point(name, point):
    """A threshold of 60 cancers scatters much more than what it leaves of 400 others."""
    rng = np.random.default_rng(98)
    terms = Terms(operating_point=OperatingPoint.parse(point))
    true = measure(BY_NAME[name], cohort(rng, 30_000, 200_000), terms)
    found = [measure(BY_NAME[name], cohort(rng, 60, 400), terms) for _ in range(300)]
    of_value = np.mean([one.low[1] <= true.value[1] <= one.high[1] for one in found])
    of_drop = np.mean([one.drop_low[1] <= true.drop[1] <= one.drop_high[1] for one in found])
    # Three standard errors of 300 samples below .95.
    assert (of_value > 0.912, of_drop > 0.912) == (True, True)


@pytest.mark.parametrize("levels", [None, 8])
@pytest.mark.parametrize(("kind", "level"), [("specificity", 0.9), ("sensitivity", 0.85)])
def test_neighbours_of_a_threshold_lie_to_either_side_and_clean_scores_speak_against_them(kind, level, levels):
    rng = np.random.default_rng(99)
    positives, negatives = rng.standard_normal(80) + 1.5, rng.standard_normal(300)
    if levels:
        positives, negatives = (np.round(each * levels / 8) for each in (positives, negatives))
    point = OperatingPoint(kind=kind, level=level)
    (low, high), change = point.neighbours(positives, negatives)
    assert low <= point.threshold(positives, negatives) <= high
    setting = negatives if kind == "specificity" else positives
    assert change == pytest.approx(np.mean((setting > low) & (setting <= high)))
    assert change > 0 or levels
    assert point.is_tied(positives, negatives) is bool(levels)
    error = np.sqrt(level * (1 - level) / len(setting))
    for place, threshold in enumerate((low, high)):
        # It would be the operating point of a population where the level is reached there, and by no threshold nearer
        # to where nothing is called, or all is.
        if kind == "specificity":
            reached, before = np.mean(setting <= threshold), np.mean(setting < threshold)
        else:
            reached, before = np.mean(setting > threshold), np.mean(setting > np.nextafter(threshold, np.inf))
        against = max(level - reached, before - level, 0.0) / error
        assert point.against(positives, negatives)[place] == pytest.approx(against)
