"""Perturbations of the exposure's sharpness: motion of the breast, and a larger focal spot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from mammo_fixtures.perturbations.breast_mask import Box
    from mammo_fixtures.perturbations.keyed import Key

_TINY = 1e-20
"""Added to the argument of sin(x)/x and its like, which are 1 at 0."""


def motion_direction(key: Key) -> tuple[float, float]:
    """Unit vector in mm, down and right, uniform over the half circle: motion has no sign."""
    angle = math.pi * key.uniform("motion direction")
    return (math.sin(angle), math.cos(angle))


def motion_blur(
    pixels: Tensor,
    *,
    length_mm: float,
    spectrum: Tensor,
    spacing_mm: tuple[float, float],
    motion_direction: tuple[float, float],
    mask: Tensor,
    breast_box: Box,
    out: Tensor | None = None,
) -> Tensor:
    """The breast moved steadily by L mm during the exposure: transfer function sinc(L f·u) along a keyed direction u.

    Edges are extended symmetrically, exactly: the oblique transfer is applied to the cosine spectrum, whose mirror
    images need no padding. The background keeps its clean value.
    """
    import torch

    from mammo_fixtures.perturbations.cosine_transform import by_scipy, filtered_obliquely, frequencies

    out = torch.empty_like(pixels) if out is None else out
    columns = slice(*breast_box[2:])
    if columns.start == columns.stop:
        return out.copy_(pixels)
    # torch's own is a single pass on a GPU, and on a CPU several times as slow as ours.
    unit, sine_over_itself = (math.pi, _sine_over_itself) if by_scipy(pixels) else (1.0, torch.sinc)
    down, across = (
        (unit * length_mm * along * frequencies(n, mm, pixels)).to(pixels.dtype)
        for along, n, mm in zip(motion_direction, pixels.shape, spacing_mm, strict=True)
    )
    filtered_obliquely(spectrum, sine_over_itself, down, across, out, columns)
    for beyond in (slice(columns.start), slice(columns.stop, None)):
        out[:, beyond] = pixels[:, beyond]
    torch.where(mask[:, columns], out[:, columns], pixels[:, columns], out=out[:, columns])
    return out


def focal_blur(
    pixels: Tensor,
    *,
    diameter_mm: float,
    spectrum: Tensor,
    spacing_mm: tuple[float, float],
    mask: Tensor,
    out: Tensor | None = None,
) -> Tensor:
    """A larger focal spot, whose image in the plane of the breast is a disc of diameter D: transfer 2J₁(πDf)/(πDf).

    Edges are extended symmetrically; the background keeps its clean value.
    """
    import torch

    from mammo_fixtures.perturbations.cosine_transform import filtered_by, frequencies

    rows, columns = (
        (math.pi * diameter_mm * frequencies(n, mm, pixels)).to(pixels.dtype)
        for n, mm in zip(pixels.shape, spacing_mm, strict=True)
    )
    phase = torch.hypot(rows[:, None], columns).add_(_TINY)
    out = torch.empty_like(pixels) if out is None else out
    filtered_by(spectrum, torch.special.bessel_j1(phase).div_(phase).mul_(2), out)
    return torch.where(mask, out, pixels, out=out)


def _sine_over_itself(phase: Tensor) -> Tensor:
    import torch

    phase.add_(_TINY)
    return torch.sin(phase).div_(phase)


MOTION_BLUR = Perturbation(
    name="motion_blur",
    apply=motion_blur,
    parameter="length_mm",
    unit="mm",
    unit_label="mm",
    severities=(0.1, 0.2, 0.5, 1.0, 2.0),
    valid=(0.001, 50.0),
    nothing=0.0,
    keyed=True,
    shares=("spectrum", "spacing_mm", "motion_direction", "mask", "breast_box"),
    source="Uniform motion over the exposure, a boxcar along its path; readers notice blur from some tenths of a mm.",
)

FOCAL_BLUR = Perturbation(
    name="focal_blur",
    apply=focal_blur,
    parameter="diameter_mm",
    unit="mm",
    unit_label="mm",
    set="extended",
    severities=(0.1, 0.2, 0.4, 0.8, 1.6),
    valid=(0.001, 50.0),
    nothing=0.0,
    shares=("spectrum", "spacing_mm", "mask"),
    source="Penumbra of a uniform disc; D is the spot's size times (magnification - 1) / magnification.",
)
