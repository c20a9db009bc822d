"""A smooth random displacement that folds nowhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.perturbations.keyed import Key

CORRELATION_LENGTH_MM = 20.0
"""Distance at which the correlation has fallen to exp(−1/2)."""
LARGEST_MM = 10.0
"""Up to this maximum no field folds."""
_KERNEL_MM = CORRELATION_LENGTH_MM / math.sqrt(2)
"""Standard deviation of the kernel: white noise under it has the correlation exp(−r²/2ℓ²)."""
_NODE_MM = 5.0
_REACH_MM = 4 * _KERNEL_MM
_CHECK_MM = 2.0

Array = np.ndarray[Any, np.dtype[np.float64]]


def elastic_field(shape: tuple[int, int], spacing_mm: tuple[float, float], key: Key) -> NDArray[np.float32]:
    """Displacement (rows, columns, 2) as (column, row), for a maximum over the image of one of the finer pixels.

    A smooth field of correlation length 20 mm. Draws are numbered, and the first is taken whose gradient, at a maximum
    of 10 mm, stays below 1 in norm everywhere: then neither that nor any smaller maximum folds the image.
    """
    places: list[Array] = [np.arange(n, dtype=np.float64) * mm for n, mm in zip(shape, spacing_mm, strict=True)]
    coarse: list[Array] = [np.linspace(0, x[-1], 2 + int(x[-1] / _CHECK_MM)) for x in places]
    rows, columns = (_kernel(x, x[-1]) for x in places)
    attempt = 0
    while True:
        noise = _noise(key, attempt, (rows.shape[1], columns.shape[1]))
        # Rows first: the second product is the long one and may be in float32.
        field = np.stack([(rows @ part).astype(np.float32) @ columns.astype(np.float32).T for part in noise])
        largest = float(np.sqrt(np.square(field).sum(axis=0).max()))
        if _steepest(noise, coarse) * LARGEST_MM < largest:
            break
        attempt += 1
    finer = min(spacing_mm)
    field *= np.array([[[finer / spacing_mm[1]]], [[finer / spacing_mm[0]]]], dtype=np.float32) / np.float32(largest)
    # In memory one after the other, as resampling adds them fastest.
    return np.moveaxis(field, 0, -1)


def _noise(key: Key, attempt: int, nodes: tuple[int, int]) -> Array:
    import torch

    generator = key.generator(f"elastic field {attempt}")
    noise: Array = torch.randn((2, *nodes), generator=generator, dtype=torch.float64).numpy()
    return noise


def _kernel(places_mm: Array, extent_mm: float, *, derivative: bool = False) -> Array:
    """Weights of the nodes of one axis at each place, or their derivative by mm."""
    nodes = np.arange(-_REACH_MM, extent_mm + _REACH_MM, _NODE_MM)
    distance = places_mm[:, None] - nodes
    weights: Array = np.exp(-0.5 * (distance / _KERNEL_MM) ** 2)
    return weights * (-distance / _KERNEL_MM**2) if derivative else weights


def _steepest(noise: Array, places_mm: list[Array]) -> float:
    """Largest Frobenius norm of the field's gradient at these places."""
    rows, columns = places_mm
    by_row = _kernel(rows, rows[-1], derivative=True) @ noise @ _kernel(columns, columns[-1]).T
    by_column = _kernel(rows, rows[-1]) @ noise @ _kernel(columns, columns[-1], derivative=True).T
    return float(np.sqrt((by_row**2 + by_column**2).sum(axis=0).max()))
