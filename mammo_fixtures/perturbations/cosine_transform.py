"""The two-dimensional DCT-II: a spectrum of the image with symmetric edges, the edge pixel repeated.

Breast tissue runs up to the chest-wall edge of the image. A Fourier transform would join that edge to the opposite
one; the cosine transform implies a mirror image beyond each edge instead, exactly and without padding. Any transfer
function that is even in each axis can be applied to its coefficients; one that is even only about the origin takes a
second inverse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mammo_fixtures.perturbations import cosine_by_fourier
from mammo_fixtures.perturbations.threads import in_threads

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    Transfer = Callable[[Tensor], Tensor]

_BAND = 128
"""Rows that a thread weighs at a time on the CPU: threads with fewer wait for each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """What the coefficients of an axis are multiplied with."""

    values: Tensor
    kept: int
    """Coefficients up to the last whose gain is not 0."""

    @classmethod
    def of(cls, values: Tensor, dtype: torch.dtype, device: torch.device) -> Gain:
        """From values on the CPU: asked for the last of its own, a GPU would have to be waited for."""
        import torch

        return cls(values.to(device, dtype), int(torch.count_nonzero(values.abs().flip(0).cumsum(0))))


def forward(pixels: Tensor) -> Tensor:
    """Orthonormal DCT-II over rows and columns, same shape and device."""
    import torch

    if by_scipy(pixels):
        from scipy import fft

        return torch.from_numpy(fft.dctn(pixels.numpy(), type=2, norm="ortho", workers=torch.get_num_threads()))
    return cosine_by_fourier.forward(pixels)


def filtered(spectrum: Tensor, rows: Gain, columns: Gain, out: Tensor) -> Tensor:
    """Inverse of spectrum × (rows ⊗ columns), written into `out`; what has no gain is not transformed."""
    kept = spectrum[: rows.kept, : columns.kept]
    if not by_scipy(out):
        return cosine_by_fourier.inverse(kept, out, (rows.values, columns.values))
    # Nothing here by torch: its threads would still be waiting busily while SciPy's transform.
    array = out.numpy()
    gains = rows.values[: rows.kept, None].numpy(), columns.values[: columns.kept].numpy()
    _weigh(kept.numpy(), *gains, array[: rows.kept, : columns.kept])
    array[rows.kept :, : columns.kept] = 0
    return _inverse(out, columns.kept)


def _weigh(
    kept: NDArray[np.float32], rows_gain: NDArray[np.float32], columns_gain: NDArray[np.float32], out: NDArray[Any]
) -> None:
    """Both gains on some rows at a time, which stay in a core's cache."""
    import numpy as np

    def some(first: int) -> None:
        lines = slice(first, first + _BAND)
        np.multiply(kept[lines], rows_gain[lines], out=out[lines])
        out[lines] *= columns_gain

    in_threads(some, range(0, len(kept), _BAND))


def filtered_by(spectrum: Tensor, gain: Tensor, out: Tensor) -> Tensor:
    """Inverse of spectrum × gain, written into `out`; the gain of coefficients beyond its shape is zero."""
    import torch

    rows, columns = gain.shape
    if not by_scipy(out):
        return cosine_by_fourier.inverse(spectrum[:rows, :columns] * gain, out)
    torch.mul(spectrum[:rows, :columns], gain, out=out[:rows, :columns])
    out[rows:, :columns].zero_()
    return _inverse(out, columns)


def filtered_obliquely(
    spectrum: Tensor, transfer: Transfer, rows: Tensor, columns: Tensor, out: Tensor, some: slice = slice(None)
) -> Tensor:
    """The mirrored image under a real transfer function that is even only about the origin, written into `out`.

    The transfer at (f, g) is `transfer` of rows[f] + columns[g], at (f, −g) of their difference, for the coefficients'
    frequencies f of the rows' and g of the columns' axis; it may change what it is given. A cosine has both in equal
    parts: half their sum gives it back as a cosine, and half their difference turns it into minus the product of two
    sines. Exact, without padding. Columns of the image beyond `some` hold nothing of use.
    """
    import torch
    from scipy import fft

    if not by_scipy(out):
        return cosine_by_fourier.inverse_obliquely(spectrum, transfer, rows, columns, out, some)
    sines = torch.empty_like(out)
    sines[-1], sines[:, -1] = 0, 0

    def weigh(first: int) -> None:
        lines = slice(first, first + _BAND)
        down, coefficients = rows[lines, None], spectrum[lines]
        one_way, other_way = transfer(down + columns), transfer(down - columns)
        mean = torch.lerp(one_way, other_way, 0.5, out=out[lines])
        # The first sine has half a wave: the difference of constant cosines, which are first among them, is nothing.
        begin = 1 if first == 0 else 0
        there = sines[max(first - 1, 0) : first - 1 + len(coefficients), :-1]
        torch.mul(one_way.sub_(mean)[begin:, 1:], coefficients[begin:, 1:], out=there)
        mean.mul_(coefficients)

    in_threads(weigh, range(0, len(out), _BAND))
    for array, inverse in ((out.numpy(), fft.idct), (sines.numpy(), fft.idst)):
        _along_both(array, inverse, some)
    out[:, some].sub_(sines[:, some])
    return out


def _along_both(array: NDArray[Any], inverse: Callable[..., NDArray[Any]], columns: slice) -> None:
    """An inverse transform of SciPy's, written over the coefficients, along the columns only where they are wanted."""
    import torch

    workers = torch.get_num_threads()
    for some, axis in ((array, 1), (array[:, columns], 0)):
        _in_place(some, inverse(some, norm="ortho", axis=axis, overwrite_x=True, workers=workers))


def _inverse(coefficients: Tensor, columns: int) -> Tensor:
    """SciPy's inverse DCT, written over the coefficients; those past `columns` count as zero."""
    import torch
    from scipy import fft

    array, workers = coefficients.numpy(), torch.get_num_threads()
    array[:, columns:] = 0
    some = array[:, :columns]
    _in_place(some, fft.idct(some, norm="ortho", axis=0, overwrite_x=True, workers=workers))
    _in_place(array, fft.idct(array, norm="ortho", axis=1, overwrite_x=True, workers=workers))
    return coefficients


def by_scipy(image: Tensor) -> bool:
    """Whether SciPy transforms it, on a CPU; elsewhere torch does."""
    return image.device.type == "cpu"


def _in_place(array: NDArray[Any], result: NDArray[Any]) -> None:
    # SciPy may but need not honour overwrite_x; a copy is right either way.
    import numpy as np

    if not np.shares_memory(array, result):
        array[...] = result


def frequencies(n: int, spacing_mm: float, like: torch.Tensor) -> Tensor:
    """Frequency of each coefficient of an axis of n pixels, cycles/mm: k / (2 n spacing)."""
    import torch

    return torch.arange(n, dtype=torch.float64, device=like.device) / (2 * n * spacing_mm)
