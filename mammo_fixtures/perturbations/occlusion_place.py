"""Where a patch of a given size may lie: inside the breast and away from the lesion's region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from mammo_fixtures.perturbations.keyed import Key
    from mammo_fixtures.perturbations.shared import Shared

_CELL_MM = 0.6
"""Places are told apart on a grid this coarse."""
_NEARLY = 0.7
"""Where a patch fits nowhere, places with this share of the largest clearance are as good as the best."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OcclusionPlaces:
    """How far from every border the cells of a coarse grid lie, and the keyed order in which they are tried."""

    region: Tensor
    """Bool (rows, columns): the lesion's region, all False where there is none."""
    clearance_mm: NDArray[np.float64]
    """Of each cell's centre to the nearest background, region and edge of the image."""
    inside: NDArray[np.float64]
    """The same without the image's edges, which a patch may have to cross."""
    order: NDArray[np.float32]
    step: tuple[int, int]

    def of(self, diameter_mm: float) -> tuple[int, int] | None:
        """Pixel (row, column) about which a disc fits, the first in the view's order; else where most of it does.

        None where there is no breast.
        """
        if not (self.inside > 0).any():
            return None
        fits = self.clearance_mm >= diameter_mm / 2
        if not fits.any():
            fits = self.inside >= _NEARLY * self.inside[self.inside > 0].max()
        row, column = np.unravel_index(int(np.argmax(np.where(fits, self.order, -1))), fits.shape)
        rows, columns = self.region.shape
        return (
            min(int(row) * self.step[0] + self.step[0] // 2, rows - 1),
            min(int(column) * self.step[1] + self.step[1] // 2, columns - 1),
        )

    def fits(self, diameter_mm: float) -> bool:
        """Whether a disc lies wholly inside breast and image and outside the region."""
        return bool((self.clearance_mm >= diameter_mm / 2).any())


def occlusion_places(
    mask: NDArray[np.bool_],
    region: NDArray[np.bool_] | None,
    spacing_mm: tuple[float, float],
    key: Key,
    device: str | torch.device,
) -> OcclusionPlaces:
    """The places of one view."""
    import torch
    from scipy import ndimage

    step = (max(1, round(_CELL_MM / spacing_mm[0])), max(1, round(_CELL_MM / spacing_mm[1])))
    centres = [np.minimum(np.arange(0, n, s) + s // 2, n - 1) for n, s in zip(mask.shape, step, strict=True)]
    sampling = [mm * s for mm, s in zip(spacing_mm, step, strict=True)]
    free = mask if region is None else mask & ~region
    # Sampled at the centres: a hole finer than a cell does not count, a region's outline is right to a cell.
    coarse = free[np.ix_(*centres)]
    far = np.full(coarse.shape, np.inf)
    inside = ndimage.distance_transform_edt(coarse, sampling=sampling) if not coarse.all() else far
    edges = [np.minimum(at, n - 1 - at) * mm for at, n, mm in zip(centres, mask.shape, spacing_mm, strict=True)]
    clearance = np.minimum(inside, np.minimum(edges[0][:, None], edges[1]))
    order = torch.rand(coarse.shape, generator=key.generator("occlusion place")).numpy()
    known = np.zeros(mask.shape, np.bool_) if region is None else region
    return OcclusionPlaces(
        region=torch.tensor(known, device=device), clearance_mm=clearance, inside=inside, order=order, step=step
    )


def does_not_fit(shared: Shared, diameter_mm: float) -> str:
    """Says so where no place takes the whole patch."""
    places = shared.occlusion_places
    if places.of(diameter_mm) is None:
        return "there is no breast beside the lesion's region: no patch was drawn"
    if places.fits(diameter_mm):
        return ""
    return "the patch fits nowhere beside the lesion's region: only part of it was drawn"
