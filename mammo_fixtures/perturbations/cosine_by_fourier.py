"""Cosine and sine transforms along an axis by a real FFT of as many samples, for devices that SciPy does not know."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def along(x: Tensor, axis: int) -> Tensor:
    """Orthonormal DCT-II along an axis, of re-ordered samples (Makhoul 1980)."""
    import torch

    n = x.shape[axis]
    ordered = torch.cat((_every_other(x, axis, 0), _every_other(x, axis, 1).flip(axis)), dim=axis)
    turned = torch.fft.rfft(ordered, dim=axis).mul_(_turns(n, -1, axis, x.dtype, x.device))
    # The upper half of the spectrum is the conjugate of the lower one's mirror image, turned by a quarter.
    mirrored = turned.imag.narrow(axis, 1, n - turned.shape[axis]).flip(axis)
    return torch.cat((turned.real, mirrored.neg_()), dim=axis)


def back_along(x: Tensor, axis: int, out: Tensor, *, of_sines: bool = False) -> Tensor:
    """Its inverse, written into `out`, from the first coefficients of `out`'s axis, the others being zero.

    `of_sines`: that of the DST-II, from all of them, the first being that of half a wave.
    """
    import torch

    n, kept = out.shape[axis], x.shape[axis]
    half = n // 2 + 1
    # Where the transform of n coefficients has the one that lies as far from its end: the first has none.
    lowest = n - half + 1
    mirrored: Tensor | None = None
    if of_sines:
        # The sine of k half waves is the cosine of n − k of them, with the sign of every other sample changed.
        direct, mirrored, first = x.narrow(axis, n - half, half).flip(axis), x.narrow(axis, 0, half - 1), 1
    else:
        direct, first = x.narrow(axis, 0, min(kept, half)), n - kept + 1
        if kept > lowest:
            mirrored = x.narrow(axis, lowest, kept - lowest).flip(axis)
    turns = _turns(n, 1, axis, x.dtype, x.device)
    turned = direct * turns.narrow(axis, 0, direct.shape[axis])
    # Each coefficient minus i times its mirror image.
    if mirrored is not None:
        turns = _turns(n, 1, axis, x.dtype, x.device, of_mirror=True)
        turned.narrow(axis, first, half - first).add_(mirrored * turns.narrow(axis, first - 1, half - first))
    ordered = torch.fft.irfft(turned, n=n, dim=axis)
    middle = (n + 1) // 2
    _every_other(out, axis, 0).copy_(ordered.narrow(axis, 0, middle))
    odd = ordered.narrow(axis, middle, n - middle).flip(axis)
    _every_other(out, axis, 1).copy_(odd.neg_() if of_sines else odd)
    return out


def _every_other(x: Tensor, axis: int, first: int) -> Tensor:
    return x[first::2] if axis == 0 else x[:, first::2]


@lru_cache(maxsize=64)
def _turns(
    n: int, sign: int, axis: int, dtype: torch.dtype, device: torch.device, *, of_mirror: bool = False
) -> Tensor:
    """What the lower half of a spectrum is multiplied with: a quarter turn at most, and what makes it orthonormal.

    Its mirror image has none for the first coefficient, and another quarter turn back.
    """
    import torch

    angle = torch.arange(n // 2 + 1, dtype=torch.float64) * (sign * math.pi / (2 * n))
    scale = torch.full_like(angle, math.sqrt(2 / n) if sign < 0 else math.sqrt(n / 2))
    scale[0] = math.sqrt(1 / n) if sign < 0 else math.sqrt(n)
    if of_mirror:
        scale, angle = scale[1:], angle[1:] - math.pi / 2
    turns = torch.polar(scale, angle).to(torch.complex64 if dtype == torch.float32 else torch.complex128).to(device)
    return turns[:, None] if axis == 0 else turns[None]
