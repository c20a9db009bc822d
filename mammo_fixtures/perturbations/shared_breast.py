"""Where the breast is in a view: each quantity is computed once, when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from mammo_fixtures.exams import View
    from mammo_fixtures.perturbations.breast_mask import Box, BreastBlocks, Foreground
    from mammo_fixtures.perturbations.content import Content
    from mammo_fixtures.perturbations.feather import Feather


class SharedBreast:
    """A view on its device, its mask, and what is read off the mask."""

    def __init__(self, view: View, *, device: str | torch.device = "cpu") -> None:
        self.view = view
        self.device = device
        self.spacing_mm = view.pixel_spacing_mm

    def on_device(self, array: NDArray[Any]) -> torch.Tensor:
        """An array as a tensor there; on the CPU it is the array's own memory.

        A GPU's stream waits for the copy, but not the caller where the memory is pinned.
        """
        import torch

        return torch.from_numpy(array).to(self.device, non_blocking=True)

    @cached_property
    def pixels(self) -> torch.Tensor:
        import numpy as np
        import torch

        from mammo_fixtures.perturbations.threads import in_bands

        # A copy: perturbations may then never reach the view's own array.
        if torch.device(self.device).type != "cpu":
            return torch.tensor(self.view.pixels, device=self.device)
        pixels = torch.empty(self.view.shape)
        array = pixels.numpy()
        in_bands(lambda rows: np.copyto(array[rows], self.view.pixels[rows]), pixels)
        return pixels

    @cached_property
    def background(self) -> float:
        return self.foreground.background

    @cached_property
    def foreground(self) -> Foreground:
        """What is not background."""
        from mammo_fixtures.perturbations.breast_mask import foreground_of

        return foreground_of(self.view.pixels, self.spacing_mm)

    @cached_property
    def breast_blocks(self) -> BreastBlocks:
        """The breast on a coarse grid."""
        from mammo_fixtures.perturbations.breast_mask import breast_blocks

        return breast_blocks(self.foreground)

    @cached_property
    def mask_array(self) -> NDArray[np.bool_]:
        from mammo_fixtures.perturbations.breast_mask import drawn_mask

        return drawn_mask(self.breast_blocks)

    @cached_property
    def mask(self) -> torch.Tensor:
        """Where the breast is, bool."""
        return self.on_device(self.mask_array)

    @cached_property
    def mask_pixels(self) -> int:
        return int(self.mask_array.sum())

    @cached_property
    def feather(self) -> Feather:
        """The breast's soft edge."""
        from mammo_fixtures.perturbations.feather import Feather

        return Feather.of(self.breast_blocks, self.mask_array, self.spacing_mm)

    @cached_property
    def chest_wall(self) -> str:
        """Image side of the chest wall, as declared, else as the pixels show: `left` or `right`."""
        if self.view.chest_wall:
            return self.view.chest_wall
        edges = self._mask_column(0).sum(), self._mask_column(-1).sum()
        return "right" if edges[1] > edges[0] else "left"

    @cached_property
    def pivot(self) -> tuple[float, float]:
        """Midpoint of the breast's chest-wall edge, in pixels (row, column)."""
        import numpy as np

        column = 0 if self.chest_wall == "left" else self.view.shape[1] - 1
        rows = np.flatnonzero(self._mask_column(column))
        if rows.size == 0:
            rows = np.flatnonzero(self.mask_array.any(axis=1))
        middle = (rows[0] + rows[-1]) / 2 if rows.size else (self.view.shape[0] - 1) / 2
        return float(middle), float(column)

    def _mask_column(self, column: int) -> NDArray[np.bool_]:
        """One column of the mask, of which nothing else need be drawn."""
        from mammo_fixtures.perturbations.breast_mask import mask_column

        return mask_column(self.breast_blocks, column % self.view.shape[1])

    @cached_property
    def content(self) -> Content:
        """Blocks that are not all background: of the breast and of all markers."""
        from mammo_fixtures.perturbations.content import Content

        return Content(blocks=self.foreground.share > 0, step=self.foreground.step)

    @cached_property
    def breast_box(self) -> Box:
        """The breast's bounding box; empty where there is no breast."""
        from mammo_fixtures.perturbations.breast_mask import box_of

        return box_of(self.mask_array)
