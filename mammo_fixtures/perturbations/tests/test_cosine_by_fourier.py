"""The transforms that a GPU uses, here on the CPU: SciPy's, and the perturbations made by them the same pixels."""

import numpy as np
import pytest
import torch
from scipy import fft

from mammo_fixtures import PERTURBATIONS, View, perturb
from mammo_fixtures.perturbations import cosine_transform
from mammo_fixtures.perturbations.cosine_by_fourier import along, back_along

LENGTHS = [1, 2, 3, 8, 9, 64, 65]
BY_TRANSFORM = [
    record for record in PERTURBATIONS if {"spectrum", "quantum_field", "fine_detail"} & set(record.shares)
]  # fmt: skip


def image(shape):
    return torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("n", LENGTHS)
def test_along_an_axis_they_are_scipys(n, axis):
    x = image((n, 5) if axis == 0 else (5, n))
    assert np.allclose(along(x, axis), fft.dct(x.numpy(), norm="ortho", axis=axis), atol=1e-14)
    expected = fft.idct(x.numpy(), norm="ortho", axis=axis)
    assert np.allclose(back_along(x, axis, torch.full_like(x, torch.nan)), expected, atol=1e-14)
    if n > 1:  # the last sine of all is made otherwise, and counts as zero
        x.narrow(axis, n - 1, 1).zero_()
        expected = fft.idst(x.numpy(), norm="ortho", axis=axis)
        got = back_along(x, axis, torch.full_like(x, torch.nan), of_sines=True)
        assert np.allclose(got, expected, atol=1e-14)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("n", LENGTHS)
def test_coefficients_that_are_left_out_count_as_zero(n, axis):
    x = image((n, 5) if axis == 0 else (5, n))
    for kept in range(1, n + 1):
        some = x.narrow(axis, 0, kept)
        expected = fft.idct(some.numpy(), n=n, norm="ortho", axis=axis)
        # SciPy scales by what it pads to.
        assert np.allclose(back_along(some, axis, torch.full_like(x, torch.nan)), expected, atol=1e-14), kept


@pytest.mark.parametrize("shape", [(333, 250), (64, 65), (7, 1), (1, 1)])
@pytest.mark.parametrize("record", BY_TRANSFORM, ids=lambda record: record.name)
def test_perturbations_are_the_same_by_either(record, shape, monkeypatch):
    row, column = (axis / length for axis, length in zip(np.ogrid[: shape[0], : shape[1]], shape, strict=True))
    inside = (row - 0.5) ** 2 / 0.16 + (column - 0.1) ** 2 / 0.4 < 1
    pixels = np.where(inside, 0.4 + 0.3 * np.random.default_rng(3).random(shape), 0).astype(np.float32)
    view = View(pixels=pixels, pixel_spacing_mm=(0.1, 0.12), side="L", position="CC", exam_id="17")
    here = perturb(view, record.name, record.severities)
    monkeypatch.setattr(cosine_transform, "by_scipy", lambda image: False)
    there = perturb(view, record.name, record.severities)
    assert (here - there).abs().max() < 2e-6
