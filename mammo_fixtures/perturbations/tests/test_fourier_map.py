"""Waves of the Fourier sensitivity map: their amplitude, frequency, direction and sign."""

import math

import numpy as np
import pytest
import torch

from mammo_fixtures import PERTURBATIONS, UnusableInput, View, perturb
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations.fourier_map import (
    AMPLITUDE,
    BEYOND_CLASSIFIER,
    BEYOND_GRID,
    FOURIER_CELLS,
    FOURIER_MAP,
)

every_cell = pytest.mark.parametrize("cell", FOURIER_CELLS, ids=lambda cell: cell.name)


def grey(shape=(2944, 1920), spacing=(0.07, 0.07), chest_wall="left", exam_id="17", position="CC", pixels=None):
    if pixels is None:
        pixels = np.random.default_rng(3).random(shape)
    return View.from_array(
        np.asarray(pixels, dtype=np.float32), pixel_spacing_mm=spacing, side="L", position=position,
        intensity_range=(0, 1), exam_id=exam_id, chest_wall=chest_wall,
    )  # fmt: skip


def black(**declared):
    return grey(pixels=np.zeros(declared.pop("shape", (400, 300))), **declared)


def by_formula(shape, spacing, chest_wall, frequency, degrees):
    """The wave pixel by pixel in float64, up to its sign."""
    row, column = np.indices(shape)
    up = ((shape[0] - 1) / 2 - row) * spacing[0]
    away = (column if chest_wall == "left" else shape[1] - 1 - column) * spacing[1]
    angle = math.radians(degrees)
    t = 2 * math.pi * frequency * (math.cos(angle) * away + math.sin(angle) * up)
    wave = np.cos(t) + np.sin(t)
    wave -= wave.mean()
    return AMPLITUDE * wave / wave.std()


def degrees_of(cell):
    return int(cell.name[-3:])


@every_cell
@pytest.mark.parametrize(
    ("shape", "spacing", "chest_wall"),
    [((2944, 1920), (0.07, 0.07), "left"), ((401, 333), (0.05, 0.1), "right"), ((97, 64), (0.4, 0.3), "left")],
)
def test_the_wave_is_the_formula_in_double_precision(cell, shape, spacing, chest_wall):
    view = grey(shape, spacing, chest_wall)
    for frequency in (0.0625, 1.0) if shape[0] > 1000 else FOURIER_MAP.severities:
        added = perturb(view, cell.name, frequency).numpy() - view.pixels
        expected = by_formula(shape, spacing, chest_wall, frequency, degrees_of(cell))
        sign = np.sign((added * expected).sum())
        assert np.abs(added - sign * expected).max() < 1e-6


@every_cell
def test_the_root_mean_square_is_exact_and_the_mean_zero_at_every_frequency(cell):
    for view in (black(), black(shape=(161, 97), spacing=(0.31, 0.17)), black(shape=(30, 7))):
        for wave in perturb(view, cell.name, (0.01, *FOURIER_MAP.severities)).double():
            assert float(wave.square().mean().sqrt()) == pytest.approx(AMPLITUDE, rel=1e-5)
            assert abs(float(wave.mean())) < 1e-5 * AMPLITUDE


@every_cell
@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.05, 0.2)])
def test_its_energy_lies_at_its_frequency_and_direction(cell, spacing):
    shape = (round(40 / spacing[0]), round(40 / spacing[1]))
    power = np.abs(np.fft.fft2(perturb(black(shape=shape, spacing=spacing), cell.name, 1.0).numpy())) ** 2
    down, across = np.unravel_index(np.argmax(power), shape)
    found = np.array([np.fft.fftfreq(shape[0], spacing[0])[down], np.fft.fftfreq(shape[1], spacing[1])[across]])
    assert np.hypot(*found) == pytest.approx(1.0, abs=0.03)
    # Rows are counted downwards, so that up is negative; a wave and its opposite direction are one.
    assert math.degrees(math.atan2(-found[0], found[1])) % 180 == pytest.approx(degrees_of(cell), abs=1.5)


def test_the_other_chest_wall_is_the_mirror_image():
    left, right = (perturb(black(chest_wall=wall), "fourier_map_045", 0.5) for wall in ("left", "right"))
    assert torch.equal(left.flip(1), right)


def test_all_views_of_an_exam_have_one_sign_and_exams_have_either():
    waves = [
        [perturb(black(exam_id=str(exam), position=position), "fourier_map_000", 0.5) for position in ("CC", "MLO")]
        for exam in range(12)
    ]
    assert all(torch.equal(cc, mlo) for cc, mlo in waves)
    signs = [float(torch.sign((cc * waves[0][0]).sum())) for cc, _ in waves]
    assert {*signs} == {-1.0, 1.0}
    assert all(torch.equal(cc, sign * waves[0][0]) for (cc, _), sign in zip(waves, signs, strict=True))


@every_cell
def test_an_image_too_small_for_a_wave_is_left_alone(cell):
    for shape in ((1, 1), (1, 5), (5, 1)):
        view = grey(shape)
        moved = perturb(view, cell.name, FOURIER_MAP.severities)
        assert moved.isfinite().all()
    assert torch.equal(perturb(grey((1, 1)), cell.name, 1.0), torch.tensor(grey((1, 1)).pixels))


def test_what_pixels_cannot_hold_is_flagged_for_view_and_classifier():
    across, oblique = PERTURBATIONS["fourier_map_000"], PERTURBATIONS["fourier_map_045"]
    shared = Shared(black(spacing=(0.1, 0.1)))
    assert across.flag(shared, 4.0) == across.flag(shared, 5.0) == ""
    assert across.flag(shared, 5.1) == "the pixel grid cannot hold this frequency: its pixels show another one"
    assert oblique.flag(shared, 6.0) == "", "obliquely, pixels reach further"
    assert across.flag(Shared(black(spacing=(0.2, 0.1))), 4.0) == "", "along rows only the columns' distance counts"
    assert across.notes[BEYOND_GRID](shared, 5.1) == 1.0
    assert across.notes[BEYOND_CLASSIFIER](shared, 4.0) is None
    shared.classifier_pixels_mm = (0.5, 0.2)
    assert [across.notes[BEYOND_CLASSIFIER](shared, f) for f in (2.0, 3.0)] == [0.0, 1.0]


def test_the_mean_over_orientations_is_no_image():
    with pytest.raises(UnusableInput, match="must have an orientation, got none; perturb by one of fourier_map_000, "):
        perturb(black(), "fourier_map", 1.0)


def test_the_map_stands_beside_the_catalogue():
    assert len(PERTURBATIONS) == 42
    assert {*FOURIER_MAP.averages} == {cell.name for cell in FOURIER_CELLS}
    assert not {FOURIER_MAP, *FOURIER_CELLS} & {*PERTURBATIONS}
    assert PERTURBATIONS.parts("fourier_map") == FOURIER_MAP.averages
    assert PERTURBATIONS.parts("lowpass") == ("lowpass",)
    assert len(FOURIER_MAP.severities) * len(FOURIER_CELLS) == 32
