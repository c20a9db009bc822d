"""High-pass and band-stop against closed forms and an independent float64 reference."""

import math

import numpy as np
import pytest
import torch

from mammo_fixtures.perturbations import Shared, cosine_transform
from mammo_fixtures.perturbations.frequency import BANDSTOP, HIGHPASS, LOWPASS
from mammo_fixtures.perturbations.tests import drawn_views
from mammo_fixtures.perturbations.tests.drawn_views import mirrored_reference, view


def perturbed(record, pixels, severity, spacing=(0.07, 0.07)):
    return drawn_views.perturbed(record, view(pixels, spacing), severity)


def wave(n, k, axis):
    """k half periods of a cosine over the image along one axis: it fits the mirrored edges."""
    values = np.cos(math.pi * k * (np.arange(n[axis]) + 0.5) / n[axis])
    return np.broadcast_to(np.expand_dims(values, 1 - axis), n)


def highpass_transfer(wavelength_mm):
    def transfer(row, column):
        f = np.hypot(row, column)
        return np.where(f == 0, 1, 1 - np.exp(-(f**2) * wavelength_mm**2 / 2))

    return transfer


def bandstop_transfer(centre_per_mm):
    def transfer(row, column):
        f = np.hypot(row, column)
        octaves = np.log2(np.where(f == 0, 1e-30, f) / centre_per_mm)
        return 1 - 0.5 ** ((2 * octaves) ** 2)  # half depth at half an octave

    return transfer


shapes = pytest.mark.parametrize("shape", [(64, 64), (101, 77), (1, 9), (7, 1), (1, 1)])
spacings = pytest.mark.parametrize("spacing", [(0.07, 0.07), (0.1, 0.05)])


@shapes
@spacings
@pytest.mark.parametrize("wavelength_mm", [0.3, 2.0, 32.0])
def test_highpass_equals_a_float64_transform_of_the_mirrored_image(shape, spacing, wavelength_mm):
    pixels = np.random.default_rng(1).random(shape)
    ours = perturbed(HIGHPASS, pixels, wavelength_mm, spacing)
    assert np.abs(ours - mirrored_reference(pixels, spacing, highpass_transfer(wavelength_mm))).max() < 1e-5


@shapes
@spacings
@pytest.mark.parametrize("centre_per_mm", [0.125, 1.0, 4.0, 20.0])
def test_bandstop_equals_a_float64_transform_of_the_mirrored_image(shape, spacing, centre_per_mm):
    pixels = np.random.default_rng(2).random(shape)
    ours = perturbed(BANDSTOP, pixels, centre_per_mm, spacing)
    assert np.abs(ours - mirrored_reference(pixels, spacing, bandstop_transfer(centre_per_mm))).max() < 1e-5


def test_both_equal_the_float64_transform_on_a_large_image():
    pixels = np.random.default_rng(3).random((980, 640))
    for record, severity, transfer in [
        (HIGHPASS, 4.0, highpass_transfer(4.0)),
        (BANDSTOP, 1.0, bandstop_transfer(1.0)),
        (BANDSTOP, 4.0, bandstop_transfer(4.0)),
    ]:
        difference = perturbed(record, pixels, severity) - mirrored_reference(pixels, (0.07, 0.07), transfer)
        assert np.abs(difference).max() < 1e-5


def test_highpass_and_lowpass_together_are_the_image_and_its_mean():
    pixels = np.random.default_rng(4).random((90, 61))
    both = perturbed(HIGHPASS, pixels, 2.0) + perturbed(LOWPASS, pixels, 2.0)
    assert np.allclose(both, pixels + pixels.mean(), atol=1e-6)


@pytest.mark.parametrize("record", [HIGHPASS, BANDSTOP], ids=lambda record: record.name)
def test_the_mean_is_kept(record):
    pixels = np.random.default_rng(5).random((80, 121))
    for severity in record.severities:
        assert abs(perturbed(record, pixels, severity).mean() - np.float32(pixels).mean()) < 1e-6


def test_highpass_goes_negative_in_the_breast_and_is_not_clipped():
    pixels = np.zeros((300, 200))
    pixels[60:240, :120] = 0.5
    assert perturbed(HIGHPASS, pixels, 16.0, (0.4, 0.4)).min() < -0.04


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("wavelength_mm", HIGHPASS.severities)
def test_highpass_keeps_1_minus_exp_of_a_sinusoid(wavelength_mm, axis):
    spacing, n, k = (0.4, 0.2), (240, 300), 12
    frequency = k / (2 * n[axis] * spacing[axis])
    ours = perturbed(HIGHPASS, wave(n, k, axis), wavelength_mm, spacing)
    kept = 1 - math.exp(-(frequency**2) * wavelength_mm**2 / 2)
    assert np.abs(ours - kept * wave(n, k, axis)).max() < 1e-5


@pytest.mark.parametrize(("octaves", "kept"), [(0, 0.0), (0.5, 0.5), (-0.5, 0.5), (1, 15 / 16), (-2, 1 - 2.0**-16)])
@pytest.mark.parametrize("axis", [0, 1])
def test_bandstop_removes_an_octave_of_full_width_at_half_depth(octaves, kept, axis):
    spacing, n, k = (0.1, 0.05), (240, 300), 24
    centre = k / (2 * n[axis] * spacing[axis]) / 2**octaves
    ours = perturbed(BANDSTOP, wave(n, k, axis), centre, spacing)
    assert np.abs(ours - kept * wave(n, k, axis)).max() < 1e-5


def test_labels_sort_as_text():
    assert [HIGHPASS.label(severity) for severity in HIGHPASS.severities] == [
        "32.00mm", "16.00mm", "08.00mm", "04.00mm", "02.00mm",
    ]  # fmt: skip
    assert BANDSTOP.label(0.125) == "0.125cpmm"


def test_no_highpass_is_an_infinite_wavelength():
    pixels = np.random.default_rng(6).random((9, 8)).astype(np.float32)
    assert perturbed(HIGHPASS, pixels, math.inf).tobytes() == pixels.tobytes()


def test_bandstop_says_where_the_pixel_grid_ends_before_the_notch():
    assert "most of the notch lies beyond" in BANDSTOP.flag(Shared(view(np.zeros((2, 2)), (0.2, 0.2))), 4.0)
    assert BANDSTOP.flag(Shared(view(np.zeros((2, 2)), (0.1, 0.1))), 4.0) == ""


def test_what_the_classifier_cannot_see_is_said():
    """A view of 0.07 mm that the classifier reads at 0.5 mm ends at 1 cycle/mm: finer severities test nothing."""
    shared = Shared(view(np.zeros((2, 2)), (0.07, 0.07)))
    assert (LOWPASS.flag(shared, 0.1), BANDSTOP.flag(shared, 2.0)) == ("", "")
    shared.classifier_pixels_mm = (0.6, 0.5)
    assert LOWPASS.flag(shared, 0.1) == (
        "gain 0.995 at the Nyquist frequency of the classifier's input: the filter does nothing here"
    )
    assert LOWPASS.flag(shared, 0.5) == ""
    assert BANDSTOP.flag(shared, 2.0) == (
        "the classifier's input ends at 1.00 cycles/mm: most of the notch lies beyond"
    )
    assert BANDSTOP.flag(shared, 0.5) == ""
    shared.classifier_pixels_mm = (0.5, 0.1)
    assert (LOWPASS.flag(shared, 0.1), BANDSTOP.flag(shared, 2.0)) == ("", ""), "seen along the other axis"


def test_a_separable_gain_may_be_given_as_a_whole():
    pixels = torch.rand((33, 21), generator=torch.Generator().manual_seed(1))
    spectrum = cosine_transform.forward(pixels)
    rows, columns = torch.linspace(1, 0.1, 33), torch.linspace(1, 0.3, 21)
    columns[12:] = 0
    gains = (cosine_transform.Gain.of(each, torch.float32, torch.device("cpu")) for each in (rows, columns))
    apart = cosine_transform.filtered(spectrum, *gains, torch.empty_like(pixels))
    whole = cosine_transform.filtered_by(spectrum, rows[:, None] * columns[:12], torch.full_like(pixels, 7.0))
    assert torch.allclose(apart, whole, atol=1e-6)
