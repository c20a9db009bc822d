"""What phantoms promise about physics: tissue spectrum, detector transfer, noise law."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from mammo_fixtures.exams.phantoms import read_recipe, render_exam
from mammo_fixtures.exams.phantoms.calcifications import Cluster, add_cluster
from mammo_fixtures.exams.phantoms.detector import expose, noise_deviation, transfer
from mammo_fixtures.exams.phantoms.findings import Place

RECIPE = read_recipe()
REGION = 256
"""Pixels a side: 25.6 mm."""


def mean_periodogram(images: list[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Radial frequencies and mean power of Hann-windowed regions that lie in the breast, their mean removed."""
    window = np.hanning(REGION)[:, None] * np.hanning(REGION)[None, :]
    total, count = np.zeros((REGION, REGION)), 0
    for image in images:
        for row in range(0, image.shape[0] - REGION + 1, 128):
            for column in range(0, image.shape[1] - REGION + 1, 128):
                region = image[row : row + REGION, column : column + REGION]
                if region.min() > 0:
                    total += np.abs(np.fft.fft2((region - region.mean()) * window)) ** 2
                    count += 1
    step = np.fft.fftfreq(REGION, RECIPE.pixel_mm)
    return np.hypot(step[:, None], step[None, :]), total / count


@pytest.mark.parametrize("density", [0, 1, 2, 3], ids="ABCD")
def test_parenchyma_falls_with_a_power_law(density: int) -> None:
    """The exponent lies within what is measured of mammograms: 2.7 to 3.3 over 0.15 to 1 cycles/mm."""
    views = [view for number in (density, density + 4, density + 8) for view in render_exam(RECIPE, number)]
    frequency, power = mean_periodogram([view.stored / 4095.0 for view in views])
    power = power - power[(frequency > 4.2) & (frequency < 5)].mean()
    edges = np.geomspace(0.15, 1.0, 13)
    rings = [(frequency >= low) & (frequency < high) for low, high in pairwise(edges)]
    centre = [np.log(frequency[ring]).mean() for ring in rings if ring.any()]
    level = [np.log(power[ring].mean()) for ring in rings if ring.any()]
    exponent = -np.polyfit(centre, level, 1)[0]
    assert 2.7 <= exponent <= 3.3


def test_transfer_halves_between_four_and_six_cycles_per_mm() -> None:
    """With and without the pixel's own aperture."""
    point = np.zeros((128, 128), np.float32)
    point[64, 64] = 1
    response = np.abs(np.fft.rfft(transfer(RECIPE, point).sum(axis=0)))
    frequency = np.fft.rfftfreq(128, RECIPE.pixel_mm)
    assert response[0] == pytest.approx(1)
    assert np.interp(4.0, frequency, response) > 0.5
    # beyond the Nyquist frequency of 5 the Gaussian is known by its value at 4
    half = 4.0 * np.sqrt(np.log(2) / -np.log(np.interp(4.0, frequency, response)))
    assert 4 <= half <= 6
    with_aperture = response * np.sinc(frequency * RECIPE.pixel_mm)
    assert 4 <= np.interp(-0.5, -with_aperture, frequency) <= 6


def test_noise_grows_where_fewer_photons_arrive() -> None:
    """Logarithmic domain: the variance is inverse to the exposure, which falls e-fold per `log_gain`."""
    deviations = []
    for value in (0.3, 0.5, 0.7):
        flat = np.full((512, 512), value, np.float32)
        deviations.append(float(expose(RECIPE, flat, "flat", str(value)).std()))
    assert deviations[1] == pytest.approx(RECIPE.noise, rel=0.02)
    assert (deviations[2] / deviations[0]) ** 2 == pytest.approx(np.exp(0.4 / RECIPE.log_gain), rel=0.04)


def test_half_the_dose_doubles_the_variance() -> None:
    value = np.full((4, 4), 0.5, np.float32)
    full, half = noise_deviation(RECIPE, value), noise_deviation(RECIPE, value, dose=0.5)
    np.testing.assert_allclose(half**2, 2 * full**2, rtol=1e-5)


def test_a_grain_keeps_its_volume_wherever_it_falls_on_the_grid() -> None:
    """Partial volume: a grain smaller than two pixels is neither lost nor doubled between them."""
    recipe = replace(RECIPE, rows=64, columns=64)
    grain = Cluster(
        grains_mm=np.zeros((1, 3)),
        sizes_mm=np.array([0.15]),
        shapes=np.array([[1.0, 0.0, 0.0]]),
        contrasts=np.array([0.1]),
        radius_mm=1.0,
    )
    volumes = []
    for shift in (0.0, 0.03, 0.05, 0.08):
        value, region = np.zeros((64, 64), np.float32), np.zeros((64, 64), bool)
        add_cluster(recipe, value, region, grain, Place(x_mm=3 + shift, y_mm=3 - shift), "CC")
        volumes.append(float(value.sum()))
    # a hemisphere's profile: two thirds of the disc's area times its height, in pixels
    expected = 0.1 * 2 / 3 * np.pi * 0.075**2 / 0.01
    np.testing.assert_allclose(volumes, expected, rtol=0.08)
