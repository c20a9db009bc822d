"""Perturbations by a worn detector and its grid: single pixels, whole lines, lines of the anti-scatter grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mammo_fixtures.perturbations.keyed import Key
    from mammo_fixtures.perturbations.shared import Shared

GRID_LINES_PER_MM = 3.0
_LARGEST_SHARE = 0.1
"""About one pixel in nine has the smallest number among its neighbours."""


def impulses(key: Key, mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Places of the breast's isolated pixels as indices into the flat image, in the order in which they fail; values.

    A pixel may fail that has the smallest number of a uniform field among its neighbours, so no two touch.
    """
    import torch

    from mammo_fixtures.perturbations.fields import uniform_field

    field = uniform_field(key, "impulses", mask.shape)
    padded = torch.nn.functional.pad(field[None], (1, 1, 1, 1), value=2.0)[0]
    tall = torch.minimum(torch.minimum(padded[:-2], padded[2:]), padded[1:-1])
    near = torch.minimum(torch.minimum(tall[:, :-2], tall[:, 2:]), tall[:, 1:-1])
    places = torch.nonzero(((field == near) & torch.from_numpy(mask)).view(-1)).view(-1)
    places = places[torch.argsort(field.view(-1)[places], stable=True)]
    values = (uniform_field(key, "impulse values", (places.numel(),)) < 0.5).to(torch.float32)
    return places.numpy(), values.numpy()


def impulse_noise(
    pixels: Tensor,
    *,
    share: float,
    mask_pixels: int,
    impulses: tuple[Tensor, Tensor],
    out: Tensor | None = None,
) -> Tensor:
    """Isolated pixels that nobody corrected: a share of the breast's pixels, at least one, dark (0) or bright (1).

    Those of one severity stay at any stronger one.
    """
    import torch

    places, values = impulses
    count = min(places.numel(), max(1, round(share * mask_pixels)))
    out = torch.empty_like(pixels) if out is None else out
    out.copy_(pixels).view(-1)[places[:count]] = values[:count]
    return out


def line_places(key: Key, mask: NDArray[np.bool_]) -> tuple[int, NDArray[np.int64]]:
    """The axis that lines are counted along, keyed, and its places inside the breast's box in the order of failing."""
    import torch

    axis = int(key.uniform("line axis") < 0.5)
    inside = np.flatnonzero(mask.any(axis=1 - axis))
    if not inside.size:
        return axis, inside
    first, last = int(inside[0]), int(inside[-1])
    order = torch.randperm(last - first + 1, generator=key.generator("line places"))
    return axis, (order + first).numpy()


def detector_lines(
    pixels: Tensor, *, lines: float, mask: Tensor, line_places: tuple[int, Tensor], out: Tensor | None = None
) -> Tensor:
    """Dead rows, or dead columns, of the detector: 0 where they cross the breast.

    The lines of one severity are among those of any stronger one.
    """
    import torch

    if lines != round(lines):
        raise UnusableInput(f"detector_lines: lines must be a whole number, got {lines:g}; take {round(lines)}")
    axis, places = line_places
    places = places[: round(lines)]
    out = torch.empty_like(pixels) if out is None else out
    out.copy_(pixels)
    return out.index_copy_(
        axis, places, pixels.index_select(axis, places).masked_fill_(mask.index_select(axis, places), 0)
    )


def grid_phase(key: Key) -> float:
    """Radians: where the grid happened to stand."""
    return 2 * math.pi * key.uniform("grid phase")


def grid_lines(
    pixels: Tensor,
    *,
    amplitude: float,
    local_signal: Tensor,
    spacing_mm: tuple[float, float],
    grid_phase: float,
    out: Tensor | None = None,
) -> Tensor:
    """What is left of an anti-scatter grid that did not move: 3 lines/mm, a fraction of the local signal.

    The lines run parallel to the chest wall, so the sinusoid goes across the columns. `local_signal` is 0 outside the
    breast. Where columns are wider than 1/6 mm the lines alias, as they would in a detector; that is flagged.
    """
    import torch

    columns = torch.arange(pixels.shape[1], dtype=torch.float64, device=pixels.device) + 0.5
    lines = torch.sin(columns * (2 * math.pi * GRID_LINES_PER_MM * spacing_mm[1]) + grid_phase)
    return torch.addcmul(pixels, local_signal, (amplitude * lines).to(pixels.dtype), out=out)


def grid_aliases(shared: Shared, _amplitude: float) -> str:
    """Says so where 3 lines/mm lie beyond the Nyquist frequency of the columns."""
    spacing_mm = shared.spacing_mm[1]
    nyquist = 1 / (2 * spacing_mm)
    if nyquist >= GRID_LINES_PER_MM:
        return ""
    seen = abs(GRID_LINES_PER_MM - round(GRID_LINES_PER_MM * spacing_mm) / spacing_mm)
    return f"{GRID_LINES_PER_MM:g} lines/mm are beyond the columns' {nyquist:.2f} cycles/mm: seen at {seen:.2f}"


IMPULSE_NOISE = Perturbation(
    name="impulse_noise",
    apply=impulse_noise,
    parameter="share",
    unit="of the breast's pixels",
    unit_label="share",
    decimals=5,
    set="extended",
    severities=(1e-5, 1e-4, 1e-3, 3e-3, 1e-2),
    valid=(1e-7, _LARGEST_SHARE),
    nothing=0.0,
    keyed=True,
    shares=("mask_pixels", "impulses"),
    source="Defective pixels missing from the detector's correction map; clinical maps hold up to some in a thousand.",
)

DETECTOR_LINES = Perturbation(
    name="detector_lines",
    apply=detector_lines,
    parameter="lines",
    unit="lines per view",
    unit_label="lines",
    integer_digits=2,
    decimals=0,
    set="extended",
    ladder="set",
    severities=(1, 2, 4, 8, 16),
    valid=(1, 100_000),
    nothing=0.0,
    keyed=True,
    shares=("mask", "line_places"),
    source="Failed row drivers or column amplifiers of a flat panel.",
)

GRID_LINES = Perturbation(
    name="grid_lines",
    apply=grid_lines,
    parameter="amplitude",
    unit="of the local signal",
    unit_label="signal",
    decimals=3,
    set="extended",
    severities=(0.005, 0.01, 0.02, 0.04, 0.08),
    valid=(1e-6, 1.0),
    nothing=0.0,
    keyed=True,
    shares=("local_signal", "spacing_mm", "grid_phase"),
    flag=grid_aliases,
    source="A stationary or stalled linear grid; mammographic grids have about 3 lines/mm.",
)
