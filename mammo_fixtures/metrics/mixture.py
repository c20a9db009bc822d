"""Metrics that mix malignant and other breasts in some proportion, written as contributions of single breasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.placements import Placements

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mixed(
    positives: NDArray[np.float64],
    negatives: NDArray[np.float64],
    weights: tuple[float, float],
    value: NDArray[np.float64] | None = None,
) -> Placements:
    """Contributions whose mean, in either class, is the weighted sum of the two classes' means.

    `value` (conditions,) is the metric where it is no such sum, and the arrays are then influences about it.

    >>> mixed(np.array([[0.0, 1.0]]), np.array([[0.2, 0.4]]), (0.5, 0.5)).mean.tolist()
    [0.4]
    """
    a, b = positives.mean(axis=1, keepdims=True), negatives.mean(axis=1, keepdims=True)
    centre = weights[0] * a + weights[1] * b if value is None else value[:, None]
    return Placements(
        positives=centre + weights[0] * (positives - a),
        negatives=centre + weights[1] * (negatives - b),
    )
