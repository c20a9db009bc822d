"""Perturbations of positioning."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from torch import Tensor


def rotation(
    pixels: Tensor,
    *,
    degrees: float,
    spacing_mm: tuple[float, float],
    pivot: tuple[float, float],
    chest_wall: str,
    background: float,
    out: Tensor | None = None,
) -> Tensor:
    """The breast turned about the midpoint of its chest-wall edge, counter-clockwise as displayed, bilinear.

    Pixels revealed at the chest wall repeat the edge pixel; elsewhere they are background. Angles are true in mm, also
    where rows and columns are spaced differently.
    """
    import torch

    rows, columns = pixels.shape
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    aspect = spacing_mm[0] / spacing_mm[1]
    down = torch.arange(rows, dtype=torch.float32, device=pixels.device)[:, None] - pivot[0]
    right = torch.arange(columns, dtype=torch.float32, device=pixels.device)[None, :] - pivot[1]
    # Where each new pixel comes from: the turn undone, in millimetres.
    source_row = down * cosine + right * (sine / aspect) + pivot[0]
    source_column = right * cosine - down * (sine * aspect) + pivot[1]
    source_column = source_column.clamp_(min=0) if chest_wall == "left" else source_column.clamp_(max=columns - 1)
    return resample(pixels, source_row, source_column, background=background, out=out)


def resample(
    pixels: Tensor, source_row: Tensor, source_column: Tensor, *, background: float, out: Tensor | None
) -> Tensor:
    """Bilinear values at the given places in pixels (row, column); background beyond the image."""
    import torch

    rows, columns = pixels.shape
    grid = torch.empty((1, *source_row.shape, 2), dtype=torch.float32, device=pixels.device)
    # grid_sample counts an axis of one pixel from its centre only, whatever the coordinate's scale.
    torch.mul(source_column, 2 / max(columns - 1, 1), out=grid[0, ..., 0]).sub_(1)
    torch.mul(source_row, 2 / max(rows - 1, 1), out=grid[0, ..., 1]).sub_(1)
    lifted = pixels - background if background else pixels
    sampled = torch.nn.functional.grid_sample(
        lifted[None, None], grid, mode="bilinear", padding_mode="zeros", align_corners=True
    )[0, 0]
    if background:
        sampled += background
    return sampled if out is None else out.copy_(sampled)


ROTATION = Perturbation(
    name="rotation",
    apply=rotation,
    parameter="degrees",
    unit="degrees",
    unit_label="deg",
    integer_digits=2,
    decimals=0,
    severities=(1, 2, 5, 10, 15),
    valid=(-180, 180),
    nothing=0.0,
    shares=("spacing_mm", "pivot", "chest_wall", "background"),
    source="Positioning of the breast on the support; 15 degrees is beyond what technologists accept.",
)
