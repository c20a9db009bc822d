"""Perturbations of storage. Stress tests: lossy compression is not accepted for primary reading of mammograms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.perturbations.breast_mask import Box
from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from mammo_fixtures.exams import View
    from mammo_fixtures.perturbations.shared import Shared

RATIOS = (10.0, 20.0, 40.0, 80.0, 160.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class CodedBreast:
    """The breast's bounding box as 12-bit integers, and its JPEG 2000 codestreams."""

    values: NDArray[np.uint16]
    _prepared: dict[float, tuple[NDArray[np.int16], str]] = field(default_factory=dict)
    """Decoded values and the flag by ratio, where they were made ahead."""
    _copied: dict[float, Tensor] = field(default_factory=dict)
    """Decoded values by ratio on a GPU, where they were copied ahead."""

    @classmethod
    def of(cls, pixels: NDArray[np.float32], box: Box) -> CodedBreast:
        from mammo_fixtures.perturbations.jpeg2000_stream import TOP

        top, bottom, left, right = box
        return cls(values=np.rint(pixels[top:bottom, left:right].clip(0, 1) * TOP).astype(np.uint16))

    def __getstate__(self) -> dict[str, object]:
        # What was made ahead goes to another process, and not what it was made from.
        return {name: value for name, value in vars(self).items() if name != "layered"}

    @cached_property
    def layered(self) -> bytes:
        """One layer for each ratio of the ladder, the strongest first, and a last one with all detail."""
        from mammo_fixtures.perturbations.jpeg2000_stream import coded

        return coded(self.values, (*RATIOS[::-1], 1))

    def at(self, ratio: float) -> bytes:
        """The codestream at that ratio."""
        from mammo_fixtures.perturbations.jpeg2000_stream import coded, cut

        if ratio in RATIOS:
            return cut(self.layered, len(RATIOS) - RATIOS.index(ratio))
        return coded(self.values, (ratio,))

    def decoded(self, ratio: float) -> NDArray[np.int16]:
        """The 12-bit values after compression at that ratio."""
        from mammo_fixtures.perturbations.jpeg2000_stream import decoded

        return self._prepared[ratio][0] if ratio in self._prepared else decoded(self.at(ratio))

    def prepare(self, ratio: float) -> None:
        """Do now what will be asked for at that ratio, and keep it."""
        if self.values.size:
            self._prepared[ratio] = self.decoded(ratio), self.flag(ratio)

    def copy_ahead(self, copy: Callable[[NDArray[np.int16]], Tensor]) -> list[Tensor]:
        """Copy what was made ahead to a device, on the stream that is current now; gives the copies."""
        self._copied.update({ratio: copy(values) for ratio, (values, _) in self._prepared.items()})
        return list(self._copied.values())

    def decoded_on(self, device: torch.device, ratio: float) -> Tensor:
        """The 12-bit values after compression at that ratio, there."""
        import torch

        if ratio in self._copied:
            return self._copied[ratio]
        return torch.from_numpy(self.decoded(ratio)).to(device, non_blocking=True)

    @cached_property
    def lossless_ratio(self) -> float:
        from mammo_fixtures.perturbations.jpeg2000_stream import lossless_ratio

        return lossless_ratio(self.values)

    def flag(self, ratio: float) -> str:
        from mammo_fixtures.perturbations.jpeg2000_stream import ratio_of

        if not self.values.size:
            return ""
        if ratio in self._prepared:
            return self._prepared[ratio][1]
        # All detail of the 9/7 takes about as many bytes as lossless: only near that is the latter worth its time.
        near = ratio < 2 * ratio_of(self.layered, self.values.size)
        if near and ratio < self.lossless_ratio:
            return "this view can be stored without loss at that ratio"
        reached = ratio_of(self.at(ratio), self.values.size)
        return "headers alone keep this small a breast from that ratio" if reached < 0.9 * ratio else ""


def jpeg2000(
    pixels: Tensor, *, ratio: float, coded_breast: CodedBreast, breast_box: Box, out: Tensor | None = None
) -> Tensor:
    """Irreversible 9/7 wavelet compression at 12 bits of the breast's bounding box, and back; on the CPU.

    The ratio is 12 bits × the box's pixels ÷ the codestream's bytes: background is left out of it, because whole
    mammograms reach 8 : 1 without loss. Inside the box the result is clipped to [0, 1]; outside, pixels are kept.
    """
    import torch

    from mammo_fixtures.perturbations.jpeg2000_stream import TOP

    out = torch.empty_like(pixels) if out is None else out
    out.copy_(pixels)
    top, bottom, left, right = breast_box
    if coded_breast.values.size:
        out[top:bottom, left:right].copy_(coded_breast.decoded_on(pixels.device, ratio)).div_(TOP)
    return out


def downsample(pixels: Tensor, *, factor: float, out: Tensor | None = None) -> Tensor:
    """Area-averaged to pixels `factor` times as large, then interpolated linearly back to the same size."""
    smaller = pixels
    for axis in (0, 1):
        smaller = _averaged(smaller, axis, factor)
    enlarged = _enlarged(_enlarged(smaller, 1, pixels.shape[1], factor), 0, pixels.shape[0], factor)
    return enlarged if out is None else out.copy_(enlarged)


def _averaged(pixels: Tensor, axis: int, factor: float) -> Tensor:
    """Means over intervals of `factor` pixels; the last one ends where the image does."""
    import torch

    n = pixels.shape[axis]
    # Where the last pixel ends at the image's edge, their number may come out above the whole one that it is.
    starts = np.arange(math.ceil(n / factor - 1e-9)) * factor
    ends = np.minimum(starts + factor, n)
    total: Tensor | None = None
    for tap in range(math.ceil(factor) + 1):
        index = np.floor(starts).astype(np.int64) + tap
        weight = (np.minimum(index + 1, ends) - np.maximum(index, starts)).clip(0) / (ends - starts)
        chosen = torch.from_numpy(index.clip(max=n - 1)).to(pixels.device)
        weights = torch.from_numpy(weight.astype(np.float32)).to(pixels.device)
        part = pixels.index_select(axis, chosen).mul_(weights[:, None] if axis == 0 else weights)
        total = part if total is None else total.add_(part)
    assert total is not None  # there is at least one tap
    return total


def _enlarged(pixels: Tensor, axis: int, n: int, factor: float) -> Tensor:
    """Linear interpolation at n places between the middles of larger pixels, the first and last repeated outwards."""
    import torch

    place = ((np.arange(n) + 0.5) / factor - 0.5).clip(0, pixels.shape[axis] - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, pixels.shape[axis] - 1)
    share = torch.from_numpy((place - below).astype(np.float32)).to(pixels.device)
    lower, upper = (pixels.index_select(axis, torch.from_numpy(i).to(pixels.device)) for i in (below, above))
    return torch.lerp(lower, upper, share[:, None] if axis == 0 else share, out=lower)


def spacing_misdeclared(pixels: Tensor, *, true_to_stated: float, out: Tensor | None = None) -> Tensor:
    """Pixels untouched: the view alone declares a wrong spacing, which matters to classifiers that read it."""
    import torch

    return (torch.empty_like(pixels) if out is None else out).copy_(pixels)


def with_wrong_spacing(view: View, true_to_stated: float) -> View:
    """The view with the spacing it would state."""
    rows_mm, columns_mm = view.pixel_spacing_mm
    return replace(view, pixel_spacing_mm=(rows_mm / true_to_stated, columns_mm / true_to_stated))


def stored_without_loss(shared: Shared, ratio: float) -> str:
    """Says so where the ratio means nothing for this view."""
    return shared.coded_breast.flag(ratio)


JPEG2000 = Perturbation(
    name="jpeg2000",
    apply=jpeg2000,
    parameter="ratio",
    unit=": 1",
    unit_label="to1",
    integer_digits=3,
    decimals=0,
    severities=RATIOS,
    valid=(1.5, 1000),
    nothing=1.0,
    shares=("coded_breast", "breast_box"),
    flag=stored_without_loss,
    source="ISO/IEC 15444-1, irreversible path; severities double from 10 : 1.",
)

DOWNSAMPLE = Perturbation(
    name="downsample",
    apply=downsample,
    parameter="factor",
    unit="of the original pixel",
    unit_label="px",
    decimals=1,
    severities=(1.5, 2, 3, 4, 6),
    valid=(1.0, 100.0),
    nothing=1.0,
    set="extended",
    version=2,
    source="Archives and teaching files that keep smaller images; 2 is 0.14 mm where detectors have 0.07 mm.",
)

SPACING_MISDECLARED = Perturbation(
    name="spacing_misdeclared",
    apply=spacing_misdeclared,
    parameter="true_to_stated",
    unit="of the stated spacing",
    unit_label="x",
    severities=(0.95, 0.90, 0.80, 0.70, 0.50),
    valid=(0.1, 10.0),
    nothing=1.0,
    set="extended",
    ladder="set",
    may_cancel=True,
    redeclare=with_wrong_spacing,
    source=(
        "Imager Pixel Spacing is measured at the detector: with magnification left out it is wrong by the magnification"
        " factor, 1.5 to 2 in magnification views. A classifier that reads no spacing cancels it."
    ),
)
