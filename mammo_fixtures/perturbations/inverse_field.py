"""The displacement that undoes another one.

Two stages, as in multigrid. On every eighth row and column repetition finds it, for a field that folds nowhere draws
nearer to it with each step. That, interpolated, is good to a pixel; Newton's method then needs two to five steps. The
inverse map's own differences are its Jacobian, so that none of the field need be sampled. Tiles are made one by one:
their steps stay in a core's cache, each takes as many as it needs, and coordinates within them are short.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.source_map import TILE
from mammo_fixtures.perturbations.threads import in_threads

if TYPE_CHECKING:
    from torch import Tensor

_NODE = 8
"""Pixels between the places of the first stage."""
_STEPS = 30
"""Of the first stage; each leaves about half of what was left."""
_OF_NEWTON, _OF_REPETITION = 8, 100
"""Steps of the second stage: with Newton's method, and where those do not come to an end."""
_SMALL_PIXELS = 3e-4
"""A tile is done after a step that is nowhere longer; the next one would be a fifth of it or less."""


def inverse_field(field: Tensor, amount: float) -> Tensor:
    """v with v(q) = −u(q + amount · v(q)) for a field u, (rows, columns, 2) as (column, row), none beyond −1 … 1.

    Beyond its edges the field goes on as at them. To 1e-4 of a pixel.
    """
    import torch

    planes = field.permute(2, 0, 1)
    nodes = _at_nodes(planes, amount)
    inverse = torch.empty(planes.shape, dtype=planes.dtype, device=planes.device)
    rows, columns = planes.shape[1:]
    # A GPU takes longer to begin a step than to make it.
    side = TILE if planes.device.type == "cpu" else -(-max(rows, columns) // _NODE) * _NODE

    def make(corner: tuple[int, int]) -> None:
        _make(inverse, planes, nodes, amount, corner, side)

    in_threads(make, list(product(range(0, rows, side), range(0, columns, side))))
    return inverse.permute(1, 2, 0)


def _at_nodes(planes: Tensor, amount: float) -> Tensor:
    """The inverse at every eighth row and column, (2, rows, columns), the last ones at the image's edges or beyond."""
    import torch

    down, right = (
        torch.arange(-(-(n - 1) // _NODE) + 1, dtype=planes.dtype, device=planes.device).mul_(_NODE)
        for n in planes.shape[1:]
    )
    places = torch.stack([right.expand(len(down), -1), down[:, None].expand(-1, len(right))])
    inverse = torch.zeros_like(places)
    for _ in range(_STEPS):
        inverse = _sampled(planes, torch.add(places, inverse, alpha=amount)).neg_()
    return inverse


def _make(inverse: Tensor, planes: Tensor, nodes: Tensor, amount: float, corner: tuple[int, int], side: int) -> None:
    """The inverse in one tile."""
    import torch

    (top, left), reach = corner, math.ceil(abs(amount)) + 1
    tile = inverse[:, top : top + side, left : left + side]
    rows, columns = tile.shape[1:]
    row, column = top // _NODE, left // _NODE
    some = nodes[:, row : row + side // _NODE + 1, column : column + side // _NODE + 1]
    size = [(n - 1) * _NODE + 1 for n in some.shape[1:]]
    found = torch.nn.functional.interpolate(some[None], size=size, mode="bicubic", align_corners=True)
    found = found[0, :, :rows, :columns].contiguous()
    above, before = max(top - reach, 0), max(left - reach, 0)
    crop = planes[:, above : top + rows + reach, before : left + columns + reach]
    down = torch.arange(top - above, top - above + rows, dtype=planes.dtype, device=planes.device)
    right = torch.arange(left - before, left - before + columns, dtype=planes.dtype, device=planes.device)
    places = torch.stack([right.expand(rows, -1), down[:, None].expand(-1, columns)])
    tile.copy_(_improved(found, crop, places, amount, newton=True))


def _improved(start: Tensor, crop: Tensor, places: Tensor, amount: float, *, newton: bool) -> Tensor:
    """What steps from `start` come to. Newton's may not come to an end where the field nearly folds; others do."""
    import torch

    found = start.clone()
    for _ in range(_OF_NEWTON if newton else _OF_REPETITION):
        left_over = _sampled(crop, torch.add(places, found, alpha=amount)).add_(found)
        step = left_over.clone()
        for along, part in ((1, left_over[1]), (2, left_over[0])) if newton else ():
            if found.shape[along] > 1:
                (slope,) = torch.gradient(found, dim=along)
                step.add_(slope.mul_(part), alpha=amount)
        found.sub_(step)
        if float(step.abs().max()) * abs(amount) <= (_SMALL_PIXELS if newton else _SMALL_PIXELS / 10):
            return found
    return _improved(start, crop, places, amount, newton=False) if newton else found


def _sampled(planes: Tensor, places: Tensor) -> Tensor:
    """The field at places (2, rows, columns) as column and row, pixels."""
    import torch

    last = torch.tensor([max(n - 1, 1) for n in reversed(planes.shape[1:])], dtype=planes.dtype)
    grid = places.mul_((2 / last).to(planes.device)[:, None, None]).sub_(1).permute(1, 2, 0)
    return torch.nn.functional.grid_sample(planes[None], grid[None], padding_mode="border", align_corners=True)[0]
