"""Random fields of a view, drawn on the CPU so that every device sees the same noise.

A field is drawn in a fixed number of parts, each from a stream of its own: several threads may then draw one field,
and its values do not depend on how many do. Bits come from NumPy's SFC64, whose streams do not change with versions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.threads import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mammo_fixtures.perturbations.keyed import Key

_PARTS = 8
"""Enough for the cores that one view is worth; another number gives other values."""
_CHUNK = 65_536
"""Values that are made of one stretch of bits: few enough to stay in a cache through all steps, and enough that each
step is worth handing the interpreter's lock to another thread. Another number gives other values."""


def uniform_field(key: Key, purpose: str, shape: tuple[int, ...]) -> Tensor:
    """Independent values uniform in [0, 1), float32 on the CPU."""
    import torch

    return torch.from_numpy(uniform_array(key, purpose, shape))


def normal_array(key: Key, purpose: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Independent standard-normal values."""
    return _drawn(key, purpose, shape, _fill_normal)


def uniform_array(key: Key, purpose: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Independent values uniform in [0, 1)."""
    return _drawn(key, purpose, shape, _fill_uniform)


def _drawn(
    key: Key,
    purpose: str,
    shape: tuple[int, ...],
    fill: Callable[[NDArray[np.float32], NDArray[np.uint64]], None],
) -> NDArray[np.float32]:
    field = np.empty(shape, np.float32)
    flat = field.reshape(-1)
    edges = [flat.size * part // _PARTS for part in range(_PARTS + 1)]

    def draw(part: int) -> None:
        bits = np.random.SFC64(key.digest(f"{purpose}, part {part}"))
        values = flat[edges[part] : edges[part + 1]]
        for start in range(0, values.size, _CHUNK):
            chunk = values[start : start + _CHUNK]
            fill(chunk, bits.random_raw(-(-chunk.size // 2)))

    in_threads(draw, range(_PARTS))
    return field


def _fill_normal(values: NDArray[np.float32], bits: NDArray[np.uint64]) -> None:
    """Two values from two uniform ones: radius √(−2 ln u) and angle (Box and Muller 1958)."""
    pairs = bits.size
    drawn = bits.view(np.int32).astype(np.float32)
    radius, angle = drawn[:pairs], drawn[pairs:]
    # u within (0, 1): float32 has no number between 1 − 2⁻²⁴ and 1, and ln 0 must not be asked for.
    radius *= np.float32(2.0**-32 * (1 - 2.0**-23))
    radius += np.float32(0.5)
    np.log(radius, out=radius)
    radius *= np.float32(-2)
    np.sqrt(radius, out=radius)
    angle *= np.float32(math.pi * 2.0**-31)
    first, second = values[:pairs], values[pairs:]
    np.cos(angle, out=first)
    first *= radius
    np.sin(angle[: second.size], out=second)
    second *= radius[: second.size]


def _fill_uniform(values: NDArray[np.float32], bits: NDArray[np.uint64]) -> None:
    """The upper 24 bits of 32 as a fraction: float32 holds each of them exactly."""
    drawn = bits.view(np.uint32)[: values.size]
    np.multiply(drawn >> np.uint32(8), np.float32(2.0**-24), out=values, casting="unsafe")
