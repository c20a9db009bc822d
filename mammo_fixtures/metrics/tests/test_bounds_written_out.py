"""Bounds of AUCs and of their drops against docs/method.md written out, patient by patient, in loops."""

import math
from collections import defaultdict

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm, t

from mammo_fixtures.metrics import METRICS, OperatingPoint, Sample, Terms, measure, measure_auc
from mammo_fixtures.metrics.auc import AUC
from mammo_fixtures.metrics.contrast import compare, drop_contrast
from mammo_fixtures.metrics.decisions import RECALL_RATE, SENSITIVITY, SPECIFICITY

CONFIDENCES = (0.8, 0.95)


def placements(positives, negatives):
    """Share of breasts of the other kind that each one is in order with, ties half, mean over readers."""
    of_readers = []
    for reader in range(positives.shape[1]):
        x, y = positives[:, reader], negatives[:, reader]
        order = np.array([[1.0 if a > b else 0.5 if a == b else 0.0 for b in y] for a in x])
        of_readers.append((order.mean(axis=1), order.mean(axis=0)))
    mean = tuple(np.mean([each[kind] for each in of_readers], axis=0) for kind in (0, 1))
    share = mean[1].var() / np.mean([each[1].var() for each in of_readers])
    return (*mean, min(share, 1.0))


def variance(above, below, of_positives, of_negatives, scatter=0.0):
    """Obuchowski's (1997): S10, S01 and S11 of contributions summed within patients."""
    m, n, centre = len(above), len(below), np.mean(above)
    sums = defaultdict(lambda: [0.0, 0.0])
    for value, patient in zip(above, of_positives, strict=True):
        sums[patient][0] += value - centre
    for value, patient in zip(below, of_negatives, strict=True):
        sums[patient][1] += value - centre
    with_positive, with_negative, patients = len(set(of_positives)), len(set(of_negatives)), len(sums)
    s10 = with_positive / (with_positive - 1) / m * sum(a * a for a, _ in sums.values())
    s01 = with_negative / (with_negative - 1) / n * sum(b * b for _, b in sums.values())
    s11 = patients / (patients - 1) * sum(a * b for a, b in sums.values())
    spread = scatter * with_positive / (with_positive - 1) / m**2
    return max(s10 / m + s01 / n + 2 * s11 / (m * n), 0.0) + spread


def with_one_more(above, below, placement):
    m = len(above)
    return np.append(above, placement), (below * m + placement) / (m + 1)


def hanley_mcneil(a, m, n):
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    return (a * (1 - a) + (m - 1) * (q1 - a * a) + (n - 1) * (q2 - a * a)) / (m * n)


def value_bounds(above, below, kept, of_positives, of_negatives, confidence):
    m, n, auc, level = len(above), len(below), np.mean(above), (1 + confidence) / 2
    lost = with_one_more(above, below, 0.5)
    seen = variance(above, below, of_positives, of_negatives) / hanley_mcneil(auc, m, n)
    feared = variance(*lost, [*of_positives, "another"], of_negatives, kept / 12)
    feared /= hanley_mcneil(np.mean(lost[0]), m + 1, n)
    plain = seen * t.ppf(level, len(set(of_positives))) ** 2
    guarded = max(plain, feared * norm.ppf(level) ** 2)

    def end(outside, scale):
        return brentq(lambda a: (auc - a) ** 2 - scale * hanley_mcneil(a, m, n), outside, auc, xtol=1e-15)

    return end(1e-12, guarded if auc >= 0.5 else plain), end(1 - 1e-12, guarded if auc <= 0.5 else plain)


def drop_bounds(clean, perturbed, kept, of_positives, of_negatives, confidence):
    above, below = (before - after for before, after in zip(clean, perturbed, strict=True))
    drop, level, one_more = np.mean(above), (1 + confidence) / 2, [*of_positives, "another"]
    plain = t.ppf(level, len(set(of_positives)) - 1) * math.sqrt(variance(above, below, of_positives, of_negatives))
    spared = with_one_more(above, below, 0.0)
    struck = with_one_more(above, below, max(np.mean(clean[0]) - 0.5, 0.0))
    low = np.mean(spared[0]) - norm.ppf(level) * math.sqrt(variance(*spared, one_more, of_negatives))
    scatter = kept / 12 + np.var(clean[0])
    high = np.mean(struck[0]) + norm.ppf(level) * math.sqrt(variance(*struck, one_more, of_negatives, scatter))
    return max(min(drop - plain, low), -1.0), min(max(drop + plain, high), 1.0)


def difference_error(one, other, below, patients_of_one, patients_of_other, of_negatives):
    """Of the drop of one subgroup less that of another, whose cancers are set against the same other breasts."""
    sums = defaultdict(lambda: [0.0, 0.0])
    for drops, patients, sign in ((one, patients_of_one, 1), (other, patients_of_other, -1)):
        for value, patient in zip(drops, patients, strict=True):
            sums[patient][0] += sign * (value - np.mean(drops)) / len(drops)
    for first, second, patient in zip(*below, of_negatives, strict=True):
        sums[patient][1] += (first - np.mean(one) - (second - np.mean(other))) / len(of_negatives)
    counts = len({*patients_of_one, *patients_of_other}), len(set(of_negatives)), len(sums)
    a, b, both = (count / (count - 1) for count in counts)
    return math.sqrt(sum(a * x * x + b * y * y + 2 * both * x * y for x, y in sums.values()))


COHORTS = {
    "few": {"m": 12, "n": 40},
    "many": {"m": 150, "n": 200},
    "bilateral": {"m": 40, "n": 120, "of_one_patient": 2},
    "mixed patients": {"m": 40, "n": 120, "of_one_patient": 5},
    "readers": {"m": 25, "n": 80, "readers": 4},
    "below chance": {"m": 30, "n": 100, "separation": -1.0},
    "gains": {"m": 30, "n": 100, "moved": -0.8},
    "lost altogether": {"m": 30, "n": 100, "separation": 3.0, "moved": 3.0},
    "tied": {"m": 30, "n": 100, "grid": 0.5},
}


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize("name", COHORTS)
def test_bounds_are_those_of_the_method(name, confidence):
    chosen = {"of_one_patient": 1, "readers": 1, "separation": 1.2, "moved": 0.5, "grid": 0.0} | COHORTS[name]
    m, n = chosen["m"], chosen["n"]
    rng = np.random.default_rng(90)
    malignant = rng.permutation(m + n) < m
    own = rng.standard_normal((m + n, 1)) + 0.5 * rng.standard_normal((m + n, chosen["readers"]))
    clean = own + chosen["separation"] * malignant[:, None]
    perturbed = clean + 0.4 * rng.standard_normal(own.shape) - chosen["moved"] * malignant[:, None]
    scores = np.stack([clean, perturbed])
    if chosen["grid"]:
        scores = np.round(scores / chosen["grid"]) * chosen["grid"]
    patients = np.arange(m + n) // chosen["of_one_patient"]
    got = measure_auc(Sample(scores=scores, malignant=malignant, clusters=patients), confidence)

    of_each = [placements(each[malignant], each[~malignant]) for each in scores]
    kept = of_each[0][2] if chosen["readers"] > 1 else 1.0
    whose = patients[malignant].tolist(), patients[~malignant].tolist()
    for i, (above, below, _) in enumerate(of_each):
        assert got.value[i] == pytest.approx(np.mean(above), abs=1e-12)
        assert got.standard_error[i] == pytest.approx(math.sqrt(variance(above, below, *whose)), abs=1e-12)
        expected = value_bounds(above, below, kept, *whose, confidence)
        assert (got.low[i], got.high[i]) == pytest.approx(expected, abs=1e-11)
    expected = drop_bounds(of_each[0][:2], of_each[1][:2], kept, *whose, confidence)
    assert (got.drop_low[1], got.drop_high[1]) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize("of_one_patient", [1, 3])
def test_bounds_of_a_difference_of_drops_are_those_of_the_method(of_one_patient, confidence):
    """Zou and Donner (2008): distances between estimate and bound, with the correlation of the two drops."""
    rng = np.random.default_rng(91)
    kind = rng.permutation(np.repeat(["one", "other", ""], [25, 40, 90]))
    patients = np.arange(len(kind)) // of_one_patient
    clean = rng.standard_normal(len(kind)) + 1.5 * (kind != "")
    perturbed = clean + 0.5 * rng.standard_normal(len(kind)) - 0.9 * (kind == "one") - 0.2 * (kind == "other")
    scores, negative = np.stack([clean, perturbed])[:, :, None], kind == ""

    def sample(name):
        used = np.flatnonzero((kind == name) | negative)
        return Sample(scores=scores[:, used], malignant=kind[used] == name, clusters=patients[used])

    got, _, _ = drop_contrast(AUC, sample("one"), sample("other"), Terms(confidence=confidence))

    drops, errors, distances, below = [], [], [], []
    for name in ("one", "other"):
        before, after = (placements(each[kind == name], each[negative])[:2] for each in scores)
        whose = patients[kind == name].tolist(), patients[negative].tolist()
        of_breasts = [a - b for a, b in zip(before, after, strict=True)]
        low, high = drop_bounds(before, after, 1.0, *whose, confidence)
        drops.append(of_breasts[0])
        below.append(of_breasts[1])
        errors.append(math.sqrt(variance(*of_breasts, *whose)))
        distances.append((np.mean(of_breasts[0]) - low, high - np.mean(of_breasts[0])))
    error = difference_error(
        *drops, below, patients[kind == "one"].tolist(), patients[kind == "other"].tolist(), whose[1]
    )
    r = (errors[0] ** 2 + errors[1] ** 2 - error**2) / (2 * errors[0] * errors[1])
    assert 0.01 < abs(r) < 0.9

    def joined(x, y):
        return math.sqrt(x * x + y * y - 2 * r * x * y)

    value = np.mean(drops[0]) - np.mean(drops[1])
    expected = value - joined(distances[0][0], distances[1][1]), value + joined(distances[0][1], distances[1][0])
    assert (got.value[1], got.standard_error[1]) == pytest.approx((value, error), abs=1e-12)
    assert (got.low[1], got.high[1]) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("readers", [1, 3])
def test_bounds_of_what_a_release_lost_are_those_of_a_drop(readers):
    """The baseline's score of a breast stands where the clean one does."""
    rng = np.random.default_rng(92)
    malignant = rng.permutation(130) < 30
    own = rng.standard_normal((130, 1)) + 0.5 * rng.standard_normal((130, readers)) + 1.5 * malignant[:, None]
    released = [own, own + 0.5 * rng.standard_normal(own.shape) - 0.6 * malignant[:, None]]
    patients = np.arange(130) // 2
    # What is clean in either release decides nothing.
    samples = [
        Sample(scores=np.stack([rng.random(own.shape), each]), malignant=malignant, clusters=patients)
        for each in released
    ]
    got = compare(AUC, *samples, Terms())
    of_each = [placements(each[malignant], each[~malignant]) for each in released]
    kept = max(each[2] for each in of_each) if readers > 1 else 1.0
    expected = drop_bounds(
        of_each[0][:2], of_each[1][:2], kept, patients[malignant].tolist(), patients[~malignant].tolist(), 0.95
    )
    assert got.value.tolist() == pytest.approx([np.mean(each[0]) for each in of_each], abs=1e-12)
    assert (got.drop_low[1], got.drop_high[1]) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("lost", [0.3, 1.0, -0.6])
@pytest.mark.parametrize("counts", [(1000, 2000), (2000, 200), (40, 2000)])
@pytest.mark.parametrize("metric", [SENSITIVITY, SPECIFICITY, RECALL_RATE], ids=lambda metric: metric.name)
def test_calls_of_two_releases_have_the_bounds_of_calls_under_two_conditions(metric, counts, lost):
    """At a threshold that is given; how many breasts are called by one alone is taken from how the drop scatters."""
    rng = np.random.default_rng(93)
    malignant = np.arange(sum(counts)) < counts[0]
    clean = rng.standard_normal((len(malignant), 1)) + 1.5 * malignant[:, None]
    released = [clean, clean + 0.5 * rng.standard_normal(clean.shape) - lost]
    terms = Terms(operating_point=OperatingPoint.parse("score>1.0"))

    def sample(scores):
        return Sample(scores=np.stack(scores), malignant=malignant, clusters=np.arange(len(malignant)))

    got = compare(metric, *(sample([clean, each]) for each in released), terms)
    seen = measure(metric, sample(released), terms)
    assert got.value.tolist() == pytest.approx(seen.value.tolist(), abs=1e-12)
    bounds = (seen.drop_low[1], seen.drop_high[1])
    # A variance from the breasts at hand is larger than the binomial one by n / (n − 1).
    fewest = {SENSITIVITY: counts[0], SPECIFICITY: counts[1]}.get(metric, min(counts))
    assert (got.drop_low[1], got.drop_high[1]) == pytest.approx(bounds, abs=2.0 * (bounds[1] - bounds[0]) / fewest)


@pytest.mark.parametrize("metric", [one for one in METRICS if "clean" not in one.needs], ids=lambda one: one.name)
def test_metrics_that_need_no_clean_scores_tell_releases_apart_as_conditions(metric):
    rng = np.random.default_rng(94)
    malignant = np.arange(600) < 120
    logits = rng.standard_normal((600, 1)) + 2.0 * malignant[:, None] - 1.5
    released = [1 / (1 + np.exp(-each)) for each in (logits, 0.7 * logits + 0.4 * rng.standard_normal(logits.shape))]
    patients = np.arange(600) // 2

    def sample(scores):
        return Sample(scores=np.stack(scores), malignant=malignant, clusters=patients)

    unlike = rng.random(logits.shape)
    got = compare(metric, *(sample([unlike, each]) for each in released), Terms())
    seen = measure(metric, sample(released), Terms())
    for name in ("value", "low", "high", "drop", "drop_low", "drop_high", "standard_error", "drop_standard_error"):
        assert getattr(got, name) == pytest.approx(getattr(seen, name), abs=1e-12, nan_ok=True), name
