"""The calibration error's upward bias: written out bin by bin, and taken off where probabilities are right."""

import math

import numpy as np
import pytest

from mammo_fixtures.metrics import Sample, Terms, measure
from mammo_fixtures.metrics.calibration import ECE, read_ece


def drawn(rng, breasts, *, by=0.0):
    """Probabilities that are right, or stated too high by so much on the logit scale."""
    logits = rng.normal(-0.5, 1.3, breasts)
    malignant = rng.random(breasts) < 1 / (1 + np.exp(-logits))
    return 1 / (1 + np.exp(-(logits + by))), malignant


def sample(scores, malignant):
    return Sample(scores=np.stack(scores)[:, :, None], malignant=malignant, clusters=np.arange(len(malignant)))


def estimates_of(rng, breasts, *, by=0.0):
    """Of 300 cohorts with the population's mix, and the error of the population."""
    probabilities, malignant = drawn(rng, 200_000, by=by)
    cancers = round(breasts * malignant.mean())
    counts = ((np.flatnonzero(malignant), cancers), (np.flatnonzero(~malignant), breasts - cancers))
    found = []
    for _ in range(300):
        chosen = np.concatenate([rng.choice(kind, count, replace=False) for kind, count in counts])
        found.append(measure(ECE, sample([probabilities[chosen]], malignant[chosen]), Terms()))
    return found, measure(ECE, sample([probabilities], malignant), Terms()).value[0]


def written_out(probabilities, malignant, prevalence=None):
    """Calibration error, least and most bias: docs/method.md, in loops."""
    m, n = malignant.sum(), (~malignant).sum()
    share = m / (m + n) if prevalence is None else prevalence
    gaps, noises = [], []
    for number in range(10):
        inside = np.array([min(int(p * 10), 9) == number for p in probabilities])
        gap = variance = 0.0
        for kind, weight, count in ((malignant, share, m), (~malignant, 1 - share, n)):
            excess = [(p - label) if here else 0.0 for p, label, here, of in
                      zip(probabilities, malignant, inside, kind, strict=True) if of]  # fmt: skip
            gap += weight * np.mean(excess)
            variance += weight**2 * np.var(excess) / count
        gaps.append(gap)
        noises.append(math.sqrt(variance))
    total = sum(noises)
    square = sum(noise / total * (gap / noise) ** 2 for gap, noise in zip(gaps, noises, strict=True) if noise)
    scatter = 2.0 * math.sqrt(2 * sum((noise / total) ** 2 for noise in noises))
    folded = []
    for side in (-1, 1):
        tau = math.sqrt(max(square / max(1 + side * scatter, 0.2) - 1, 0.0))
        folded.append(math.sqrt(2 / math.pi) * total * (math.sqrt(1 + tau**2) - tau))
    return sum(map(abs, gaps)), *folded


@pytest.mark.parametrize("prevalence", [None, 0.01])
@pytest.mark.parametrize(("breasts", "by"), [(60, 0.0), (300, 0.0), (300, 0.4), (2000, -1.5)])
def test_value_and_bias_are_those_of_the_method(breasts, by, prevalence):
    probabilities, malignant = drawn(np.random.default_rng(breasts), breasts, by=by)
    terms = Terms(prevalence=prevalence)
    reading = read_ece(probabilities[None, malignant], probabilities[None, ~malignant], terms)
    expected = written_out(probabilities, malignant, prevalence)
    assert (reading.placements.mean[0], *reading.bias[:, 0]) == pytest.approx(expected, abs=1e-12)
    assert reading.bias[0, 0] <= reading.bias[1, 0]


def test_without_scatter_there_is_no_bias():
    certain = np.array([[0.0] * 5]), np.array([[1.0] * 5])
    assert read_ece(*certain, Terms()).bias.tolist() == [[0.0], [0.0]]
    assert read_ece(*certain, Terms()).placements.mean.tolist() == [1.0]


def test_of_right_probabilities_the_bounds_reach_down_to_nothing():
    """The error of 300 breasts is some .06 by chance alone, three times what it scatters by."""
    found, _ = estimates_of(np.random.default_rng(95), 300)
    errors = [one.value[0] for one in found]
    assert np.mean(errors) > 2.0 * np.std(errors)
    assert np.mean([one.low[0] <= 1e-9 for one in found]) > 0.95
    assert np.mean([one.high[0] for one in found]) < 0.12


def test_of_wrong_probabilities_the_bounds_enclose_how_wrong_they_are():
    found, error = estimates_of(np.random.default_rng(96), 300, by=1.0)
    assert error > 0.1
    assert np.mean([one.low[0] <= error <= one.high[0] for one in found]) > 0.92
