"""Quantum noise on FOR PROCESSING pixels with a declared gain: the dose test on a linear phantom."""

import math

import numpy as np
import pytest
from scipy import ndimage

from mammo_fixtures import UnusableInput, View
from mammo_fixtures.perturbations.acquisition import QUANTUM_NOISE
from mammo_fixtures.perturbations.tests.drawn_views import perturbed
from mammo_fixtures.perturbations.tests.test_acquisition import power_in_rings, shaped

GAIN = 1.5
"""Stored units squared of variance for each stored unit, as a linear detector of that many units a photon has."""
LINEAR = (0.2, 0.4, 0.7)


def linear(seed, dose=1.0, spacing=(0.1, 0.1), shape=(900, 500)):
    """Three steps of a linear detector's 14-bit pixels, the background brightest; rescaled, noise in proportion."""
    signal = np.full(shape, 0.95)
    for step, level in zip(np.array_split(np.arange(20, shape[0] - 20), 3), LINEAR, strict=True):
        signal[step, : shape[1] * 4 // 5] = level
    sigma = np.sqrt(GAIN * signal / 16383 / dose)
    return np.where(signal < 0.9, signal + sigma * shaped(seed, shape, spacing), 0.95), signal


def for_processing(pixels, noise_gain, spacing=(0.1, 0.1)):
    return View.from_array(
        np.asarray(pixels * 16383, dtype=np.float32), pixel_spacing_mm=spacing, side="L", position="CC", exam_id="1",
        intensity_range=(0, 16383), intent="FOR PROCESSING", noise_gain=noise_gain,
    )  # fmt: skip


@pytest.mark.parametrize("dose", [0.6, 0.25, 0.10])
def test_dose_test_with_a_declared_gain_on_linear_pixels(dose):
    full, signal = linear(19)
    low, _ = linear(20, dose=dose)
    ours = perturbed(QUANTUM_NOISE, for_processing(full, GAIN), dose)
    assert np.array_equal(ours[signal > 0.9], np.float32(full * 16383)[signal > 0.9] / np.float32(16383))
    rings = np.linspace(0.5, 5.5, 6)
    spectra = {"ours": np.zeros(5), "low": np.zeros(5)}
    for level in LINEAR:
        region = ndimage.binary_erosion(signal == level, iterations=4, border_value=1)
        box = ndimage.find_objects(region.astype(np.uint8))[0]
        assert ours[box].var() == pytest.approx(GAIN * level / 16383 / dose, rel=0.05)
        assert ours[box].var() == pytest.approx(low[box].var(), rel=0.10)
        for name, image in (("ours", ours), ("low", low)):
            spectra[name] += power_in_rings(image[box], (0.1, 0.1), rings) / level
    np.testing.assert_allclose(spectra["ours"], spectra["low"], rtol=0.15)


def test_a_declared_gain_holds_where_nothing_can_be_measured():
    """Denoised pixels show no noise; what is declared is added all the same, what is measured is next to nothing."""
    _, signal = linear(21)
    declared, measured = (perturbed(QUANTUM_NOISE, for_processing(signal, gain), 0.5) for gain in (GAIN, None))
    region = ndimage.binary_erosion(signal == LINEAR[1], iterations=8, border_value=1)
    assert declared[region].std() == pytest.approx(math.sqrt(GAIN * LINEAR[1] / 16383), rel=0.05)
    assert measured[region].std() < 0.01 * declared[region].std()


def test_a_gain_is_of_linear_pixels_and_positive():
    pixels = np.full((8, 8), 0.5, np.float32)
    declared = {"pixel_spacing_mm": (0.1, 0.1), "side": "L", "position": "CC", "intensity_range": (0, 1)}
    with pytest.raises(
        UnusableInput, match=r"noise_gain must be stated of FOR PROCESSING pixels only, .*got pixels FOR"
    ):
        View.from_array(pixels, **declared, intent="FOR PRESENTATION", noise_gain=1.0)
    for gain in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(UnusableInput, match="noise_gain must be a positive number, got"):
            View.from_array(pixels, **declared, noise_gain=gain)
