"""Calibration: whether probabilities mean what they say, for a declared prevalence."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.metric import Metric, Reading, Terms
from mammo_fixtures.metrics.mixture import mixed
from mammo_fixtures.metrics.one_reader import over_readers
from mammo_fixtures.metrics.plain_bounds import plain_bounds
from mammo_fixtures.metrics.separability import FEWEST_UNBIASED

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BINS = 10
"""Equally wide."""
_BETWEEN = 2.0
"""Standard errors of the gaps' spread to either side, between which the bias is taken to lie: with fewer, a rise from
right probabilities to wrong ones lay above its bound in up to a tenth of samples."""


def read_brier(positives: NDArray[np.float64], negatives: NDArray[np.float64], terms: Terms) -> Reading:
    """Mean squared difference of probability and label, of one reader's scores (conditions, breasts)."""
    weights = terms.weights(positives.shape[1], negatives.shape[1])
    return Reading(placements=mixed((1.0 - positives) ** 2, negatives**2, weights))


def read_ece(positives: NDArray[np.float64], negatives: NDArray[np.float64], terms: Terms) -> Reading:
    """Expected calibration error: mean over ten bins of |mean probability − share malignant|, weighted by content.

    An absolute value of a noisy difference is biased upward, the more the smaller the true one is. How large the true
    ones are is read off the observed ones less their noise, as in empirical Bayes estimation (Efron and Morris 1973,
    Journal of the American Statistical Association 68:117).
    """
    weights = terms.weights(positives.shape[1], negatives.shape[1])
    parts = [_calibration_gaps(p, n, weights) for p, n in zip(positives, negatives, strict=True)]
    placements = mixed(np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts]), weights)
    return Reading(placements=placements, bias=np.array([part[2] for part in parts]).T)


def _calibration_gaps(
    positives: NDArray[np.float64], negatives: NDArray[np.float64], weights: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, float]]:
    """Contributions of malignant and of other breasts, and least and most bias, under one condition."""
    bins = [np.minimum((scores * _BINS).astype(np.intp), _BINS - 1) for scores in (positives, negatives)]
    excess = [positives - 1.0, negatives]
    gap, noise = np.zeros(_BINS), np.zeros(_BINS)
    for number, values, weight in zip(bins, excess, weights, strict=True):
        mean = np.bincount(number, values, _BINS) / len(values)
        square = np.bincount(number, values**2, _BINS) / len(values)
        gap += weight * mean
        # Equal scores that fill a bin scatter by rounding alone, which may fall below nothing.
        noise += weight**2 * np.maximum(square - mean**2, 0.0) / len(values)
    sign = np.where(gap < 0.0, -1.0, 1.0)
    return sign[bins[0]] * excess[0], sign[bins[1]] * excess[1], _folding(gap, np.sqrt(noise))


def _folding(gap: NDArray[np.float64], noise: NDArray[np.float64]) -> tuple[float, float]:
    """Least and most plausible bias of the sum of absolute gaps (bins,), each with normal noise of a known size.

    True gaps are taken for normal with τ times the spread of their noise. Then the folded noise adds
    √(2/π) Σ noise · (√(1 + τ²) − τ), and 1 + τ² is the mean square of gap over noise: bins count by their noise, as
    they do in the bias.
    """
    some = noise > 0.0
    total = float(noise.sum())
    if total == 0.0:
        return 0.0, 0.0
    share = noise[some] / total
    square = float(share @ (gap[some] / noise[some]) ** 2)
    scatter = _BETWEEN * math.sqrt(2.0 * float(share @ share))
    # Relative to what a mean square of 1 + τ² scatters by; from below, no more than makes it five times as large.
    spread = [max(square / max(1.0 + side * scatter, 0.2) - 1.0, 0.0) for side in (-1.0, 1.0)]
    folded = math.sqrt(2.0 / math.pi) * total
    least, most = (folded * (math.sqrt(1.0 + tau2) - math.sqrt(tau2)) for tau2 in spread)
    return least, most


def read_recalibration(
    which: int, positives: NDArray[np.float64], negatives: NDArray[np.float64], terms: Terms
) -> Reading:
    """Logistic recalibration of the clean and perturbed logits: intercept at slope 1 (0), or slope (1)."""
    from mammo_fixtures.metrics.recalibration import fitted

    weights = terms.weights(positives.shape[1], negatives.shape[1])
    fits = [fitted(p, n, weights, which, terms) for p, n in zip(positives, negatives, strict=True)]
    return Reading(
        placements=mixed(
            np.stack([fit[1] for fit in fits]),
            np.stack([fit[2] for fit in fits]),
            weights,
            np.array([fit[0] for fit in fits]),
        ),
        lost=weights[0] * np.array([fit[3] for fit in fits]),
        alarm=weights[1] * np.array([fit[4] for fit in fits]),
    )


_NEEDS = frozenset({"prevalence", "probabilities"})
_COX = "Cox 1958, Biometrika 45:562; Van Calster et al. 2016, Journal of Clinical Epidemiology 74:167"

BRIER = Metric(
    name="brier",
    title="Brier score",
    read=partial(over_readers, read_brier),
    bounds=partial(plain_bounds, 0.0, 1.0),
    chance=None,
    source="Brier 1950, Monthly Weather Review 78:1",
    better="smaller",
    needs=_NEEDS,
)
ECE = Metric(
    name="ece",
    title="expected calibration error",
    read=partial(over_readers, read_ece),
    bounds=partial(plain_bounds, 0.0, 1.0, biases_apart=True),
    chance=None,
    source="Naeini et al. 2015, AAAI 29:2901",
    better="smaller",
    fewest=FEWEST_UNBIASED,
    needs=_NEEDS,
)
CALIBRATION_SLOPE = Metric(
    name="calibration_slope",
    title="calibration slope",
    read=partial(over_readers, partial(read_recalibration, 1)),
    bounds=partial(plain_bounds, -math.inf, math.inf),
    chance=None,
    source=_COX,
    better="steady",
    low=-math.inf,
    high=math.inf,
    needs=_NEEDS,
    snapshot=0.02,
)
CALIBRATION_INTERCEPT = Metric(
    name="calibration_intercept",
    title="calibration intercept",
    read=partial(over_readers, partial(read_recalibration, 0)),
    bounds=partial(plain_bounds, -math.inf, math.inf),
    chance=None,
    source=_COX,
    better="steady",
    low=-math.inf,
    high=math.inf,
    needs=_NEEDS,
    snapshot=0.02,
)
