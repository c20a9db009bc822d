"""How noisy a view is at each signal, measured from the view itself.

Images for presentation show a logarithm or more of the exposure, and bright may mean fewer photons: a law v(s) is
measured, not assumed. It is approximate: fine tissue that is taken for noise raises it, and where a maker's processing
has smoothed the view, it speaks of the noise that was left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mammo_fixtures.exams import View

NOISE_HALF_PER_MM = 5.0
"""Cycles/mm at which the noise amplitude has fallen to half, unless a view shows otherwise: its spectrum is then
exp(−(f/5)² ln 2).
"""
HALVES_PER_MM = (NOISE_HALF_PER_MM, 7.0, 10.0, math.inf)
"""Of these a view's is chosen; the last is white noise. A scintillator blurs its noise, a photoconductor hardly."""
TISSUE_EXPONENT = 3.0
"""Tissue's power falls as f⁻³ (Burgess 1999, Proc. SPIE 3663: 2.7 to 3.3 over mammograms)."""
BINS = 16
_SIGNAL_MM = 0.5
"""The local signal is the mean over blocks of about this size."""
_SIGNAL_PIXELS = 4
"""Smaller blocks follow the noise, and bins of like signal would hold pixels of like noise."""
_REACH_MM = 0.08
"""The finer residual compares pixels about this far apart, or next to each other where they are larger."""
_SAMPLES = 500_000
"""About so many residuals are taken, on a regular grid: more would not make the law any surer."""


_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoiseLaw:
    """Noise variance against local signal, linear between its points and constant beyond them."""

    signals: NDArray[np.float64]
    """Ascending."""
    variances: NDArray[np.float64]
    half_per_mm: float = NOISE_HALF_PER_MM
    """Where the amplitude of the noise has fallen to half, cycles/mm; infinite of white noise."""

    def __call__(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.signals.size == 0:
            return np.zeros_like(signal)
        return np.interp(signal, self.signals, self.variances).astype(np.float32)


def block(spacing_mm: tuple[float, float]) -> tuple[int, int]:
    """Rows and columns of a block of the local signal."""
    return (
        max(_SIGNAL_PIXELS, round(_SIGNAL_MM / spacing_mm[0])),
        max(_SIGNAL_PIXELS, round(_SIGNAL_MM / spacing_mm[1])),
    )


def local_signal(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], spacing_mm: tuple[float, float]
) -> NDArray[np.float32]:
    """Mean of the breast's pixels in each block, float32 (blocks down, blocks across).

    Blocks next to the breast take the mean of their neighbours, so that interpolation does not darken its outline;
    blocks further out are 0.
    """
    from scipy import ndimage

    step = block(spacing_mm)
    total, count = _block_sums(np.where(mask, pixels, np.float32(0)), step), _block_sums(mask, step)
    around = ndimage.uniform_filter(count, 3, mode="constant")
    beside = ndimage.uniform_filter(total, 3, mode="constant") / np.where(around > 1e-3, around, np.inf)
    signal: NDArray[np.float32] = np.where(count > 0, total / np.maximum(count, 1), beside).astype(np.float32)
    return signal


def on_pixels(blocks: NDArray[np.float32], mask: Tensor, spacing_mm: tuple[float, float]) -> Tensor:
    """Values of blocks on every pixel of the breast, bilinear between the blocks' centres; 0 in the background."""
    import torch

    step = block(spacing_mm)
    size = (blocks.shape[0] * step[0], blocks.shape[1] * step[1])
    coarse = torch.from_numpy(blocks).to(mask.device, non_blocking=True)
    fine = torch.nn.functional.interpolate(coarse[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
    return fine[: mask.shape[0], : mask.shape[1]] * mask


def measured_law(
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
    signal: NDArray[np.float32],
    spacing_mm: tuple[float, float],
) -> NoiseLaw:
    """The law from the view's high-frequency residual, robustly, in 16 signal bins of equal counts inside the breast.

    A residual is a pixel minus the mean of its four diagonal neighbours. Its median deviation (which spots and edges
    hardly move), divided by the share of noise power in its band, holds noise and some tissue; a second residual from
    neighbours twice as far holds more tissue. As tissue's power falls as f⁻³, both together give the noise alone. How
    it falls with frequency a third residual tells, the second difference along both axes, which holds hardly any
    tissue: of several spectra that one is taken that foretells it best.
    """
    reach = (max(1, round(_REACH_MM / spacing_mm[0])), max(1, round(_REACH_MM / spacing_mm[1])))
    samples = _samples(pixels, mask, _bins(mask, signal, spacing_mm), signal, spacing_mm, reach)
    if samples is None:
        return NoiseLaw(signals=np.zeros(0), variances=np.zeros(0))
    bins, at, *residuals = samples
    signals, measured = [], []
    order, ends = np.argsort(bins, kind="stable"), np.cumsum(np.bincount(bins))[:-1]
    for some_at, *some in zip(*(np.split(each.take(order), ends) for each in (at, *residuals)), strict=True):
        if some_at.size:
            signals.append(float(some_at.mean(dtype="float64")))
            measured.append([_robust_variance(each) for each in some])
    half_per_mm, variances = _spectrum(np.array(measured), spacing_mm, reach)
    # Flat regions may put several bins at one signal: they share a mean.
    levels, same = np.unique(np.array(signals), return_inverse=True)
    return NoiseLaw(signals=levels, variances=np.bincount(same, variances) / np.bincount(same), half_per_mm=half_per_mm)


def _spectrum(
    measured: NDArray[np.float64], spacing_mm: tuple[float, float], reach: tuple[int, int]
) -> tuple[float, NDArray[np.float64]]:
    """The spectrum that foretells the finest residual best, and the noise's variance with it in each bin.

    `measured` are the variances of the finer, coarser and finest residual, (bins, 3).
    """
    finer, coarser, finest = measured.T
    best = (math.inf, 0.0, finer)
    for half_per_mm in HALVES_PER_MM:
        (fine_noise, fine_tissue), (coarse_noise, coarse_tissue), (finest_noise, finest_tissue) = (
            _band(spacing_mm, by, half_per_mm) for by in (reach, (2 * reach[0], 2 * reach[1]), None)
        )
        tissue_ratio = (fine_tissue / fine_noise) / (coarse_tissue / coarse_noise)
        variances = (finer / fine_noise - tissue_ratio * (coarser / coarse_noise)) / (1 - tissue_ratio)
        variances = np.maximum(variances, 0.0)
        tissue = np.maximum(finer - variances * fine_noise, 0) / fine_tissue
        foretold = variances * finest_noise + tissue * finest_tissue
        told = (finest > 0) & (foretold > 0)
        missed = abs(float(np.median(np.log(finest[told] / foretold[told])))) if told.any() else math.inf
        if missed < best[0] or half_per_mm == NOISE_HALF_PER_MM:
            best = (missed, half_per_mm, variances)
    return best[1:]


def noise_variance(view: View, law: NoiseLaw, signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Variance of the view's noise in each block of the local signal: k·s with the declared gain, else as measured."""
    if view.noise_gain is None:
        return law(signal)
    low, high = view.intensity_range
    # In stored units the variance is gain · (s · range); divided by the range squared it is of fractions.
    return np.maximum(signal, 0) * np.float32(view.noise_gain / (high - low))


def _bins(mask: NDArray[np.bool_], signal: NDArray[np.float32], spacing_mm: tuple[float, float]) -> NDArray[np.uint8]:
    """Each block's bin, by its signal's rank among the breast's pixels."""
    order = np.argsort(signal, axis=None)
    rank = np.cumsum(_block_sums(mask, block(spacing_mm)).ravel()[order], dtype=np.float64)
    bins = np.empty(signal.size, np.uint8)
    bins[order] = np.minimum(rank * (BINS / max(rank[-1], 1.0)), BINS - 1)
    return bins.reshape(signal.shape)


def _samples(
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
    bins: NDArray[np.uint8],
    signal: NDArray[np.float32],
    spacing_mm: tuple[float, float],
    reach: tuple[int, int],
) -> (
    tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]] | None
):
    """Bin, local signal, finer, coarser and finest residual on a grid of places with all neighbours in the breast."""
    rows, columns = pixels.shape
    far = (2 * reach[0], 2 * reach[1])
    stride = max(1, int((pixels.size / _SAMPLES) ** 0.5))
    down, across = (
        _between(np.arange(reach, n - reach, stride), np.flatnonzero(mask.any(axis=1 - axis)))
        for axis, (n, reach) in enumerate(zip((rows, columns), far, strict=True))
    )
    if down.size == 0 or across.size == 0:
        return None

    def shifted(image: NDArray[_Value], row: int, column: int) -> NDArray[_Value]:
        lines, places = (slice(at[0] + by, at[-1] + by + 1, stride) for at, by in ((down, row), (across, column)))
        return image[lines, places]

    def residual(by: tuple[int, int]) -> NDArray[np.float32]:
        around = shifted(pixels, -by[0], -by[1]) + shifted(pixels, -by[0], by[1])
        around += shifted(pixels, by[0], -by[1])
        around += shifted(pixels, by[0], by[1])
        around *= np.float32(-0.25)
        around += shifted(pixels, 0, 0)
        return around

    def second_difference() -> NDArray[np.float32]:
        # Centre 1, beside it −1/2, at its corners 1/4: the corners as the residual has them.
        along_both = shifted(pixels, -1, 0) + shifted(pixels, 1, 0)
        along_both += shifted(pixels, 0, -1)
        along_both += shifted(pixels, 0, 1)
        along_both *= np.float32(-0.5)
        along_both -= residual((1, 1))
        along_both += 2 * shifted(pixels, 0, 0)
        return along_both

    inside = shifted(mask, 0, 0).copy()
    for i in (-1, 1):
        for j in (-1, 1):
            inside &= shifted(mask, i * far[0], j * far[1])
    if not inside.any():
        return None
    step = block(spacing_mm)

    def of_blocks(values: NDArray[_Value]) -> NDArray[_Value]:
        each: NDArray[_Value] = values.take(down // step[0], axis=0).take(across // step[1], axis=1)[inside]
        return each

    residuals = (residual(reach)[inside], residual(far)[inside], second_difference()[inside])
    return of_blocks(bins), of_blocks(signal), *residuals


def _between(places: NDArray[np.int64], inside: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of ascending places that lie between the first and the last inside."""
    return places[(places >= inside[0]) & (places <= inside[-1])] if inside.size else places[:0]


def _robust_variance(residuals: NDArray[np.float32]) -> float:
    """Square of the standard deviation that a normal distribution of this median deviation has."""
    return float(_median(np.abs(residuals)) / 0.6744898) ** 2


def _median(values: NDArray[np.float32]) -> np.float32:
    """NumPy's own, to the bit, in an eighth of its time: it asks for one place, which has a vectorised way."""
    middle = values.size // 2
    ordered = np.partition(values, middle)
    upper: np.float32 = ordered[middle]
    return upper if values.size % 2 else (ordered[:middle].max() + upper) / np.float32(2)


@lru_cache(maxsize=64)
def _band(spacing_mm: tuple[float, float], by: tuple[int, int] | None, half_per_mm: float) -> tuple[float, float]:
    """Power in a residual per unit of noise variance, and of tissue (on the same arbitrary scale for all residuals).

    `by` is how far its neighbours are; None: the second difference.
    """
    cycles = (np.arange(256) + 0.5) / 512  # per pixel, up to the Nyquist frequency
    row, column = cycles[:, None], cycles[None, :]
    squared = (row / spacing_mm[0]) ** 2 + (column / spacing_mm[1]) ** 2
    if by is None:
        response = ((2 - 2 * np.cos(2 * np.pi * row)) * (2 - 2 * np.cos(2 * np.pi * column))) ** 2 / 16
    else:
        response = (1 - np.cos(2 * np.pi * row * by[0]) * np.cos(2 * np.pi * column * by[1])) ** 2
    noise = np.exp(-2 * np.log(2) * squared / half_per_mm**2)
    # Tissue, too, comes through the detector: its transfer is taken to be the noise's.
    tissue = noise * squared ** (-TISSUE_EXPONENT / 2)
    return float((noise * response).sum() / noise.sum()), float((tissue * response).sum() / noise.sum())


def _block_sums(image: NDArray[Any], step: tuple[int, int]) -> NDArray[np.float32]:
    return _every(_every(image, step[0]).T, step[1]).T


def _every(image: NDArray[Any], step: int) -> NDArray[np.float32]:
    """Sums of each `step` rows following one another; the last may be fewer."""
    sums = np.zeros((-(-image.shape[0] // step), image.shape[1]), np.float32)
    for offset in range(step):
        rows = image[offset::step]
        sums[: rows.shape[0]] += rows
    return sums
