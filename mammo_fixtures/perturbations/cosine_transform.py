"""The two-dimensional DCT-II: a spectrum of the image with symmetric edges, the edge pixel repeated.

Breast tissue runs up to the chest-wall edge of the image. A Fourier transform would join that edge to the opposite
one; the cosine transform implies a mirror image beyond each edge instead, exactly and without padding. Any transfer
function that is even in each axis can be applied to its coefficients; one that is even only about the origin takes a
second inverse.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mammo_fixtures.perturbations.threads import in_threads

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    Transfer = Callable[[slice], tuple[Tensor, Tensor]]

_BAND = 128
"""Rows that a thread weighs at a time on the CPU: threads with fewer wait for each other."""


def forward(pixels: Tensor) -> Tensor:
    """Orthonormal DCT-II over rows and columns, same shape and device."""
    import torch

    if pixels.device.type == "cpu":
        from scipy import fft

        return torch.from_numpy(fft.dctn(pixels.numpy(), type=2, norm="ortho", workers=torch.get_num_threads()))
    return _along(_along(pixels, 1), 0)


def filtered(spectrum: Tensor, rows_gain: Tensor, columns_gain: Tensor, out: Tensor) -> Tensor:
    """Inverse of spectrum × (rows_gain ⊗ columns_gain), written into `out`.

    On a CPU, coefficients past the last non-zero gain are not transformed along the rows' axis.
    """
    import torch

    if out.device.type != "cpu":
        # Asked for the last gain, a GPU would have to be waited for.
        return _inverse(torch.mul(spectrum, rows_gain[:, None], out=out).mul_(columns_gain), out.shape[1])
    last = int(torch.count_nonzero(columns_gain))
    kept, gained = spectrum[:, :last], out[:, :last]
    _weigh(kept.numpy(), rows_gain.numpy(), columns_gain[:last].numpy(), gained.numpy())
    return _inverse(out, last)


def _weigh(
    kept: NDArray[np.float32], rows_gain: NDArray[np.float32], columns_gain: NDArray[np.float32], out: NDArray[Any]
) -> None:
    """Both gains on some rows at a time, which stay in a core's cache."""
    import numpy as np

    def some(first: int) -> None:
        lines = slice(first, first + _BAND)
        np.multiply(kept[lines], rows_gain[lines, None], out=out[lines])
        out[lines] *= columns_gain

    # Not by torch: its threads would still be waiting busily while SciPy's transform.
    in_threads(some, range(0, len(kept), _BAND))


def filtered_by(spectrum: Tensor, gain: Tensor, out: Tensor) -> Tensor:
    """Inverse of spectrum × gain, written into `out`; the gain of coefficients beyond its shape is zero."""
    import torch

    rows, columns = gain.shape
    torch.mul(spectrum[:rows, :columns], gain, out=out[:rows, :columns])
    out[rows:, :columns].zero_()
    return _inverse(out, columns)


def filtered_obliquely(spectrum: Tensor, transfer: Transfer, out: Tensor, columns: slice = slice(None)) -> Tensor:
    """The mirrored image under a real transfer function that is even only about the origin, written into `out`.

    `transfer` gives, for a slice of the spectrum's rows, the transfer at (f, g) and at (f, −g), for the coefficients'
    frequencies f of the rows' and g of the columns' axis; both may be changed. A cosine has both in equal parts: half
    their sum gives it back as a cosine, and half their difference turns it into minus the product of two sines. Exact,
    without padding. Columns of the image beyond `columns` hold nothing of use.
    """
    import torch

    sines = torch.empty_like(out)
    sines[-1], sines[:, -1] = 0, 0

    def some(first: int) -> None:
        along, across = transfer(slice(first, first + band))
        lines = spectrum[first : first + band]
        mean = torch.lerp(along, across, 0.5, out=out[first : first + band])
        # The first sine has half a wave: the difference of constant cosines, which are first among them, is nothing.
        begin = 1 if first == 0 else 0
        there = sines[max(first - 1, 0) : first - 1 + len(lines), :-1]
        torch.mul(along.sub_(mean)[begin:, 1:], lines[begin:, 1:], out=there)
        mean.mul_(lines)

    band = _BAND if out.device.type == "cpu" else len(out)
    in_threads(some, range(0, len(out), band))
    if out.device.type == "cpu":
        from scipy import fft

        for array, inverse in ((out.numpy(), fft.idct), (sines.numpy(), fft.idst)):
            _along_both(array, inverse, columns)
    else:
        _inverse(out, out.shape[1])
        _inverse_of_sines(sines)
    out[:, columns].sub_(sines[:, columns])
    return out


def _along_both(array: NDArray[Any], inverse: Callable[..., NDArray[Any]], columns: slice) -> None:
    """An inverse transform of SciPy's, written over the coefficients, along the columns only where they are wanted."""
    import torch

    workers = torch.get_num_threads()
    for some, axis in ((array, 1), (array[:, columns], 0)):
        _in_place(some, inverse(some, norm="ortho", axis=axis, overwrite_x=True, workers=workers))


def _inverse_of_sines(coefficients: Tensor) -> Tensor:
    """Inverse DST-II on a GPU, written over the coefficients, whose last row and column are 0."""
    # The sine of k half waves is the cosine of n − k with the sign of every other pixel changed.
    _inverse(coefficients.copy_(coefficients.flip((0, 1))), coefficients.shape[1])
    coefficients.mul_(_alternating(coefficients.shape[0], coefficients)[:, None])
    return coefficients.mul_(_alternating(coefficients.shape[1], coefficients))


def _alternating(n: int, like: Tensor) -> Tensor:
    import torch

    return 1 - 2 * (torch.arange(n, device=like.device) % 2).to(like.dtype)


def _inverse(coefficients: Tensor, columns: int) -> Tensor:
    """Inverse DCT, written over the coefficients; those past `columns` count as zero."""
    import torch

    if coefficients.device.type != "cpu":
        if columns < coefficients.shape[1]:
            coefficients[:, columns:].zero_()
        return _back_along(_back_along(coefficients, 0, torch.empty_like(coefficients)), 1, coefficients)
    from scipy import fft

    array, workers = coefficients.numpy(), torch.get_num_threads()
    array[:, columns:] = 0
    some = array[:, :columns]
    _in_place(some, fft.idct(some, norm="ortho", axis=0, overwrite_x=True, workers=workers))
    _in_place(array, fft.idct(array, norm="ortho", axis=1, overwrite_x=True, workers=workers))
    return coefficients


def _in_place(array: NDArray[Any], result: NDArray[Any]) -> None:
    # SciPy may but need not honour overwrite_x; a copy is right either way.
    import numpy as np

    if not np.shares_memory(array, result):
        array[...] = result


def _along(x: Tensor, axis: int) -> Tensor:
    """DCT-II along an axis by one real FFT of its re-ordered samples (Makhoul 1980)."""
    import torch

    n = x.shape[axis]
    ordered = torch.cat((_every_other(x, axis, 0), _every_other(x, axis, 1).flip(axis)), dim=axis)
    turned = torch.fft.rfft(ordered, dim=axis).mul_(_turns(n, -1, axis, x.dtype, x.device))
    # The upper half of the spectrum is the conjugate of the lower one's mirror image, turned by a quarter.
    mirrored = turned.imag.narrow(axis, 1, n - turned.shape[axis]).flip(axis)
    return torch.cat((turned.real, mirrored.neg_()), dim=axis)


def _back_along(x: Tensor, axis: int, out: Tensor) -> Tensor:
    """Its inverse, written into `out`."""
    import torch

    n = x.shape[axis]
    half = n // 2 + 1
    turned = x.narrow(axis, 0, half) * _turns(n, 1, axis, x.dtype, x.device)
    # Each coefficient minus i times its mirror image; the first one has none.
    mirrored = x.narrow(axis, n - half + 1, half - 1).flip(axis)
    turned.narrow(axis, 1, half - 1).add_(mirrored * _turns(n, 1, axis, x.dtype, x.device, of_mirror=True))
    ordered = torch.fft.irfft(turned, n=n, dim=axis)
    first = (n + 1) // 2
    _every_other(out, axis, 0).copy_(ordered.narrow(axis, 0, first))
    _every_other(out, axis, 1).copy_(ordered.narrow(axis, first, n - first).flip(axis))
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


def frequencies(n: int, spacing_mm: float, like: torch.Tensor) -> Tensor:
    """Frequency of each coefficient of an axis of n pixels, cycles/mm: k / (2 n spacing)."""
    import torch

    return torch.arange(n, dtype=torch.float64, device=like.device) / (2 * n * spacing_mm)
