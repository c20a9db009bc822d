"""Motion and focal blur: exact against float64, and their transfer functions measured on phantoms in millimetres."""

import math

import numpy as np
import pytest
import torch
from scipy.special import j1

from mammo_fixtures import View
from mammo_fixtures.perturbations import Shared, apply
from mammo_fixtures.perturbations.acquisition_blur import (
    FOCAL_BLUR,
    MOTION_BLUR,
    focal_blur,
    motion_blur,
    motion_direction,
)
from mammo_fixtures.perturbations.cosine_transform import forward
from mammo_fixtures.perturbations.keyed import Key
from mammo_fixtures.perturbations.tests.drawn_views import mirrored_reference


def moved(pixels, spacing, length_mm, direction):
    x = torch.tensor(np.asarray(pixels, dtype=np.float32))
    everywhere = torch.ones(x.shape, dtype=torch.bool)
    return motion_blur(
        x, length_mm=length_mm, spectrum=forward(x), spacing_mm=spacing, motion_direction=direction, mask=everywhere,
        breast_box=(0, x.shape[0], 0, x.shape[1]),
    ).numpy()  # fmt: skip


def spread(pixels, spacing, diameter_mm):
    x = torch.tensor(np.asarray(pixels, dtype=np.float32))
    everywhere = torch.ones(x.shape, dtype=torch.bool)
    return focal_blur(x, diameter_mm=diameter_mm, spectrum=forward(x), spacing_mm=spacing, mask=everywhere).numpy()


def motion_transfer(length_mm, direction):
    return lambda row, column: np.sinc(length_mm * (row * direction[0] + column * direction[1]))


def focal_transfer(diameter_mm):
    def transfer(row, column):
        x = np.pi * diameter_mm * np.hypot(row, column)
        return np.where(x == 0, 1, 2 * j1(x) / np.where(x == 0, 1, x))

    return transfer


def direction(degrees):
    return (math.sin(math.radians(degrees)), math.cos(math.radians(degrees)))


shapes = pytest.mark.parametrize("shape", [(64, 64), (101, 77), (48, 65), (1, 9), (7, 1), (1, 1), (2, 3)])
spacings = pytest.mark.parametrize("spacing", [(0.07, 0.07), (0.1, 0.05)])


@shapes
@spacings
@pytest.mark.parametrize("degrees", [0, 30, 90, 137])
@pytest.mark.parametrize("length_mm", [0.1, 0.5, 2.0])
def test_motion_equals_a_float64_transform_of_the_mirrored_image(shape, spacing, degrees, length_mm):
    pixels = np.random.default_rng(1).random(shape)
    reference = mirrored_reference(pixels, spacing, motion_transfer(length_mm, direction(degrees)))
    assert np.abs(moved(pixels, spacing, length_mm, direction(degrees)) - reference).max() < 1e-5


@shapes
@spacings
@pytest.mark.parametrize("diameter_mm", [0.1, 0.4, 1.6])
def test_focal_spot_equals_a_float64_transform_of_the_mirrored_image(shape, spacing, diameter_mm):
    pixels = np.random.default_rng(2).random(shape)
    reference = mirrored_reference(pixels, spacing, focal_transfer(diameter_mm))
    assert np.abs(spread(pixels, spacing, diameter_mm) - reference).max() < 1e-5


def test_both_equal_the_float64_transform_on_a_large_image():
    pixels, spacing = np.random.default_rng(3).random((980, 640)), (0.07, 0.07)
    for length_mm in (0.1, 2.0):
        reference = mirrored_reference(pixels, spacing, motion_transfer(length_mm, direction(30)))
        assert np.abs(moved(pixels, spacing, length_mm, direction(30)) - reference).max() < 1e-5
        reference = mirrored_reference(pixels, spacing, focal_transfer(length_mm))
        assert np.abs(spread(pixels, spacing, length_mm) - reference).max() < 1e-5


def edge_transfer(image, spacing_mm, axis):
    """Amplitude of the spectrum of the line that an edge across `axis` becomes, and its frequencies in cycles/mm."""
    profile = np.take(image, image.shape[1 - axis] // 2, axis=1 - axis).astype(np.float64)
    line = np.diff(profile)
    return np.fft.rfftfreq(line.size, spacing_mm), np.abs(np.fft.rfft(line))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("degrees", [20, 65, 110])
def test_motion_measured_on_an_edge(axis, degrees):
    """An edge across an axis sees the part of the motion that runs along it, in millimetres."""
    spacing, length_mm = (0.05, 0.1), 1.0
    pixels = np.zeros((400, 400))
    pixels[(slice(200, None), slice(None)) if axis == 0 else (slice(None), slice(200, None))] = 1
    frequency, measured = edge_transfer(moved(pixels, spacing, length_mm, direction(degrees)), spacing[axis], axis)
    expected = np.abs(np.sinc(length_mm * frequency * direction(degrees)[axis]))
    assert np.abs(measured - expected)[frequency < 0.8 / (2 * spacing[axis])].max() < 0.01


@pytest.mark.parametrize("axis", [0, 1])
def test_focal_spot_measured_on_an_edge(axis):
    spacing, diameter_mm = (0.05, 0.1), 0.8
    pixels = np.zeros((400, 400))
    pixels[(slice(200, None), slice(None)) if axis == 0 else (slice(None), slice(200, None))] = 1
    frequency, measured = edge_transfer(spread(pixels, spacing, diameter_mm), spacing[axis], axis)
    expected = np.abs(focal_transfer(diameter_mm)(frequency, 0.0))
    assert np.abs(measured - expected)[frequency < 0.8 / (2 * spacing[axis])].max() < 0.01


@pytest.mark.parametrize("degrees", [0, 35, 90, 150])
def test_motion_of_a_sinusoid_keeps_sinc(degrees):
    """An oblique wave, away from the edges where its mirror image comes in."""
    spacing, length_mm, f = (0.05, 0.1), 0.5, (0.9, 0.6)
    row, column = np.indices((400, 300)) * np.array(spacing)[:, None, None]
    wave = np.cos(2 * np.pi * (f[0] * row + f[1] * column) + 0.4)
    u = direction(degrees)
    ours = moved(wave, spacing, length_mm, u)
    expected = np.sinc(length_mm * (f[0] * u[0] + f[1] * u[1])) * wave
    assert np.abs(ours - expected)[60:-60, 60:-60].max() < 5e-3


def test_motion_draws_a_point_into_a_line_along_its_direction():
    spacing, length_mm = (0.05, 0.1), 2.0
    pixels = np.zeros((201, 201))
    pixels[100, 100] = 1
    ours = moved(pixels, spacing, length_mm, direction(60))
    row, column = (np.indices(ours.shape) - 100) * np.array(spacing)[:, None, None]
    along = row * direction(60)[0] + column * direction(60)[1]
    across = row * direction(60)[1] - column * direction(60)[0]
    assert ours.sum() == pytest.approx(1, abs=1e-5)
    assert ours[(np.abs(across) < 0.25) & (np.abs(along) < 1.05)].sum() == pytest.approx(1, abs=0.08)
    assert ours[(np.abs(across) < 0.25) & (np.abs(along) < 0.5)].sum() == pytest.approx(0.5, abs=0.05)


def test_a_focal_spot_draws_a_point_into_its_disc():
    spacing, diameter_mm = (0.05, 0.1), 1.6
    pixels = np.zeros((201, 201))
    pixels[100, 100] = 1
    ours = spread(pixels, spacing, diameter_mm)
    r = np.hypot(*((np.indices(ours.shape) - 100) * np.array(spacing)[:, None, None]))
    assert ours.sum() == pytest.approx(1, abs=1e-5)
    assert ours[r < 0.4].sum() == pytest.approx(0.25, abs=0.02)
    assert ours[r < 0.9].sum() == pytest.approx(1, abs=0.02)


def breast(exam_id="1"):
    row, column = np.indices((160, 120))
    inside = (row - 80) ** 2 / 64**2 + column**2 / 96**2 < 1
    pixels = np.where(inside, 0.5 + 0.2 * np.sin(row / 3 + column), 0).astype(np.float32)
    return View.from_array(
        pixels, pixel_spacing_mm=(0.1, 0.1), side="L", position="CC", intensity_range=(0, 1), exam_id=exam_id
    )


@pytest.mark.parametrize("record", [MOTION_BLUR, FOCAL_BLUR], ids=lambda record: record.name)
def test_the_background_keeps_its_clean_value(record):
    shared = Shared(breast())
    outside = ~shared.mask_array
    assert outside.any()
    for severity in record.severities:
        ours = apply(record, shared, severity, torch.empty_like(shared.pixels)).numpy()
        assert np.array_equal(ours[outside], shared.view.pixels[outside])
        assert not np.array_equal(ours, shared.view.pixels)


def test_the_box_of_the_breast_decides_what_is_computed_and_not_what_comes_of_it():
    pixels = breast().pixels[:, ::-1].copy()
    mask = torch.from_numpy(pixels > 0)
    whole, boxed, none = (
        motion_blur(
            torch.from_numpy(pixels), length_mm=1.0, spectrum=forward(torch.from_numpy(pixels)), spacing_mm=(0.1, 0.1),
            motion_direction=direction(40), mask=mask & bool(box[3]), breast_box=box,
        ).numpy()
        for box in ((0, 160, 0, 120), (16, 144, 24, 120), (0, 0, 0, 0))
    )  # fmt: skip
    assert np.abs(boxed - whole).max() < 1e-6
    assert np.abs(boxed - pixels).max() > 0.1
    assert np.array_equal(none, pixels)


def test_the_direction_is_keyed_and_covers_the_half_circle():
    drawn = np.array([motion_direction(Key(exam_id=str(i), side="L", position="CC")) for i in range(400)])
    assert np.allclose(np.hypot(*drawn.T), 1)
    angle = np.degrees(np.arctan2(drawn[:, 0], drawn[:, 1]))
    assert angle.min() >= 0
    assert angle.max() < 180
    assert np.histogram(angle, 4, (0, 180))[0].min() > 70
    assert not torch.equal(
        *(apply(MOTION_BLUR, Shared(breast(exam)), 2.0, torch.empty((160, 120))) for exam in ("1", "2"))
    )
