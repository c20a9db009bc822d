"""The transforms that a GPU uses, here on the CPU: SciPy's, and the perturbations made by them the same pixels."""

import numpy as np
import pytest
import torch
from scipy import fft

from mammo_fixtures import PERTURBATIONS, View, perturb
from mammo_fixtures.perturbations import cosine_transform
from mammo_fixtures.perturbations.cosine_by_fourier import forward, inverse, inverse_obliquely

LENGTHS = [1, 2, 3, 8, 9, 64, 65]
SHAPES = [*((n, 5) for n in LENGTHS), *((6, n) for n in LENGTHS), (65, 64)]
BY_TRANSFORM = [
    record for record in PERTURBATIONS if {"spectrum", "quantum_field", "fine_detail"} & set(record.shares)
]  # fmt: skip


def image(shape):
    return torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def empty(shape):
    return torch.full(shape, torch.nan, dtype=torch.float64)


@pytest.mark.parametrize("shape", SHAPES)
def test_they_are_scipys(shape):
    x = image(shape)
    assert np.allclose(forward(x), fft.dctn(x.numpy(), norm="ortho"), atol=1e-14)
    assert np.allclose(inverse(x, empty(shape)), fft.idctn(x.numpy(), norm="ortho"), atol=1e-13)


@pytest.mark.parametrize("shape", SHAPES)
def test_coefficients_that_are_left_out_count_as_zero_and_others_are_weighed(shape):
    x, gains = image(shape), [image((n,)) - 0.5 for n in shape]
    weighed = x * gains[0][:, None] * gains[1]
    for rows in range(1, shape[0] + 1):
        for columns in range(1, shape[1] + 1):
            kept = x[:rows, :columns], empty(shape), tuple(gains)
            # SciPy scales by what it pads to.
            expected = fft.idctn(weighed[:rows, :columns].numpy(), s=shape, norm="ortho")
            assert np.allclose(inverse(*kept), expected, atol=1e-13), (rows, columns)


@pytest.mark.parametrize("columns", [slice(None), slice(0, 4), slice(1, 4), slice(3, None), slice(2, 3)])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[1] > 4])
def test_an_oblique_transfer_is_that_of_the_mirrored_images_fourier_transform(shape, columns):
    x = image(shape)
    phases = [torch.arange(n, dtype=torch.float64) * 1.7 / n for n in shape]
    got = inverse_obliquely(forward(x), lambda phase: torch.exp(-(phase**2)), *phases, empty(shape), columns)
    mirrored = np.block([[x.numpy(), x.numpy()[:, ::-1]], [x.numpy()[::-1], x.numpy()[::-1, ::-1]]])
    rows, across = (np.fft.fftfreq(2 * n) * 2 * 1.7 for n in shape)
    transfer = np.exp(-((rows[:, None] + across) ** 2))
    # At its highest frequency a mirrored image has no part.
    transfer[shape[0]], transfer[:, shape[1]] = 0, 0
    expected = np.fft.ifft2(np.fft.fft2(mirrored) * transfer).real[: shape[0], : shape[1]]
    assert np.allclose(got[:, columns], expected[:, columns], atol=1e-14)


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
