"""What interpolation alone does in a geometric perturbation."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.content import Content
from mammo_fixtures.perturbations.geometry import ELASTIC, MAGNIFICATION, POSTERIOR_CUT, ROTATION, TRANSLATION
from mammo_fixtures.perturbations.geometry_sources import SOURCES, UPRIGHT
from mammo_fixtures.perturbations.inverse_field import inverse_field
from mammo_fixtures.perturbations.record import Perturbation
from mammo_fixtures.perturbations.resampling import resample
from mammo_fixtures.perturbations.shared import Shared
from mammo_fixtures.perturbations.source_map import SourceMap
from mammo_fixtures.perturbations.threads import in_threads

if TYPE_CHECKING:
    from torch import Tensor

_BLOCK = 32
"""Side of the blocks, pixels, that are told apart as background or not."""


def there_and_back(shared: Shared, there: SourceMap) -> Tensor:
    """The view moved and moved back: everything in its place, but interpolated twice; in fresh memory.

    Bilinear interpolation is a low-pass. A report gives a geometric result as two numbers: the score under the
    perturbation and the score of this control. What the control loses against clean is interpolation, at most twice
    that of the perturbation itself; only a loss beyond it speaks of geometry. Nothing is lost at the image's edges:
    the way there and back is on a larger canvas. Movements by whole pixels interpolate nothing, so that their control
    is the clean image bit for bit.
    """
    if there.matrix == UPRIGHT and there.displacement is None and all(shift.is_integer() for shift in there.offset):
        return shared.pixels.clone()
    margin = _margin(there, shared.view.shape)
    canvas = _on_canvas(shared, margin)
    there = _moved(there, margin)
    for source in (there, _undone(there)):
        # Asked of a CPU, which then leaves background out; a GPU would have to be waited for.
        content = _content(canvas, shared.background) if canvas.device.type == "cpu" else None
        canvas = resample(
            canvas, source, chest_wall=shared.chest_wall, background=shared.background, content=content, out=None
        )
    rows, columns = shared.view.shape
    return canvas[margin : margin + rows, margin : margin + columns].clone()


def _margin(source: SourceMap, shape: tuple[int, int]) -> int:
    """Pixels that no movement of the image's corners exceeds."""
    corners = np.array([[0, 0, shape[0], shape[0]], [0, shape[1], 0, shape[1]]], dtype=np.float64)
    matrix, offset = np.array(source.matrix), np.array(source.offset)[:, None]
    moved = np.abs(np.linalg.solve(matrix, corners - offset) - corners).max()
    back = np.abs(matrix @ corners + offset - corners).max()
    return math.ceil(max(float(moved), float(back)) + abs(source.amount)) + 2


def _on_canvas(shared: Shared, margin: int) -> Tensor:
    """The image amid background, its chest-wall pixels repeated outwards."""
    import torch

    rows, columns = shared.view.shape
    canvas = torch.full((rows + 2 * margin, columns + 2 * margin), shared.background, device=shared.pixels.device)
    canvas[margin : margin + rows, margin : margin + columns] = shared.pixels
    beyond = slice(0, margin) if shared.chest_wall == "left" else slice(margin + columns, None)
    edge = 0 if shared.chest_wall == "left" else columns - 1
    canvas[margin : margin + rows, beyond] = shared.pixels[:, edge : edge + 1]
    return canvas


def _content(canvas: Tensor, background: float) -> Content:
    """Where the canvas is not background: most of it is, and stays so."""
    array, tops = canvas.numpy(), range(0, canvas.shape[0], _BLOCK)
    # Some rows at a time, which stay in a core's cache.
    filled = np.stack(in_threads(lambda top: (array[top : top + _BLOCK] != background).any(axis=0), tops))
    filled = np.logical_or.reduceat(filled, np.arange(0, filled.shape[1], _BLOCK), axis=1)
    return Content(blocks=filled, step=(_BLOCK, _BLOCK))


def _moved(source: SourceMap, margin: int) -> SourceMap:
    """The same movement on the canvas; beyond the image the field goes on as at its edge."""
    import torch

    offset = np.array(source.offset) + margin - np.array(source.matrix) @ np.array([margin, margin])
    field = source.displacement
    if field is not None:
        planes = field.permute(2, 0, 1)[None]
        field = torch.nn.functional.pad(planes, (margin,) * 4, mode="replicate")[0].permute(1, 2, 0)
    return replace(source, offset=(float(offset[0]), float(offset[1])), displacement=field)


def _undone(source: SourceMap) -> SourceMap:
    """The inverse movement."""
    inverse = np.linalg.inv(np.array(source.matrix))
    offset = -inverse @ np.array(source.offset)
    matrix = ((float(inverse[0, 0]), float(inverse[0, 1])), (float(inverse[1, 0]), float(inverse[1, 1])))
    field = None if source.displacement is None else inverse_field(source.displacement, source.amount)
    return replace(source, matrix=matrix, offset=(float(offset[0]), float(offset[1])), displacement=field)


def _control(moved: Perturbation) -> Perturbation:
    """The control of a geometric perturbation as a condition of its own, scored on a few breasts."""

    def apply(pixels: Tensor, *, itself: Shared, out: Tensor | None = None, **severity: float) -> Tensor:
        """What interpolation alone does: moved, and moved back."""
        control = there_and_back(itself, SOURCES[moved.name](itself, severity[moved.parameter]))
        return control if out is None else out.copy_(control)

    return replace(
        moved,
        name=f"{moved.name}{CONTROL}",
        apply=apply,
        set="extended",
        ladder="profile",
        may_cancel=True,
        shares=("itself",),
        subset=SUBSET,
        flag=None,
        notes={},
        source=f"Control of `{moved.name}`: bilinear interpolation is a low-pass, and this is all that it does.",
    )


CONTROL = "_control"
SUBSET = 40
CONTROLS = tuple(map(_control, (ROTATION, TRANSLATION, POSTERIOR_CUT, MAGNIFICATION, ELASTIC)))
"""By perturbation that interpolates: `rotation_control` and so on."""
