"""Geometry against scipy.ndimage, whole pixels against slicing, and what leaves the image."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from mammo_fixtures.perturbations import Shared, resampling
from mammo_fixtures.perturbations.breast_mask import box_of
from mammo_fixtures.perturbations.elastic_field import LARGEST_MM, elastic_field
from mammo_fixtures.perturbations.geometry import (
    CROP,
    ELASTIC,
    MAGNIFICATION,
    MIRROR,
    POSTERIOR_CUT,
    ROTATION,
    TRANSLATION,
)
from mammo_fixtures.perturbations.geometry_sources import SOURCES
from mammo_fixtures.perturbations.keyed import Key
from mammo_fixtures.perturbations.resampling import resample
from mammo_fixtures.perturbations.source_map import TILE, SourceMap
from mammo_fixtures.perturbations.tests.drawn_views import perturbed, view

AFFINE = (ROTATION, TRANSLATION, POSTERIOR_CUT, MAGNIFICATION)
BY_NAME = {record.name: record for record in (*AFFINE, CROP, MIRROR, ELASTIC)}


def breast(shape=(2 * TILE + 37, TILE + 111), wall="left", background=0.0, spacing=(0.4, 0.4), exam_id="1"):
    """Texture down to single pixels in a half disc at the chest wall; more than one tile along each axis."""
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.18 + column**2 / 0.64 < 1
    tissue = 0.45 + 0.2 * np.sin(9 * row + 5 * column) + 0.1 * np.random.default_rng(5).random(shape)
    pixels = np.where(inside, tissue, background)
    return view(pixels if wall == "left" else pixels[:, ::-1], spacing, chest_wall=wall, exam_id=exam_id)


def reference(shared, name, severity):
    """The same sampled by SciPy in float64, the chest wall's edge repeated on a far wider image."""
    source = SOURCES[name](shared, severity)
    rows, columns = shared.view.shape
    wide = ((0, 0), (2 * columns, 0)) if shared.chest_wall == "left" else ((0, 0), (0, 2 * columns))
    image = np.pad(shared.view.pixels.astype(np.float64), wide, mode="edge")
    places = np.einsum("ij,jrc->irc", np.array(source.matrix), np.indices((rows, columns)))
    places += np.array(source.offset)[:, None, None]
    if source.displacement is not None:
        places += source.amount * np.moveaxis(source.displacement.numpy().astype(np.float64), 2, 0)[::-1]
    places[1] += wide[1][0]
    return ndimage.map_coordinates(image, places, order=1, mode="grid-constant", cval=shared.background)


@pytest.mark.parametrize("wall", ["left", "right"])
@pytest.mark.parametrize("background", [0.0, 1.0])
@pytest.mark.parametrize("name", SOURCES)
def test_equals_scipy_at_every_severity(name, background, wall):
    shared = Shared(breast(wall=wall, background=background))
    for severity in BY_NAME[name].severities:
        difference = np.abs(perturbed(BY_NAME[name], shared, severity) - reference(shared, name, severity))
        # A coordinate in float32 among a tile's 200 to 300 pixels is right to 3e-5 of a pixel.
        assert difference.max() < 4e-5, severity
        assert difference.mean() < 1e-6, severity


@pytest.mark.parametrize("spacing", [(0.3, 0.6), (0.6, 0.3)])
@pytest.mark.parametrize("name", SOURCES)
def test_equals_scipy_where_rows_and_columns_are_spaced_differently(name, spacing):
    shared = Shared(breast(spacing=spacing))
    severity = BY_NAME[name].severities[-1]
    assert np.abs(perturbed(BY_NAME[name], shared, severity) - reference(shared, name, severity)).max() < 4e-5


@pytest.mark.parametrize("severity", [-180, -90, -37, 90])
def test_large_angles_too(severity):
    shared = Shared(breast())
    assert np.abs(perturbed(ROTATION, shared, severity) - reference(shared, "rotation", severity)).max() < 4e-5


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (TILE, TILE), (TILE + 1, TILE - 1)])
@pytest.mark.parametrize("name", SOURCES)
def test_images_of_any_size(name, shape):
    shared = Shared(view(np.random.default_rng(2).random(shape)))
    severity = BY_NAME[name].severities[0]
    assert np.abs(perturbed(BY_NAME[name], shared, severity) - reference(shared, name, severity)).max() < 4e-5


@pytest.mark.parametrize("wall", ["left", "right"])
@pytest.mark.parametrize("degrees", [-15, 7, 100, 180])
def test_what_is_read_straight_from_the_image_is_what_copies_of_it_give(degrees, wall, monkeypatch):
    """Also where tiles far inside the image are many, and where a turn runs through memory backwards."""
    shared = Shared(breast((9 * TILE + 37, 5 * TILE + 11), wall=wall, background=0.25))
    straight = perturbed(ROTATION, shared, degrees)
    states = resampling._states
    monkeypatch.setattr(resampling, "_states", lambda *given: np.minimum(states(*given), resampling._AT_EDGE))
    assert np.abs(perturbed(ROTATION, shared, degrees) - straight).max() < 1e-5
    assert np.abs(straight - reference(shared, "rotation", degrees)).max() < 4e-5


def test_a_place_is_kept_to_a_hundred_thousandth_of_a_pixel_anywhere():
    rows, columns = 2944, 1920
    # Each pixel is 0 or 1, so that what is sampled is the place itself, among 3,000 pixels no coarser than among few.
    stripes = (torch.arange(columns) % 2).float().expand(rows, columns).contiguous()
    source = SourceMap(matrix=((1.0, 0.0), (0.0, 1.0)), offset=(0.0, 0.3))
    ours = resample(stripes, source, chest_wall="left", background=0.0, content=None, out=None)
    expected = torch.where(stripes == 0, 0.3, 0.7)
    assert (ours[:, :-1] - expected[:, :-1]).abs().max() < 1.5e-5


def test_the_number_of_threads_changes_nothing():
    shared, threads = Shared(breast()), torch.get_num_threads()
    try:
        results = []
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            results.append(perturbed(ROTATION, shared, 10))
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_an_image_may_lie_in_the_midst_of_others():
    shared = Shared(breast((5 * TILE, 4 * TILE)))
    source = SOURCES["rotation"](shared, 5)
    three = torch.stack([torch.zeros_like(shared.pixels), shared.pixels, torch.ones_like(shared.pixels)])
    among = torch.empty_like(three)
    given = {"chest_wall": "left", "background": 0.0, "content": shared.content}
    alone = resample(shared.pixels, source, out=None, **given)
    resample(three[1], source, out=among[1], **given)
    assert torch.equal(among[1], alone)


def test_leaving_out_the_background_changes_nothing():
    shared = Shared(breast((7 * TILE, 5 * TILE)))
    assert not shared.content.blocks.all()
    for name in ("rotation", "magnification", "elastic"):
        source = SOURCES[name](shared, BY_NAME[name].severities[-1])
        whole = resample(shared.pixels, source, chest_wall="left", background=0.0, content=None, out=None)
        # Tiles are made in other company, which moves a place by a rounding step.
        assert np.abs(perturbed(BY_NAME[name], shared, BY_NAME[name].severities[-1]) - whole.numpy()).max() < 1e-5


def test_rotation_turns_counter_clockwise_as_displayed():
    pixels = np.zeros((101, 101))
    pixels[50, 0:90] = 0.5  # a line from the chest wall to the nipple
    ours = perturbed(ROTATION, Shared(view(pixels, chest_wall="left")), 45)
    assert ours[50 - 40, 40] > 0.2
    assert ours[50 + 40, 40] == 0


def test_revealed_chest_wall_pixels_repeat_the_edge():
    pixels = np.zeros((101, 60))
    pixels[20:81, :40] = 0.5
    ours = perturbed(ROTATION, Shared(view(pixels, chest_wall="left")), 15)
    assert (ours[30:72, 0] == 0.5).all()


@pytest.mark.parametrize("wall", ["left", "right"])
def test_posterior_cut_loses_the_chest_wall_by_whole_pixels(wall):
    given = breast(wall=wall, spacing=(0.1, 0.5))
    ours = perturbed(POSTERIOR_CUT, given, 10.0)  # 20 columns
    expected = np.zeros_like(ours)
    if wall == "left":
        expected[:, :-20] = given.pixels[:, 20:]
    else:
        expected[:, 20:] = given.pixels[:, :-20]
    assert np.array_equal(ours, expected)


def test_translation_by_whole_pixels_is_exact_and_keyed_by_sign():
    directions = set()
    for exam in range(12):
        given = breast(spacing=(0.5, 0.3), exam_id=str(exam))
        ours = perturbed(TRANSLATION, given, 10.0)  # 20 rows
        down, up = np.zeros_like(ours), np.zeros_like(ours)
        down[20:], up[:-20] = given.pixels[:-20], given.pixels[20:]
        assert np.array_equal(ours, down) != np.array_equal(ours, up)
        directions.add(np.array_equal(ours, down))
    assert directions == {True, False}


def test_whole_pixels_are_exact_also_where_division_is_not():
    assert 7 / 0.07 != 100
    given = breast(spacing=(0.07, 0.07))
    ours = perturbed(POSTERIOR_CUT, given, 7)
    assert np.array_equal(ours[:, :-100], given.pixels[:, 100:])


@pytest.mark.parametrize("record", [TRANSLATION, POSTERIOR_CUT], ids=lambda record: record.name)
def test_a_shift_beyond_the_image_leaves_background(record):
    assert not perturbed(record, breast(shape=(40, 30)), 199.0).any()


@pytest.mark.parametrize("percent", MAGNIFICATION.severities)
def test_magnification_enlarges_the_breast_and_holds_the_chest_wall(percent):
    pixels = np.zeros((400, 300))
    pixels[150:251, :100] = 0.5
    shared = Shared(view(pixels, chest_wall="left"))
    ours = perturbed(MAGNIFICATION, shared, percent)
    assert ours.sum() / pixels.sum() == pytest.approx((1 + percent / 100) ** 2, rel=0.02)
    assert ours[200, 0] == 0.5
    rows = np.flatnonzero(ours[:, 0] > 0.25)
    assert rows.mean() == 200


@pytest.mark.parametrize("share", CROP.severities)
def test_crop_keeps_the_middle_of_the_breasts_box(share):
    shared = Shared(breast())
    top, bottom, left, right = shared.breast_box
    ours = perturbed(CROP, shared, share)
    kept = box_of(ours != 0)
    area = (kept[1] - kept[0]) * (kept[3] - kept[2]) / ((bottom - top) * (right - left))
    assert area == pytest.approx(share, abs=0.02)
    assert abs((kept[0] + kept[1]) - (top + bottom)) <= 2
    assert abs((kept[2] + kept[3]) - (left + right)) <= 2
    inside = np.s_[kept[0] : kept[1], kept[2] : kept[3]]
    assert np.array_equal(ours[inside], shared.view.pixels[inside])


def test_mirror_exchanges_left_and_right_and_declares_nothing():
    given = breast()
    assert np.array_equal(perturbed(MIRROR, given, 1), given.pixels[:, ::-1])
    assert MIRROR.redeclare is None


def jacobian_determinant(field, spacing, maximum_mm):
    """Of the source map, by central differences in millimetres."""
    u = field[..., ::-1].astype(np.float64) * maximum_mm / min(spacing) * np.array(spacing)
    by_row, by_column = (np.gradient(u, mm, axis=axis) for axis, mm in enumerate(spacing))
    return (1 + by_row[..., 0]) * (1 + by_column[..., 1]) - by_row[..., 1] * by_column[..., 0]


@pytest.mark.parametrize(
    ("shape", "spacing"), [((590, 480), (0.4, 0.4)), ((300, 500), (0.8, 0.3)), ((60, 40), (0.1, 0.1))]
)
def test_elastic_folds_nowhere(shape, spacing):
    for exam in range(8):
        field = elastic_field(shape, spacing, Key(exam_id=str(exam), side="L", position="MLO"))
        for maximum_mm in (ELASTIC.severities[-1], LARGEST_MM):
            assert jacobian_determinant(field, spacing, maximum_mm).min() > 0


def test_a_field_that_would_fold_is_drawn_again(monkeypatch):
    key, shape, spacing = Key(exam_id="1", side="L", position="CC"), (300, 250), (0.8, 0.8)
    first = elastic_field(shape, spacing, key)
    steepest = 1 - jacobian_determinant(first, spacing, 1.0).min()
    monkeypatch.setattr("mammo_fixtures.perturbations.elastic_field.LARGEST_MM", 1.6 / steepest)
    gentler = elastic_field(shape, spacing, key)
    assert not np.array_equal(gentler, first)
    assert jacobian_determinant(gentler, spacing, 1.6 / steepest).min() > 0


@pytest.mark.parametrize("spacing", [(0.4, 0.4), (0.8, 0.3)])
def test_elastic_moves_by_the_maximum_it_names(spacing):
    shared = Shared(breast(spacing=spacing))
    field = shared.elastic_field.numpy()
    moved_mm = field[..., ::-1] / min(spacing) * np.array(spacing)
    assert np.sqrt((moved_mm**2).sum(-1)).max() == pytest.approx(1, abs=1e-5)
    assert np.abs(field).max() <= 1 + 1e-6


def test_elastic_is_correlated_over_20_mm():
    spacing = (1.0, 1.0)
    products = np.zeros(2)
    for exam in range(24):
        field = elastic_field((200, 200), spacing, Key(exam_id=str(exam), side="L", position="CC"))
        field = field / np.sqrt((field**2).mean())
        products += [(field**2).mean(), (field[:, :-20] * field[:, 20:]).mean()]
    assert products[1] / products[0] == pytest.approx(math.exp(-0.5), abs=0.06)


def test_elastic_severities_share_one_field():
    ramp = np.broadcast_to(np.linspace(0.1, 0.9, 500), (500, 500))
    shared = Shared(view(ramp, (0.4, 0.4), chest_wall="left"))
    inner = np.s_[100:400, 100:400]
    mild, strong = ((perturbed(ELASTIC, shared, mm) - ramp)[inner] for mm in (1.0, 8.0))
    assert np.abs(mild).max() > 1e-3
    assert np.allclose(strong, 8 * mild, atol=1e-4)
