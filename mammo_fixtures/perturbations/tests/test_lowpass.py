"""The low-pass filter against closed forms and an independent float64 reference; each trap of the catalogue."""

import math

import numpy as np
import pytest
import torch

from mammo_fixtures import PERTURBATIONS, UnusableInput, perturb
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations.tests import drawn_views
from mammo_fixtures.perturbations.tests.drawn_views import mirrored_reference


def view(pixels, spacing=(0.07, 0.07)):
    return drawn_views.view(pixels, spacing)


def filtered(pixels, spacing, wavelength_mm):
    return mirrored_reference(pixels, spacing, lambda *f: np.exp(-(f[0] ** 2 + f[1] ** 2) * wavelength_mm**2 / 2))


@pytest.mark.parametrize("shape", [(64, 64), (65, 48), (101, 77), (1, 9), (1, 1), (7, 1)])
@pytest.mark.parametrize("spacing", [(0.07, 0.07), (0.1, 0.05)])
@pytest.mark.parametrize("wavelength_mm", [0.1, 0.17, 0.5, 4.0])
def test_equals_a_float64_transform_of_the_mirrored_image(shape, spacing, wavelength_mm):
    pixels = np.random.default_rng(1).random(shape)
    ours = perturb(view(pixels, spacing), "lowpass", wavelength_mm).numpy()
    assert np.abs(ours - filtered(pixels, spacing, wavelength_mm)).max() < 1e-5


def test_equals_the_float64_transform_at_full_resolution():
    pixels = np.random.default_rng(2).random((2944, 1920))
    for wavelength_mm in (0.17, 1.0):
        ours = perturb(view(pixels), "lowpass", wavelength_mm).numpy()
        assert np.abs(ours - filtered(pixels, (0.07, 0.07), wavelength_mm)).max() < 1e-5


def test_equals_the_float64_transform_of_a_real_mammogram(mammogram):
    for wavelength_mm in (0.17, 1.0):
        ours = perturb(mammogram, "lowpass", wavelength_mm).numpy()
        exact = filtered(mammogram.pixels, mammogram.pixel_spacing_mm, wavelength_mm)
        assert np.abs(ours - exact).max() < 1e-5


@pytest.mark.parametrize("wavelength_mm", PERTURBATIONS["lowpass"].severities)
@pytest.mark.parametrize("axis", [0, 1])
def test_a_sinusoid_keeps_exp_minus_f2_lambda2_over_2(wavelength_mm, axis):
    # A cosine through the pixel centres fits the mirrored edges: k half periods over the image.
    spacing, n, k = (0.1, 0.05), (240, 300), 24
    frequency = k / (2 * n[axis] * spacing[axis])
    wave = np.cos(math.pi * k * (np.arange(n[axis]) + 0.5) / n[axis])
    pixels = np.broadcast_to(np.expand_dims(wave, 1 - axis), n)
    ours = perturb(view(pixels, spacing), "lowpass", wavelength_mm).numpy()
    assert np.abs(ours - pixels * math.exp(-(frequency**2) * wavelength_mm**2 / 2)).max() < 1e-5


@pytest.mark.parametrize("wavelength_mm", [0.5, 1.0, 2.0])
def test_a_point_becomes_a_gaussian(wavelength_mm):
    spacing, sigma_mm = 0.05, wavelength_mm / (2 * math.pi)
    assert sigma_mm >= 1.1 * spacing
    pixels = np.zeros((401, 401))
    pixels[200, 200] = 1000.0
    r2 = ((np.indices((401, 401)) - 200) ** 2).sum(0) * spacing**2
    gaussian = 1000 * spacing**2 / (2 * math.pi * sigma_mm**2) * np.exp(-r2 / (2 * sigma_mm**2))
    ours = perturb(view(pixels, (spacing, spacing)), "lowpass", wavelength_mm).numpy()
    assert np.abs(ours - gaussian).max() < 2e-3 * gaussian.max()


def test_two_filters_equal_the_product_mask():
    pixels = np.random.default_rng(3).random((120, 90))
    once = perturb(view(pixels), "lowpass", 0.3)
    twice = perturb(view(once.numpy()), "lowpass", 0.4)
    assert torch.allclose(twice, perturb(view(pixels), "lowpass", 0.5), atol=1e-6)


def test_the_chest_wall_does_not_meet_the_opposite_edge():
    pixels = np.zeros((64, 64))
    pixels[:, :8] = 1.0
    ours = perturb(view(pixels), "lowpass", 1.0).numpy()
    assert ours[:, -1].max() < 1e-6
    assert ours[:, 0].min() > 0.99


def test_a_non_square_image_is_filtered_equally_along_both_axes():
    pixels = np.zeros((301, 151))
    pixels[150, 75] = 1.0
    ours = perturb(view(pixels), "lowpass", 1.0).numpy()
    assert np.allclose(ours[150 - 40 : 150 + 41, 75], ours[150, 75 - 40 : 75 + 41], atol=1e-7)


def test_anisotropic_spacing_blurs_equally_in_millimetres():
    pixels = np.zeros((201, 201))
    pixels[100, 100] = 1.0
    ours = perturb(view(pixels, (0.05, 0.1)), "lowpass", 1.5).numpy()
    assert np.allclose(ours[100:181:2, 100], ours[100, 100:141], atol=1e-7)


def test_neither_rescales_nor_rounds_nor_clips():
    pixels = np.zeros((64, 64))
    pixels[20:24, 20:24] = 1.0
    ours = perturb(view(pixels), "lowpass", 0.17).numpy()
    assert ours.min() < -0.001, "the band limit rings; clipping it would hide that"
    assert len(np.unique(ours)) > 1000, "no rounding to integers"
    assert abs(ours.mean() - pixels.mean()) < 1e-7, "no gain change"


def test_ringing_stays_small():
    pixels = np.zeros((256, 256))
    pixels[:, 128:] = 1.0
    for wavelength_mm in PERTURBATIONS["lowpass"].severities:
        assert perturb(view(pixels), "lowpass", wavelength_mm).min() > -0.025


def test_says_where_it_does_nothing():
    flag, shared = PERTURBATIONS["lowpass"].flag, Shared(view(np.zeros((2, 2))))
    assert "does nothing" in flag(shared, 0.019)
    assert flag(shared, 0.17) == ""


def test_rounding_to_stored_integers_is_an_option():
    pixels = np.random.default_rng(4).random((40, 40))
    steps = perturb(view(pixels), "lowpass", 0.5, quantise_bits=12).numpy() * 4095
    assert np.allclose(steps, np.round(steps), atol=1e-3)


@pytest.mark.parametrize("bits", [0, -1, 17, 12.5, "12"])
def test_bits_that_no_file_stores_are_refused(bits):
    """None at all would divide by zero steps."""
    with pytest.raises(
        UnusableInput, match=f"quantise_bits must be a whole number from 1 to 16, or None, got {bits!r}"
    ):
        perturb(view(np.zeros((4, 4))), "lowpass", 0.5, quantise_bits=bits)


def test_missing_spacing_is_an_error():
    with pytest.raises(UnusableInput, match="pixel_spacing_mm must be two positive lengths"):
        view(np.zeros((4, 4)), (0.0, 0.07))
