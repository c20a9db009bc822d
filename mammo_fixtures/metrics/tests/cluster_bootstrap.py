"""Standard errors of every metric and of its drop by resampling patients, with each metric written out anew.

`python -m mammo_fixtures.metrics.tests.cluster_bootstrap [replicates]` prints, for every metric, the clustered standard
error over that of 10,000 resamples. A resample is a number for each breast, how often its patient was drawn; a metric
of all resamples at once is a few sums over breasts in order of score. Whatever a metric estimates on the way, its
operating point included, is estimated anew in each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mammo_fixtures.metrics import METRICS, Sample, Terms, measure
from mammo_fixtures.metrics.tests.simulated_metrics import Setting
from mammo_fixtures.metrics.tests.simulated_scores import Population

PREVALENCE = 0.05
TERMS = Terms(prevalence=PREVALENCE)
_BATCH = 500

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One reader's scores (conditions, breasts), labels, and how often each breast was drawn (resamples, breasts)."""

    scores: Array
    malignant: NDArray[np.bool_]
    times: Array

    @property
    def mix(self) -> Array:
        """Weights that sum to 1 in every resample, the malignant ones to the prevalence."""
        m, n = self.malignant, ~self.malignant
        weights = np.empty_like(self.times)
        weights[:, m] = PREVALENCE * self.times[:, m] / self.times[:, m].sum(axis=1, keepdims=True)
        weights[:, n] = (1.0 - PREVALENCE) * self.times[:, n] / self.times[:, n].sum(axis=1, keepdims=True)
        return weights


def _roc(drawn: Drawn, condition: int) -> tuple[Array, Array]:
    """False- and true-positive rates (resamples, thresholds + 1), from calling all to calling none."""
    scores = drawn.scores[condition]
    order = np.argsort(scores, kind="stable")
    last = np.append(np.diff(scores[order]) > 0, True)
    rates = []
    for of in (~drawn.malignant, drawn.malignant):
        passed = np.cumsum((drawn.times * of)[:, order], axis=1)[:, last]
        rates.append(1.0 - np.insert(passed / passed[:, -1:], 0, 0.0, axis=1))
    return rates[0], rates[1]


def auc(drawn: Drawn, condition: int) -> Array:
    x, y = _roc(drawn, condition)
    return np.sum((x[:, :-1] - x[:, 1:]) * (y[:, :-1] + y[:, 1:]) / 2.0, axis=1)


def partial_auc(drawn: Drawn, condition: int) -> Array:
    x, y = _roc(drawn, condition)
    left, right = np.minimum(x[:, 1:], 0.2), np.minimum(x[:, :-1], 0.2)
    width = np.maximum(x[:, :-1] - x[:, 1:], 1e-300)
    at_left, at_right = (
        y[:, 1:] + (y[:, :-1] - y[:, 1:]) * np.clip((at - x[:, 1:]) / width, 0, 1) for at in (left, right)
    )
    area = np.sum((right - left) * (at_left + at_right) / 2.0, axis=1)
    return 0.5 * (1.0 + (area - 0.02) / 0.18)


def ks(drawn: Drawn, condition: int) -> Array:
    x, y = _roc(drawn, condition)
    return np.abs(y - x).max(axis=1)


def _called(drawn: Drawn) -> list[NDArray[np.bool_]]:
    """(resamples, breasts) under each condition, above each resample's own threshold."""
    clean, others = drawn.scores[0], ~drawn.malignant
    order = np.argsort(clean[others], kind="stable")
    passed = np.cumsum(drawn.times[:, others][:, order], axis=1)
    at = np.argmax(passed >= 0.9 * passed[:, -1:] - 1e-9, axis=1)
    threshold = clean[others][order][at][:, None]
    return [scores > threshold for scores in drawn.scores]


def sensitivity(drawn: Drawn, condition: int) -> Array:
    of = drawn.times * drawn.malignant
    return (of * _called(drawn)[condition]).sum(axis=1) / of.sum(axis=1)


def specificity(drawn: Drawn, condition: int) -> Array:
    of = drawn.times * ~drawn.malignant
    return 1.0 - (of * _called(drawn)[condition]).sum(axis=1) / of.sum(axis=1)


def recall_rate(drawn: Drawn, condition: int) -> Array:
    return (drawn.mix * _called(drawn)[condition]).sum(axis=1)


def flip_rate(drawn: Drawn, condition: int) -> Array:
    called = _called(drawn)
    return (drawn.mix * (called[condition] != called[0])).sum(axis=1)


def rank_correlation(drawn: Drawn, condition: int) -> Array:
    ranks = []
    for scores in (drawn.scores[0], drawn.scores[condition]):
        values, place = np.unique(scores, return_inverse=True)
        of_value = np.zeros((len(drawn.times), len(values)))
        for breast, value in enumerate(place):
            of_value[:, value] += drawn.times[:, breast]
        ranks.append((np.cumsum(of_value, axis=1) - of_value / 2.0)[:, place])
    total = drawn.times.sum(axis=1, keepdims=True)
    a, b = (rank - (drawn.times * rank).sum(axis=1, keepdims=True) / total for rank in ranks)
    return (drawn.times * a * b).sum(axis=1) / np.sqrt(
        (drawn.times * a * a).sum(axis=1) * (drawn.times * b * b).sum(axis=1)
    )


def _logit(probability: Array) -> Array:
    return np.log(probability / (1.0 - probability))


def logit_shift(drawn: Drawn, condition: int) -> Array:
    return drawn.mix @ (_logit(drawn.scores[condition]) - _logit(drawn.scores[0]))


def brier(drawn: Drawn, condition: int) -> Array:
    return drawn.mix @ (drawn.scores[condition] - drawn.malignant) ** 2


def ece(drawn: Drawn, condition: int) -> Array:
    scores = drawn.scores[condition]
    member = np.minimum((scores * 10).astype(int), 9)[:, None] == np.arange(10)
    return np.abs((drawn.mix * (scores - drawn.malignant)) @ member).sum(axis=1)


def recalibration(which: int, drawn: Drawn, condition: int) -> Array:
    """Intercept at slope 1 (0) or slope (1), by Newton's method in all resamples at once."""
    x, y, weights = _logit(drawn.scores[condition]), drawn.malignant.astype(float), drawn.mix
    a, b = np.zeros((len(weights), 1)), np.full((len(weights), 1), 1.0 if which == 0 else 0.0)
    for _ in range(60):
        p = 1.0 / (1.0 + np.exp(-(a + b * x)))
        residual, curvature = weights * (y - p), weights * p * (1.0 - p)
        g0, g1 = (f.sum(axis=1, keepdims=True) for f in (residual, residual * x))
        h0, h1, h2 = (f.sum(axis=1, keepdims=True) for f in (curvature, curvature * x, curvature * x * x))
        if which == 0:
            step = g0 / h0, np.zeros_like(b)
        else:
            determinant = h0 * h2 - h1 * h1
            step = (h2 * g0 - h1 * g1) / determinant, (h0 * g1 - h1 * g0) / determinant
        short = np.maximum(1.0, np.maximum(np.abs(step[0]), np.abs(step[1])))
        a, b = a + step[0] / short, b + step[1] / short
        if max(np.abs(step[0]).max(), np.abs(step[1]).max()) < 1e-9:
            break
    return (a if which == 0 else b)[:, 0]


WRITTEN_OUT: dict[str, Callable[[Drawn, int], Array]] = {
    "auc": auc,
    "partial_auc": partial_auc,
    "sensitivity": sensitivity,
    "specificity": specificity,
    "recall_rate": recall_rate,
    "ks": ks,
    "flip_rate": flip_rate,
    "rank_correlation": rank_correlation,
    "logit_shift": logit_shift,
    "brier": brier,
    "ece": ece,
    "calibration_slope": partial(recalibration, 1),
    "calibration_intercept": partial(recalibration, 0),
}


def cohort(positives: int, seed: int = 9) -> Sample:
    """One cohort with bilateral patients."""
    population = Population(auc=0.87, positives=positives, negatives=600, bilateral=True)
    return Setting(population=population).draw(np.random.default_rng(seed))


def undrawn(sample: Sample) -> Drawn:
    """The sample itself, every breast once."""
    return Drawn(scores=sample.scores[:, :, 0], malignant=sample.malignant, times=np.ones((1, len(sample.malignant))))


def ratios(
    sample: Sample, replicates: int, names: tuple[str, ...] = tuple(WRITTEN_OUT), seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Clustered standard error over the bootstrap's, of the perturbed value and of the drop."""
    rng = np.random.default_rng(seed)
    patients, place = np.unique(sample.clusters, return_inverse=True)
    figures: dict[str, list[Array]] = {name: [] for name in names}
    for start in range(0, replicates, _BATCH):
        size = min(_BATCH, replicates - start)
        times = rng.multinomial(len(patients), np.full(len(patients), 1.0 / len(patients)), size=size)[:, place]
        drawn = Drawn(scores=sample.scores[:, :, 0], malignant=sample.malignant, times=times.astype(float))
        for name in names:
            figures[name].append(np.stack([WRITTEN_OUT[name](drawn, condition) for condition in (0, 1)]))
    found = {}
    for metric in METRICS:
        if metric.name in names:
            clean, perturbed = np.concatenate(figures[metric.name], axis=1)
            ours = measure(metric, sample, TERMS)
            found[metric.name] = (
                float(ours.standard_error[1] / np.std(perturbed, ddof=1)),
                float(ours.drop_standard_error[1] / np.std(clean - perturbed, ddof=1)),
            )
    return found


def main(replicates: int) -> None:
    print(f"clustered standard error over that of {replicates} resamples: metric under a perturbation / its drop")
    columns = {positives: ratios(cohort(positives), replicates) for positives in (61, 200)}
    for name in WRITTEN_OUT:
        cells = " | ".join("{:.3f} / {:.3f}".format(*column[name]) for column in columns.values())
        print(f"| {name} | {cells} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
