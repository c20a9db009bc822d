"""Perturbations of positioning.

Chest-wall pixels that a movement reveals repeat the edge pixel; elsewhere the background comes in. Sub-pixel movements
are bilinear, which alone is a low-pass: see `resampling_control`.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.breast_mask import Box
from mammo_fixtures.perturbations.content import Content
from mammo_fixtures.perturbations.geometry_sources import (
    elastic_source,
    magnification_source,
    posterior_cut_source,
    rotation_source,
    signed_rows,
)
from mammo_fixtures.perturbations.record import Perturbation
from mammo_fixtures.perturbations.resampling import resample
from mammo_fixtures.perturbations.share_kept import central_box, flag_of_share_kept, notes_of_share_kept

if TYPE_CHECKING:
    from torch import Tensor

    from mammo_fixtures.perturbations.keyed import Key

Pair = tuple[float, float]


def rotation(
    pixels: Tensor,
    *,
    degrees: float,
    spacing_mm: Pair,
    pivot: Pair,
    chest_wall: str,
    background: float,
    content: Content,
    out: Tensor | None = None,
) -> Tensor:
    """The breast turned about the midpoint of its chest-wall edge, counter-clockwise as displayed, bilinear.

    Angles are true in mm, also where rows and columns are spaced differently.
    """
    source = rotation_source(degrees, spacing_mm, pivot)
    return resample(pixels, source, chest_wall=chest_wall, background=background, content=content, out=out)


def translation(
    pixels: Tensor, *, shift_mm: float, spacing_mm: Pair, key: Key, background: float, out: Tensor | None = None
) -> Tensor:
    """The breast shifted along the chest wall, up or down as the view's key says."""
    return shifted_down(pixels, signed_rows(shift_mm, spacing_mm, key), background, out)


def posterior_cut(
    pixels: Tensor,
    *,
    depth_mm: float,
    spacing_mm: Pair,
    chest_wall: str,
    background: float,
    out: Tensor | None = None,
) -> Tensor:
    """The breast not pulled far enough onto the support: that depth of tissue at the chest wall is lost."""
    import torch

    out = torch.empty_like(pixels) if out is None else out
    down = -posterior_cut_source(depth_mm, spacing_mm, chest_wall).offset[1]
    shifted_down(pixels.T, down, background, out.T)
    return out


def magnification(
    pixels: Tensor,
    *,
    percent: float,
    pivot: Pair,
    chest_wall: str,
    background: float,
    content: Content,
    out: Tensor | None = None,
) -> Tensor:
    """The breast enlarged about the midpoint of its chest-wall edge, the declared spacing kept, bilinear."""
    source = magnification_source(percent, pivot)
    return resample(pixels, source, chest_wall=chest_wall, background=background, content=content, out=out)


def crop(pixels: Tensor, *, share: float, breast_box: Box, background: float, out: Tensor | None = None) -> Tensor:
    """Only the central share of the breast's box is left, in whole pixels; all round it is background."""
    import torch

    out = torch.empty_like(pixels) if out is None else out
    top, bottom, left, right = central_box(breast_box, share)
    out.fill_(background)
    out[top:bottom, left:right] = pixels[top:bottom, left:right]
    return out


def mirror(pixels: Tensor, *, flips: float, out: Tensor | None = None) -> Tensor:
    """Left and right of the image exchanged while its tags still name the side it was taken of."""
    flipped = pixels.flip(1)
    return flipped if out is None else out.copy_(flipped)


def elastic(
    pixels: Tensor,
    *,
    maximum_mm: float,
    spacing_mm: Pair,
    elastic_field: Tensor,
    chest_wall: str,
    background: float,
    content: Content,
    out: Tensor | None = None,
) -> Tensor:
    """The breast compressed otherwise: a smooth displacement with that maximum over the image, folding nowhere."""
    source = elastic_source(maximum_mm, spacing_mm, elastic_field)
    return resample(pixels, source, chest_wall=chest_wall, background=background, content=content, out=out)


def shifted_down(pixels: Tensor, shift: float, background: float, out: Tensor | None) -> Tensor:
    """The image `shift` pixels further down, linear between rows, exact for whole pixels; background comes in."""
    import torch

    out = torch.empty_like(pixels) if out is None else out
    rows = pixels.shape[0]
    whole = math.floor(shift)
    part = shift - whole
    # New row i is (1 − part) · row i − whole + part · row i − whole − 1; rows beyond the image are background.
    first, last = min(max(whole, 0), rows), max(min(rows + whole, rows), 0)
    out[:first].fill_(background)
    out[last:].fill_(background)
    if not part:
        out[first:last].copy_(pixels[first - whole : last - whole])
        return out
    start = max(first, whole + 1)
    if start < last:
        torch.lerp(pixels[start - whole : last - whole], pixels[start - whole - 1 : last - whole - 1], part,
                   out=out[start:last])  # fmt: skip
    if 0 <= whole < rows:
        torch.mul(pixels[0], 1 - part, out=out[whole]).add_(part * background)
    if 0 <= rows + whole < rows:
        torch.mul(pixels[-1], part, out=out[rows + whole]).add_((1 - part) * background)
    return out


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
    shares=("spacing_mm", "pivot", "chest_wall", "background", "content"),
    flag=partial(flag_of_share_kept, "rotation"),
    notes=notes_of_share_kept("rotation"),
    source="Positioning of the breast on the support; 15 degrees is beyond what technologists accept.",
)

TRANSLATION = Perturbation(
    name="translation",
    apply=translation,
    parameter="shift_mm",
    unit="mm",
    unit_label="mm",
    integer_digits=2,
    decimals=0,
    severities=(1, 2, 5, 10, 20),
    valid=(0.0, 500.0),
    nothing=0.0,
    keyed=True,
    shares=("spacing_mm", "key", "background"),
    flag=partial(flag_of_share_kept, "translation"),
    notes=notes_of_share_kept("translation"),
    source="Height of the breast on the support; 20 mm takes parts of large breasts out of the image.",
)

POSTERIOR_CUT = Perturbation(
    name="posterior_cut",
    apply=posterior_cut,
    parameter="depth_mm",
    unit="mm",
    unit_label="mm",
    integer_digits=2,
    decimals=0,
    severities=(2, 5, 10, 15, 20),
    valid=(0.0, 200.0),
    nothing=0.0,
    set="extended",
    shares=("spacing_mm", "chest_wall", "background"),
    flag=partial(flag_of_share_kept, "posterior_cut"),
    notes=notes_of_share_kept("posterior_cut"),
    source="Positioning criteria compare the nipple line of CC and MLO and accept a difference of 10 mm.",
)

MAGNIFICATION = Perturbation(
    name="magnification",
    apply=magnification,
    parameter="percent",
    unit="per cent",
    unit_label="pct",
    integer_digits=2,
    decimals=0,
    severities=(2, 5, 10, 15, 20),
    valid=(-50, 200),
    nothing=0.0,
    set="extended",
    shares=("pivot", "chest_wall", "background", "content"),
    flag=partial(flag_of_share_kept, "magnification"),
    notes=notes_of_share_kept("magnification"),
    source="Tissue far from the detector is enlarged by some per cent; another detector's true spacing differs so.",
)

CROP = Perturbation(
    name="crop",
    apply=crop,
    parameter="share",
    unit="of the area",
    unit_label="area",
    severities=(0.95, 0.90, 0.80, 0.65, 0.50),
    valid=(0.01, 1.0),
    nothing=1.0,
    set="extended",
    shares=("breast_box", "background"),
    flag=partial(flag_of_share_kept, "crop"),
    notes=notes_of_share_kept("crop"),
    source="Cropping to the breast that goes wrong; half the area is a stress test.",
)

MIRROR = Perturbation(
    name="mirror",
    apply=mirror,
    parameter="flips",
    unit="flip",
    unit_label="flip",
    decimals=0,
    severities=(1,),
    valid=(1, 1),
    nothing=0.0,
    set="extended",
    ladder="set",
    may_cancel=True,
    source="Images mirrored on the way while the tags stay; a classifier that turns every image one way cancels it.",
)

ELASTIC = Perturbation(
    name="elastic",
    apply=elastic,
    parameter="maximum_mm",
    unit="mm",
    unit_label="mm",
    decimals=1,
    severities=(0.5, 1, 2, 4, 8),
    valid=(0.0, 10.0),
    nothing=0.0,
    set="extended",
    keyed=True,
    shares=("spacing_mm", "elastic_field", "chest_wall", "background", "content"),
    flag=partial(flag_of_share_kept, "elastic"),
    notes=notes_of_share_kept("elastic"),
    source="Compression and positioning between two exposures of one breast; correlation length 20 mm.",
)
