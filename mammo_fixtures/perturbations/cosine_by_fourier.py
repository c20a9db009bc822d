"""The cosine transform by Fourier transforms of as many samples, for devices that SciPy does not know.

Samples are put in another order first (Makhoul 1980): the even ones, then the odd ones from the last to the first. In
that order the real part of a Fourier transform, its terms turned by a quarter at most, is the cosine transform. Such a
device waits for its memory: whatever else has to be done to coefficients is done in the pass that turns them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    Place = tuple[int, torch.dtype, torch.device]


def forward(pixels: Tensor) -> Tensor:
    """Orthonormal DCT-II over rows and columns."""
    rows, columns = (_order(n, pixels.device) for n in pixels.shape)
    return _along(_along(pixels[rows[:, None], columns], 1), 0)


def inverse(coefficients: Tensor, out: Tensor, gains: tuple[Tensor | None, Tensor | None] = (None, None)) -> Tensor:
    """Its inverse, written into `out`, from the first coefficients of each axis times its gains; others are zero.

    Gains may be those of all coefficients.
    """
    import torch

    samples = coefficients
    for axis, gain in enumerate(gains):
        samples = _back_along(samples, axis, out.shape[axis], gain)
    rows, columns = (_places(n, out.device) for n in out.shape)
    torch.ops.aten.index(samples, [rows[:, None], columns], out=out)
    return out


def inverse_obliquely(
    coefficients: Tensor, transfer: Callable[[Tensor], Tensor], rows: Tensor, columns: Tensor, out: Tensor, some: slice
) -> Tensor:
    """Inverse under a transfer function that is even only about the origin, written into these columns of `out`.

    The transfer is that of the sum of `rows` and `columns`, of which the signs may differ. Along the columns' axis a
    sample is then complex: its real part goes on as cosines of the other axis, its imaginary part as sines. Samples at
    odd places are the conjugates of their mirror images.
    """
    import torch

    count, n = out.shape
    place = out.dtype, out.device
    # Each coefficient beside minus its mirror image, which stands for the frequencies below zero.
    pairs = coefficients.new_empty(count, n, 2)
    pairs[..., 0] = coefficients
    pairs[:, 0, 1] = 0
    torch.neg(coefficients[:, 1:].flip(1), out=pairs[:, 1:, 1])
    mirrored = torch.zeros_like(columns)
    mirrored[1:] = columns[1:].flip(0).neg_()
    weights = transfer(rows[:, None, None] + torch.stack((columns, mirrored), dim=1))
    turns = _turns(n, *place).clone()
    turns[0] *= 2
    turned = torch.view_as_complex(pairs.mul_(weights)).mul_(turns)
    samples = torch.fft.ifft(turned, dim=1, norm="forward")
    # Only the samples that are wanted: even places are among the first, odd ones among the last.
    first, last, _ = some.indices(n)
    even, odd = slice((first + 1) // 2, (last + 1) // 2), slice(n - last // 2, n - first // 2)
    waves = samples.new_empty(count + 1, last - first)
    turns = _turns(count, *place).mul(0.25)
    turns[0] *= 2
    evens = even.stop - even.start
    for half, among in ((even, slice(evens)), (odd, slice(evens, None))):
        torch.mul(samples[:, half], turns[:, None], out=waves[:count, among])
    # No part of a real transform, which some devices' would count all the same.
    waves[0].imag.zero_()
    waves[count].zero_()
    both_ways = torch.fft.irfft(waves, n=2 * count, dim=0, norm="forward")
    out[:, some][:, first % 2 :: 2] = both_ways[:count, :evens]
    out[:, some][:, 1 - first % 2 :: 2] = both_ways[count:, evens:].flip((0, 1))
    return out


def _along(samples: Tensor, axis: int) -> Tensor:
    import torch

    n = samples.shape[axis]
    turns = _turns(n, samples.dtype, samples.device).conj()
    turned = torch.fft.rfft(samples, dim=axis)
    turned.mul_(_of_axis(turns[: turned.shape[axis]], axis))
    # The upper half of the spectrum is the conjugate of the lower one's mirror image, turned by a quarter.
    mirrored = turned.imag.narrow(axis, 1, n - turned.shape[axis]).flip(axis)
    return torch.cat((turned.real, mirrored.neg_()), dim=axis)


def _back_along(coefficients: Tensor, axis: int, n: int, gain: Tensor | None) -> Tensor:
    """Samples in their other order."""
    import torch

    kept = coefficients.shape[axis]
    # A real transform mirrors its terms, which leaves no room for those of the upper half.
    real = kept <= (n + 1) // 2
    size = list(coefficients.shape)
    size[axis] = n // 2 + 1 if real else n
    turns = _weights(gain, n, kept, coefficients.dtype, coefficients.device, real=real)
    turned = torch.empty(size, dtype=turns.dtype, device=turns.device)
    torch.mul(coefficients, _of_axis(turns, axis), out=turned.narrow(axis, 0, kept))
    turned.narrow(axis, kept, size[axis] - kept).zero_()
    # Scaled already: each of torch's scales would be a pass of its own.
    samples: Tensor
    if real:
        samples = torch.fft.irfft(turned, n=n, dim=axis, norm="forward")
    else:
        samples = torch.fft.ifft(turned, dim=axis, norm="forward").real
    return samples


def _of_axis(values: Tensor, axis: int) -> Tensor:
    return values[:, None] if axis == 0 else values


@lru_cache(maxsize=256)
def _weights(gain: Tensor | None, n: int, kept: int, dtype: torch.dtype, device: torch.device, *, real: bool) -> Tensor:
    """What the first coefficients are multiplied with; known by the gain's tensor itself, which is not changed.

    A GPU takes as long to begin a few small calls as to do a pass over an image.
    """
    turns = _turns(n, dtype, device)[:kept]
    if gain is not None:
        turns = turns * gain[:kept]
    if real:
        # All but the mean come twice.
        turns = turns * 0.5
        turns[0] *= 2
    return turns


@lru_cache(maxsize=64)
def _turns(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """exp(iπk/2n), times what makes the transform orthonormal. Not to be changed."""
    import torch

    scale = torch.full((n,), math.sqrt(2 / n), dtype=torch.float64)
    scale[0] = math.sqrt(1 / n)
    turns = torch.polar(scale, torch.arange(n, dtype=torch.float64) * (math.pi / (2 * n)))
    return turns.to(torch.complex64 if dtype == torch.float32 else torch.complex128).to(device)


@lru_cache(maxsize=64)
def _order(n: int, device: torch.device) -> Tensor:
    """Where each sample of the other order lies: the even ones, then the odd ones from the last to the first."""
    import torch

    index = torch.arange(n)
    return torch.cat((index[::2], index[1::2].flip(0))).to(device)


@lru_cache(maxsize=64)
def _places(n: int, device: torch.device) -> Tensor:
    """Where each sample lies in the other order."""
    import torch

    return torch.argsort(_order(n, torch.device("cpu"))).to(device)
