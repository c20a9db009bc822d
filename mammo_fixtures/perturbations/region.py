"""Perturbations inside or outside the lesion's region, and in place of part of the breast."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.breast_mask import Box
from mammo_fixtures.perturbations.frequency import LOWPASS, lowpass, passes_everything
from mammo_fixtures.perturbations.occlusion_place import does_not_fit
from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from mammo_fixtures.perturbations.keyed import Key
    from mammo_fixtures.perturbations.occlusion_place import OcclusionPlaces

FEATHER_MM = 1.0
"""Width of the edge over which a perturbation of part of a view fades."""


def feathered_region(
    region: NDArray[np.bool_] | None, spacing_mm: tuple[float, float]
) -> tuple[Box, NDArray[np.float32]]:
    """1 in the region, falling to 0 over 1 mm around it: the box outside which it is 0, and its values there."""
    import numpy as np
    from scipy import ndimage

    from mammo_fixtures.perturbations.breast_mask import box_of

    top, bottom, left, right = (0, 0, 0, 0) if region is None else box_of(region)
    if region is None or top == bottom:
        return (0, 0, 0, 0), np.zeros((0, 0), np.float32)
    rows, columns = (math.ceil(FEATHER_MM / mm) for mm in spacing_mm)
    box = (
        max(0, top - rows), min(region.shape[0], bottom + rows),
        max(0, left - columns), min(region.shape[1], right + columns),
    )  # fmt: skip
    beside = ndimage.distance_transform_edt(~region[box[0] : box[1], box[2] : box[3]], sampling=spacing_mm)
    return box, (1 - beside / FEATHER_MM).clip(0).astype(np.float32)


def lowpass_inside(
    pixels: Tensor,
    *,
    wavelength_mm: float,
    spectrum: Tensor,
    spacing_mm: tuple[float, float],
    feathered_region: tuple[Box, Tensor],
    out: Tensor | None = None,
) -> Tensor:
    """The lesion's own detail lost: the low-pass inside its region, fading over the 1 mm around it.

    A malignant breast without a region is not judged. One that is not malignant and has none has nothing to lose and
    stays clean: the AUC then says how far the malignant breasts still stand out once their lesions are blurred.
    """
    import torch

    (top, bottom, left, right), weight = feathered_region
    low = lowpass(pixels, wavelength_mm=wavelength_mm, spectrum=spectrum, spacing_mm=spacing_mm, out=out)
    part = torch.lerp(pixels[top:bottom, left:right], low[top:bottom, left:right], weight)
    low.copy_(pixels)[top:bottom, left:right] = part
    return low


def lowpass_outside(
    pixels: Tensor,
    *,
    wavelength_mm: float,
    spectrum: Tensor,
    spacing_mm: tuple[float, float],
    feathered_region: tuple[Box, Tensor],
    out: Tensor | None = None,
) -> Tensor:
    """Everything but the lesion blurred: the low-pass outside its region, from 1 mm around it on.

    A malignant breast without a region is not judged. One that is not malignant and has none is blurred all over.
    """
    import torch

    (top, bottom, left, right), weight = feathered_region
    low = lowpass(pixels, wavelength_mm=wavelength_mm, spectrum=spectrum, spacing_mm=spacing_mm, out=out)
    part, clean = low[top:bottom, left:right], pixels[top:bottom, left:right]
    part.lerp_(clean, weight)
    # Where the weight is 1, float32 would leave a rounding error of the low-pass.
    part.copy_(torch.where(weight == 1, clean, part))
    return low


def occlusion(
    pixels: Tensor,
    *,
    diameter_mm: float,
    spacing_mm: tuple[float, float],
    mask: Tensor,
    occlusion_places: OcclusionPlaces,
    out: Tensor | None = None,
) -> Tensor:
    """A disc of breast replaced by its own mean, away from the lesion's region, its edge feathered over 1 mm.

    Its place is keyed on the view. The region itself is never covered, the background keeps its value.
    """
    import torch

    out = torch.empty_like(pixels) if out is None else out
    out.copy_(pixels)
    place = occlusion_places.of(diameter_mm)
    if place is None:
        return out
    reach = [math.ceil((diameter_mm + FEATHER_MM) / 2 / mm) for mm in spacing_mm]
    bounds = [
        (max(0, centre - far), min(n, centre + far + 1))
        for centre, far, n in zip(place, reach, pixels.shape, strict=True)
    ]
    (top, bottom), (left, right) = bounds
    rows, columns = (
        (torch.arange(first, last, device=pixels.device, dtype=torch.float32) - centre) * mm
        for (first, last), centre, mm in zip(bounds, place, spacing_mm, strict=True)
    )
    from_centre = (rows[:, None].square() + columns.square()).sqrt_()
    weight = ((diameter_mm / 2 - from_centre) / FEATHER_MM + 0.5).clamp_(0, 1)
    weight.mul_(mask[top:bottom, left:right]).mul_(~occlusion_places.region[top:bottom, left:right])
    patch = out[top:bottom, left:right]
    total = weight.sum(dtype=torch.float64)
    # Whether there is any weight a GPU would have to be waited for; without it the mean is of no account.
    mean = torch.where(total > 0, (patch * weight).sum(dtype=torch.float64) / total, 0.0)
    patch.lerp_(mean.to(patch.dtype).expand_as(patch), weight)
    return out


def tile_order(key: Key, tiles: int) -> Tensor:
    """A keyed cyclic permutation of the tiles' numbers: every tile moves."""
    import torch

    order = torch.randperm(tiles, generator=key.generator(f"tiles {tiles}"))
    cycle = torch.empty_like(order)
    cycle[order] = order.roll(1)
    return cycle


def patch_shuffle(
    pixels: Tensor, *, tiles_per_side: float, key: Key, breast_box: Box, out: Tensor | None = None
) -> Tensor:
    """The breast's box cut into tiles that change places: local texture kept, anatomy lost.

    Every tile moves. Rows and columns left over by equal tiles stay as they are.
    """
    import torch

    if tiles_per_side != round(tiles_per_side):
        raise UnusableInput(
            f"patch_shuffle: tiles_per_side must be a whole number, got {tiles_per_side:g}; "
            f"take {round(tiles_per_side)}"
        )
    n = round(tiles_per_side)
    out = torch.empty_like(pixels) if out is None else out
    out.copy_(pixels)
    top, bottom, left, right = breast_box
    rows, columns = (bottom - top) // n, (right - left) // n
    if not rows or not columns:
        return out
    box = (slice(top, top + n * rows), slice(left, left + n * columns))
    order = tile_order(key, n * n).to(pixels.device)
    tiles = pixels[box].reshape(n, rows, n, columns).permute(0, 2, 1, 3).flatten(0, 1)
    out[box] = tiles[order].view(n, n, rows, columns).permute(0, 2, 1, 3).reshape(n * rows, n * columns)
    return out


LOWPASS_INSIDE = Perturbation(
    name="lowpass_inside",
    apply=lowpass_inside,
    parameter="wavelength_mm",
    unit="mm",
    unit_label="mm",
    severities=LOWPASS.severities,
    valid=LOWPASS.valid,
    nothing=0.0,
    set="extended",
    needs="region",
    shares=("spectrum", "spacing_mm", "feathered_region"),
    flag=passes_everything,
    source="The low-pass inside regions that radiologists marked: Makino et al. 2022, 10.1038/s41598-022-10526-z.",
)

LOWPASS_OUTSIDE = Perturbation(
    name="lowpass_outside",
    apply=lowpass_outside,
    parameter="wavelength_mm",
    unit="mm",
    unit_label="mm",
    severities=LOWPASS.severities,
    valid=LOWPASS.valid,
    nothing=0.0,
    set="extended",
    needs="region",
    shares=("spectrum", "spacing_mm", "feathered_region"),
    flag=passes_everything,
    source="The low-pass outside regions that radiologists marked: Makino et al. 2022, 10.1038/s41598-022-10526-z.",
)

OCCLUSION = Perturbation(
    name="occlusion",
    apply=occlusion,
    parameter="diameter_mm",
    unit="mm",
    unit_label="mm",
    integer_digits=2,
    decimals=0,
    severities=(2, 5, 10, 20, 40),
    valid=(0.1, 200.0),
    nothing=0.0,
    set="extended",
    ladder="set",
    keyed=True,
    shares=("spacing_mm", "mask", "occlusion_places"),
    flag=does_not_fit,
    source="Occlusion away from the evidence (after Zeiler and Fergus 2014): what is elsewhere should matter little.",
)

PATCH_SHUFFLE = Perturbation(
    name="patch_shuffle",
    apply=patch_shuffle,
    parameter="tiles_per_side",
    unit="tiles per side",
    unit_label="tiles",
    integer_digits=2,
    decimals=0,
    severities=(2, 4, 8, 16),
    valid=(2, 1000),
    nothing=1.0,
    set="extended",
    ladder="set",
    keyed=True,
    shares=("key", "breast_box"),
    source="Texture without anatomy, as bags of local features see it (Brendel and Bethge 2019, arXiv:1904.00760).",
)
