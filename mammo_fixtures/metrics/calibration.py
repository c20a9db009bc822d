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
_HIDDEN = (1.0, 1.0 / (2.0**0.5 - 1.0))
"""True bias in units of what normal noise adds to gaps that scatter already: where there is no gap, noise alone grows
by √2 − 1 of itself; where gaps are distinct it grows by next to nothing."""


def read_brier(positives: NDArray[np.float64], negatives: NDArray[np.float64], terms: Terms) -> Reading:
    """Mean squared difference of probability and label, of one reader's scores (conditions, breasts)."""
    weights = terms.weights(positives.shape[1], negatives.shape[1])
    return Reading(placements=mixed((1.0 - positives) ** 2, negatives**2, weights))


def read_ece(positives: NDArray[np.float64], negatives: NDArray[np.float64], terms: Terms) -> Reading:
    """Expected calibration error: mean over ten bins of |mean probability − share malignant|, weighted by content.

    An absolute value of a noisy difference is biased upward; the bias is what normal noise of the observed size would
    add to the observed differences, and up to 2.4 times that: they are noisy already.
    """
    weights = terms.weights(positives.shape[1], negatives.shape[1])
    parts = [_calibration_gaps(p, n, weights) for p, n in zip(positives, negatives, strict=True)]
    placements = mixed(np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts]), weights)
    return Reading(placements=placements, bias=np.array([part[2] for part in parts]))


def _calibration_gaps(
    positives: NDArray[np.float64], negatives: NDArray[np.float64], weights: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Contributions of malignant and of other breasts, and the bias, under one condition."""
    from scipy.special import erf

    bins = [np.minimum((scores * _BINS).astype(np.intp), _BINS - 1) for scores in (positives, negatives)]
    excess = [positives - 1.0, negatives]
    gap, noise = np.zeros(_BINS), np.zeros(_BINS)
    for number, values, weight in zip(bins, excess, weights, strict=True):
        mean = np.bincount(number, values, _BINS) / len(values)
        square = np.bincount(number, values**2, _BINS) / len(values)
        gap += weight * mean
        noise += weight**2 * (square - mean**2) / len(values)
    sign = np.where(gap < 0.0, -1.0, 1.0)
    noise = np.sqrt(np.maximum(noise, 1e-300))
    folded = noise * math.sqrt(2.0 / math.pi) * np.exp(-0.5 * (gap / noise) ** 2)
    folded += gap * erf(gap / noise / math.sqrt(2.0))
    bias = float(np.sum(folded - np.abs(gap)))
    return sign[bins[0]] * excess[0], sign[bins[1]] * excess[1], bias


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
    bounds=partial(plain_bounds, 0.0, 1.0, biases=_HIDDEN),
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
