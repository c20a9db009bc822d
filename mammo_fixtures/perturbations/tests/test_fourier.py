"""Random Fourier masks and phases: which coefficients change, by how much, and that the image stays real."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from mammo_fixtures import View
from mammo_fixtures.perturbations import Shared, apply
from mammo_fixtures.perturbations.fourier import FOURIER_MASK, PHASE_NOISE, fourier_field

SHAPES = [(64, 48), (65, 48), (64, 47), (63, 49), (1, 8), (8, 1), (2, 2), (1, 1)]
shapes = pytest.mark.parametrize("shape", SHAPES)


def shared(shape=(64, 48), exam_id="1"):
    pixels = np.random.default_rng(1).random(shape).astype(np.float32)
    return Shared(
        View.from_array(
            pixels, pixel_spacing_mm=(0.1, 0.1), side="L", position="CC", intensity_range=(0, 1), exam_id=exam_id
        )
    )


def perturbed(record, of, severity):
    return apply(record, of, severity, torch.empty_like(of.pixels)).numpy().astype(np.float64)


def whole(half, columns):
    """A field over all coefficients from that over the half spectrum: opposite for conjugates."""
    full = np.zeros((half.shape[0], columns))
    full[:, : half.shape[1]] = half
    for column in range(half.shape[1], columns):
        full[:, column] = -np.roll(half[::-1, columns - column], 1)
    return full


@shapes
def test_conjugate_coefficients_have_opposite_numbers(shape):
    of = shared(shape)
    full = whole(fourier_field(of.key, shape).numpy(), shape[1])
    conjugate = np.roll(full[::-1, ::-1], (1, 1), (0, 1))
    assert np.array_equal(conjugate, -full)
    assert full[0, 0] == 0
    assert np.count_nonzero(full == 0) == (2 - shape[0] % 2) * (2 - shape[1] % 2)


@shapes
@pytest.mark.parametrize("record", [FOURIER_MASK, PHASE_NOISE], ids=lambda record: record.name)
def test_the_image_stays_real_and_keeps_its_mean(record, shape):
    of = shared(shape)
    severity = record.severities[-1]
    field = whole(of.fourier_field.numpy(), shape[1])
    gain = np.abs(field) < severity if record is FOURIER_MASK else np.exp(1j * np.radians(severity) * field)
    image = np.fft.ifft2(np.fft.fft2(of.view.pixels.astype(np.float64)) * gain)
    assert np.abs(image.imag).max() < 1e-12
    ours = perturbed(record, of, severity)
    assert np.abs(ours - image.real).max() < 1e-5
    assert abs(ours.mean() - of.view.pixels.mean(dtype=np.float64)) < 1e-6


@pytest.mark.parametrize("kept", FOURIER_MASK.severities)
def test_a_share_of_the_pairs_is_kept_untouched_and_the_rest_is_gone(kept):
    of = shared((250, 201))
    gain = np.fft.rfft2(perturbed(FOURIER_MASK, of, kept)) / np.fft.rfft2(of.view.pixels.astype(np.float64))
    stays = np.abs(gain) > 0.5
    assert np.median(np.abs(gain[stays] - 1)) < 1e-5
    assert np.median(np.abs(gain[~stays])) < 1e-5
    assert abs(stays.mean() - kept) < 4 * math.sqrt(kept * (1 - kept) / stays.size)


def test_what_a_stronger_mask_keeps_a_milder_one_keeps_too():
    of = shared()
    kept = [np.abs(np.fft.rfft2(perturbed(FOURIER_MASK, of, severity))) > 1e-2 for severity in FOURIER_MASK.severities]
    for milder, stronger in pairwise(kept):
        assert (stronger & ~milder).sum() == 0
        assert (milder & ~stronger).sum() > 0


def test_phases_shift_uniformly_within_the_width_and_amplitudes_stay():
    of = shared((250, 201))
    ratio = np.fft.rfft2(perturbed(PHASE_NOISE, of, 60)) / np.fft.rfft2(of.view.pixels.astype(np.float64))
    degrees = np.degrees(np.angle(ratio))
    assert np.median(np.abs(np.abs(ratio) - 1)) < 1e-4
    assert np.percentile(np.abs(degrees), 99.9) < 60.1
    assert degrees.std() == pytest.approx(60 / math.sqrt(3), rel=0.02)
    twice = np.fft.rfft2(perturbed(PHASE_NOISE, of, 120)) / np.fft.rfft2(of.view.pixels.astype(np.float64))
    assert np.median(np.abs(twice - ratio**2)) < 1e-4, "one field, scaled"


def test_another_exam_another_field():
    assert not torch.equal(shared(exam_id="1").fourier_field, shared(exam_id="2").fourier_field)
    assert torch.equal(shared(exam_id="1").fourier_field, shared(exam_id="1").fourier_field)
