"""Defects of a detector and its grid: where they are, how many, and what they leave alone."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from mammo_fixtures import UnusableInput, View
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations.detector import DETECTOR_LINES, GRID_LINES, IMPULSE_NOISE, line_places
from mammo_fixtures.perturbations.keyed import Key
from mammo_fixtures.perturbations.tests.drawn_views import perturbed


def breast(exam_id="1", shape=(400, 300), spacing=(0.1, 0.1)):
    """A half disc at the left edge that leaves rows and columns of background."""
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.16 + column**2 / 0.64 < 1
    return View.from_array(
        np.where(inside, 0.3 + 0.4 * row, 0).astype(np.float32),
        pixel_spacing_mm=spacing, side="L", position="CC", intensity_range=(0, 1), exam_id=exam_id,
    )  # fmt: skip


def changed(record, shared, severity):
    return perturbed(record, shared, severity) != shared.view.pixels


@pytest.mark.parametrize("share", [*IMPULSE_NOISE.severities, 0.05])
def test_a_share_of_the_breasts_pixels_fails_dark_or_bright(share):
    shared = Shared(breast())
    where = changed(IMPULSE_NOISE, shared, share)
    assert where.sum() == max(1, round(share * shared.mask_array.sum()))
    assert not where[~shared.mask_array].any()
    values = perturbed(IMPULSE_NOISE, shared, share)[where]
    assert set(values) <= {0.0, 1.0}
    assert abs((values == 1).mean() - 0.5) <= 2.6 * math.sqrt(0.25 / values.size)


def test_no_two_failed_pixels_touch():
    shared = Shared(breast())
    _, count = ndimage.label(changed(IMPULSE_NOISE, shared, 0.05), structure=np.ones((3, 3)))
    assert count == changed(IMPULSE_NOISE, shared, 0.05).sum()


@pytest.mark.parametrize("record", [IMPULSE_NOISE, DETECTOR_LINES], ids=lambda record: record.name)
def test_what_fails_at_one_severity_stays_failed_at_any_stronger_one(record):
    shared = Shared(breast())
    images = [perturbed(record, shared, severity) for severity in record.severities]
    for milder, stronger in pairwise(images):
        failed = milder != shared.view.pixels
        assert np.array_equal(stronger[failed], milder[failed])
        assert (stronger != shared.view.pixels).sum() > failed.sum()


def test_failures_are_spread_over_the_whole_breast():
    shared = Shared(breast())
    places = np.argwhere(changed(IMPULSE_NOISE, shared, 0.05))
    centre = np.argwhere(shared.mask_array)
    assert np.allclose(places.mean(0), centre.mean(0), atol=4)
    assert np.allclose(places.std(0), centre.std(0), rtol=0.05)


@pytest.mark.parametrize("lines", DETECTOR_LINES.severities)
def test_lines_cross_the_breast_at_0_and_leave_the_background(lines):
    axes = set()
    for exam in range(6):
        shared = Shared(breast(str(exam)))
        where = changed(DETECTOR_LINES, shared, lines)
        axis, _ = shared.line_places
        axes.add(axis)
        struck = where.any(axis=1 - axis)
        assert struck.sum() == lines
        rows = np.flatnonzero(struck)
        assert np.array_equal(np.take(where, rows, axis), np.take(shared.mask_array, rows, axis))
        assert not perturbed(DETECTOR_LINES, shared, lines)[where].any()
    assert axes == {0, 1}, "rows in some exams, columns in others"


def test_lines_of_an_image_for_processing_leave_its_bright_background():
    pixels = 1 - breast().pixels
    pixels[pixels == 0] = 0.01
    shared = Shared(
        View.from_array(pixels, pixel_spacing_mm=(0.1, 0.1), side="L", position="CC", intensity_range=(0, 1))
    )
    assert shared.background == 1
    assert np.array_equal(changed(DETECTOR_LINES, shared, 16) & ~shared.mask_array, np.zeros((400, 300), bool))


def test_lines_fall_evenly_over_the_breasts_box():
    mask = np.zeros((50, 40), bool)
    mask[10:30, 5:35] = True
    first = {0: [], 1: []}
    for exam in range(1500):
        axis, places = line_places(Key(exam_id=str(exam), side="L", position="CC"), mask)
        assert sorted(places.tolist()) == list(range(10, 30) if axis == 0 else range(5, 35))
        first[axis].append(int(places[0]))
    assert abs(len(first[0]) - 750) < 80
    assert set(first[0]) == set(range(10, 30))
    assert set(first[1]) == set(range(5, 35))


def test_a_part_of_a_line_is_refused():
    with pytest.raises(UnusableInput, match=r"^detector_lines: lines must be a whole number, got 2\.6; take 3$"):
        perturbed(DETECTOR_LINES, Shared(breast()), 2.6)


@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.1, 0.05), (0.05, 0.12)])
def test_grid_lines_have_three_cycles_per_mm_across_the_columns_in_proportion_to_the_signal(spacing):
    shared = Shared(breast(shape=(400, 400), spacing=spacing))
    added = perturbed(GRID_LINES, shared, 0.04) - shared.view.pixels
    row = added[200, :300].astype(np.float64)
    power = np.abs(np.fft.rfft(row * np.hanning(300), 4096)) ** 2
    frequency = np.fft.rfftfreq(4096, spacing[1])
    assert frequency[power.argmax()] == pytest.approx(3, abs=0.05)
    for at in (100, 200, 300):
        amplitude = math.sqrt(2 * (added[at, 20:240].astype(np.float64) ** 2).mean())
        assert amplitude == pytest.approx(0.04 * shared.view.pixels[at, 100], rel=0.06)
    assert not added[~shared.mask_array].any()
    assert np.abs(np.diff(added[150:250, 50] / shared.view.pixels[150:250, 50])).max() < 1e-3, "parallel to the wall"


def test_grid_lines_keep_their_phase_over_severities_and_shift_between_exams():
    shared = Shared(breast())
    mild, strong = (perturbed(GRID_LINES, shared, a) - shared.view.pixels for a in (0.02, 0.08))
    assert np.allclose(strong, 4 * mild, atol=1e-6)
    other = Shared(breast("2"))
    assert not np.allclose(perturbed(GRID_LINES, other, 0.02) - other.view.pixels, mild, atol=1e-3)


def test_grid_lines_say_where_they_alias():
    fine, coarse, coarser = (Shared(breast(spacing=spacing)) for spacing in ((0.4, 0.1), (0.1, 0.2), (0.1, 0.4)))
    assert GRID_LINES.flag(fine, 0.01) == ""
    assert GRID_LINES.flag(coarse, 0.01) == "3 lines/mm are beyond the columns' 2.50 cycles/mm: seen at 2.00"
    assert "seen at 0.50" in GRID_LINES.flag(coarser, 0.01)
