"""Random fields of a view, drawn on the CPU so that every device sees the same noise.

A field is drawn in a fixed number of parts, each with a generator of its own: several threads may then draw one field,
and its values do not depend on how many do.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mammo_fixtures.perturbations.keyed import Key

_PARTS = 8
"""Enough for the cores that one view is worth; another number gives other values."""


def normal_field(key: Key, purpose: str, shape: tuple[int, ...]) -> Tensor:
    """Independent standard-normal values, float32 on the CPU."""
    return _drawn(key, purpose, shape, lambda part, generator: part.normal_(generator=generator))


def uniform_field(key: Key, purpose: str, shape: tuple[int, ...]) -> Tensor:
    """Independent values uniform in [0, 1), float32 on the CPU."""
    return _drawn(key, purpose, shape, lambda part, generator: part.uniform_(generator=generator))


def _drawn(key: Key, purpose: str, shape: tuple[int, ...], draw: Callable[[Tensor, torch.Generator], Tensor]) -> Tensor:
    import torch

    field = torch.empty(shape, dtype=torch.float32)
    flat = field.view(-1)
    edges = [flat.numel() * part // _PARTS for part in range(_PARTS + 1)]

    def draw_part(part: int) -> None:
        draw(flat[edges[part] : edges[part + 1]], key.generator(f"{purpose}, part {part}"))

    with ThreadPoolExecutor(min(_PARTS, torch.get_num_threads())) as pool:
        list(pool.map(draw_part, range(_PARTS)))
    return field
