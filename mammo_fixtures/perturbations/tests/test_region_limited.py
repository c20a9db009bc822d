"""Perturbations of part of a view: the region to the pixel, the patch, the marker and the tiles."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from mammo_fixtures import UnusableInput, View, perturb
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations.keyed import Key
from mammo_fixtures.perturbations.marker import LETTERS, MARKER, WIDTH, letter, no_room
from mammo_fixtures.perturbations.occlusion_place import does_not_fit
from mammo_fixtures.perturbations.region import (
    FEATHER_MM,
    LOWPASS_INSIDE,
    LOWPASS_OUTSIDE,
    OCCLUSION,
    PATCH_SHUFFLE,
    feathered_region,
    tile_order,
)
from mammo_fixtures.perturbations.tests.drawn_views import perturbed

SHAPE = (320, 240)


def view(*, region=True, spacing=(0.2, 0.2), side="L", exam_id="17", shape=SHAPE, turned=False, background=0.0):
    """A half disc of noisy tissue at the left edge and a round region in it."""
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.16 + column**2 / 0.64 < 1
    tissue = 0.4 + 0.2 * np.random.default_rng(5).random(shape)
    lesion = (row - 0.5) ** 2 + (column - 0.3) ** 2 < 0.006
    pixels = np.where(inside, tissue, background).astype(np.float32)
    if turned:
        pixels, lesion = pixels[:, ::-1].copy(), lesion[:, ::-1].copy()
    return View.from_array(
        pixels, pixel_spacing_mm=spacing, side=side, position="CC", exam_id=exam_id, intensity_range=(0, 1),
        region=lesion if region else None,
    )  # fmt: skip


@pytest.mark.parametrize("spacing", [(0.2, 0.2), (0.15, 0.3)])
def test_the_region_fades_over_one_millimetre_around_it(spacing):
    of = view(spacing=spacing)
    (top, bottom, left, right), weight = feathered_region(of.region, spacing)
    whole = np.zeros(SHAPE, np.float32)
    whole[top:bottom, left:right] = weight
    beside = ndimage.distance_transform_edt(~of.region, sampling=spacing)
    assert np.allclose(whole, (1 - beside / FEATHER_MM).clip(0), atol=1e-6)
    assert (whole[of.region] == 1).all()


@pytest.mark.parametrize("wavelength_mm", [0.5, 4.0])
def test_inside_and_outside_meet_to_the_low_pass_of_the_whole(wavelength_mm):
    of = view()
    inside, outside = (perturbed(record, of, wavelength_mm) for record in (LOWPASS_INSIDE, LOWPASS_OUTSIDE))
    whole = perturb(of, "lowpass", wavelength_mm).numpy()
    beyond = ndimage.distance_transform_edt(~of.region, sampling=0.2) > FEATHER_MM
    assert np.array_equal(inside[of.region], whole[of.region])
    assert np.array_equal(inside[beyond], of.pixels[beyond])
    assert np.array_equal(outside[of.region], of.pixels[of.region])
    assert np.array_equal(outside[beyond], whole[beyond])
    assert np.allclose(inside + outside, of.pixels + whole, atol=1e-6)


def test_a_view_without_a_region_has_an_empty_one():
    of = view(region=False)
    assert np.array_equal(perturbed(LOWPASS_INSIDE, of, 2.0), of.pixels)
    assert np.array_equal(perturbed(LOWPASS_OUTSIDE, of, 2.0), perturb(of, "lowpass", 2.0).numpy())


def test_a_region_at_the_edge_of_the_image_is_cut_there():
    region = np.zeros((40, 30), np.bool_)
    region[:5, 26:] = True
    box, weight = feathered_region(region, (0.5, 0.5))
    assert box == (0, 7, 24, 30)
    assert weight.shape == (7, 6)


@pytest.mark.parametrize("diameter_mm", [2, 5, 10])
@pytest.mark.parametrize("exam_id", ["17", "18", "19"])
@pytest.mark.parametrize("spacing", [(0.2, 0.2), (0.15, 0.3)])
def test_the_patch_is_a_disc_of_its_own_mean_in_the_breast_and_off_the_region(diameter_mm, exam_id, spacing):
    of = view(exam_id=exam_id, spacing=spacing)
    ours = perturbed(OCCLUSION, of, diameter_mm)
    changed = ours != of.pixels
    assert not changed[of.pixels == 0].any()
    assert not changed[of.region].any()
    area = changed.sum() * spacing[0] * spacing[1]
    assert math.pi / 4 * diameter_mm**2 < area < math.pi / 4 * (diameter_mm + 1.3) ** 2
    core = ndimage.distance_transform_edt(changed, sampling=spacing) > FEATHER_MM + 0.3
    if core.any():
        assert np.ptp(ours[core]) < 1e-6
        assert ours[core][0] == pytest.approx(of.pixels[changed].mean(), abs=0.01)


def test_another_seed_puts_the_patch_elsewhere():
    of = view()
    assert len({perturbed(OCCLUSION, of, 5, seed=seed).tobytes() for seed in range(4)}) > 1


def test_a_patch_that_fits_nowhere_leaves_the_region_and_says_so():
    of = view()
    ours = perturbed(OCCLUSION, of, 60)
    assert np.array_equal(ours[of.region], of.pixels[of.region])
    assert np.array_equal(ours[of.pixels == 0], of.pixels[of.pixels == 0])
    text = "the patch fits nowhere beside the lesion's region: only part of it was drawn"
    assert does_not_fit(Shared(of), 60) == text
    assert does_not_fit(Shared(of), 5) == ""


def test_a_patch_that_has_no_breast_to_lie_on_is_said_not_to_be_drawn():
    of = view()
    of = replace(of, region=Shared(of).mask_array)
    assert np.array_equal(perturbed(OCCLUSION, of, 5), of.pixels)
    assert does_not_fit(Shared(of), 5) == "there is no breast beside the lesion's region: no patch was drawn"


@pytest.mark.parametrize(("side", "drawn"), [("L", "R"), ("R", "L")])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("height_mm", [5, 10, 15])
def test_the_marker_names_the_other_side_in_the_background(side, drawn, turned, height_mm):
    of = view(side=side, turned=turned)
    ours = perturbed(MARKER, of, height_mm)
    changed = ours != of.pixels
    assert not changed[of.pixels > 0].any()
    rows, columns = np.nonzero(ours > 0.5) if not changed.any() else np.nonzero(changed & (ours > 0.5))
    assert np.ptp(rows) * 0.2 == pytest.approx(height_mm, abs=0.5)
    assert rows.max() < SHAPE[0] / 2
    assert (columns.max() < SHAPE[1] / 2) == turned
    expected = letter(drawn, height_mm, (0.2, 0.2))
    got = ours[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert ours.max() == 1
    assert got.sum() == pytest.approx(expected.sum(), rel=0.03)


def test_letters_stay_in_their_box_and_differ():
    for strokes in LETTERS.values():
        for row, column in (point for stroke in strokes for point in stroke):
            assert 0 < row < 1
            assert 0 < column < WIDTH
    left, right = (letter(name, 10, (0.1, 0.1)) for name in "LR")
    assert np.abs(left - right).mean() > 0.1
    # An L has nothing in its upper right, an R does.
    assert left[:50, 32:].max() == 0
    assert right[:50, 32:].max() == 1


def test_the_marker_leaves_the_views_own_marker_alone():
    pixels = view(side="L").pixels.copy()
    pixels[10:40, -60:-10] = 0.9
    own = View.from_array(
        pixels, pixel_spacing_mm=(0.2, 0.2), side="L", position="CC", exam_id="1", intensity_range=(0, 1)
    )
    ours = perturbed(MARKER, own, 5)
    rows, _ = np.nonzero(ours != pixels)
    assert rows.min() > SHAPE[0] / 2, "the other corner is free"
    assert np.array_equal(ours[:100], pixels[:100])


def test_on_a_bright_background_the_marker_is_dark():
    ours = perturbed(MARKER, view(background=1.0), 10)
    assert ours[:80].min() == 0


def test_a_marker_without_room_says_so():
    assert no_room(Shared(view()), 10) == ""
    assert no_room(Shared(view(shape=(20, 20))), 10) == "the image is too small for the marker: none was drawn"
    full = View.from_array(
        np.random.default_rng(1).random((100, 80)).astype(np.float32),
        pixel_spacing_mm=(0.2, 0.2), side="L", position="CC", intensity_range=(0, 1),
    )  # fmt: skip
    assert no_room(Shared(full), 10) == "no corner of the background takes the marker: only part of it was drawn"
    assert np.array_equal(perturbed(MARKER, full, 10), full.pixels)


@pytest.mark.parametrize("tiles", [2, 4, 8, 16])
def test_every_tile_moves_and_none_is_lost(tiles):
    of = view()
    ours = perturbed(PATCH_SHUFFLE, of, tiles)
    assert np.array_equal(np.sort(ours.ravel()), np.sort(of.pixels.ravel()))
    top, bottom, left, right = Shared(of).breast_box
    rows, columns = (bottom - top) // tiles, (right - left) // tiles
    outside = np.ones(SHAPE, np.bool_)
    outside[top : top + tiles * rows, left : left + tiles * columns] = False
    assert np.array_equal(ours[outside], of.pixels[outside])
    order = tile_order(Key(exam_id="17", side="L", position="CC"), tiles * tiles).tolist()
    for place, source in enumerate(order):
        assert place != source
        corners = [(top + number // tiles * rows, left + number % tiles * columns) for number in (place, source)]
        here, there = (slice(r, r + rows) for r, _ in corners), (slice(c, c + columns) for _, c in corners)
        (now, before), (now_columns, before_columns) = here, there
        assert np.array_equal(ours[now, now_columns], of.pixels[before, before_columns])


def test_tiles_must_be_whole():
    with pytest.raises(UnusableInput) as caught:
        perturbed(PATCH_SHUFFLE, view(), 2.5)
    assert str(caught.value) == "patch_shuffle: tiles_per_side must be a whole number, got 2.5; take 2"
