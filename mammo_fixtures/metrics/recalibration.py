"""Logistic recalibration by Newton's method, with the influence of each breast."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.stability import logits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.metrics.metric import Terms

_STEPS = 50
_EXACT = 1e-10
_MOST_LEVERAGE = 0.9
_STEEPEST = 1e3
"""A slope beyond this means that the classes do not overlap, and then there is none."""


def fitted(
    positives: NDArray[np.float64],
    negatives: NDArray[np.float64],
    weights: tuple[float, float],
    which: int,
    terms: Terms,
) -> tuple[float, NDArray[np.float64], NDArray[np.float64], float, float]:
    """The intercept at slope 1 (`which` 0) or the slope (1), and the influence of malignant and of other breasts.

    Last come the influences of a malignant breast that scores like the others on average, and of one of the others that
    scores like the malignant ones; the slope is not on guard against that one, which then is nothing.

    NaN where the classes do not overlap. Influences are over one less their breast's leverage: HC3, which approximates
    the jackknife (MacKinnon and White 1985, Journal of Econometrics 29:305). For clusters Mancl and DeRouen (2001,
    Biometrics 57:126) take the whole block of a cluster; this is its diagonal, the same with one breast a patient.
    """
    m, n = len(positives), len(negatives)
    x = logits(np.concatenate([positives, negatives]), terms)
    y = np.concatenate([np.ones(m), np.zeros(n)])
    weight = np.concatenate([np.full(m, weights[0] / m), np.full(n, weights[1] / n)])
    offset = x if which == 0 else np.zeros_like(x)
    design = np.ones((1, m + n)) if which == 0 else np.stack([np.ones(m + n), x])
    found = np.zeros(len(design))
    unknown = math.nan, np.full(m, math.nan), np.full(n, math.nan), math.nan, math.nan
    for _ in range(_STEPS):
        expected = _logistic(offset + found @ design)
        gradient = design @ (weight * (y - expected))
        information = (design * (weight * expected * (1.0 - expected))) @ design.T
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return unknown
        # Far from the optimum a whole Newton step may overshoot without end.
        found = found + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _EXACT:
            break
        if not np.isfinite(found).all() or np.abs(found).max() > _STEEPEST:
            return unknown
    else:
        return unknown
    expected = _logistic(offset + found @ design)
    information = (design * (weight * expected * (1.0 - expected))) @ design.T
    solved = np.linalg.solve(information, design)
    # A breast pulls the fit towards itself, so its residual is too small by its leverage.
    leverage = weight * expected * (1.0 - expected) * (design * solved).sum(axis=0)
    influence = solved[which] * (y - expected) / (1.0 - np.minimum(leverage, _MOST_LEVERAGE))
    usual = float(x[m:].mean())
    column = np.array([1.0]) if which == 0 else np.array([1.0, usual])
    missed = 1.0 - float(_logistic(np.array(usual + found[0] if which == 0 else found @ column)))
    lost = float(np.linalg.solve(information, column * missed)[which])
    alarming = float(_logistic(np.array(float(x[:m].mean()) + found[0])))
    alarm = -float(np.linalg.solve(information, np.array([alarming]))[0]) if which == 0 else 0.0
    return float(found[which]), influence[:m], influence[m:], lost, alarm


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
