"""Processing and display against closed forms."""

import math

import numpy as np
import pytest

from mammo_fixtures.exams.voi import Table, Window
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations.display import (
    BIT_DEPTH,
    BRIGHTNESS,
    CONTRAST,
    GAMMA_DARKER,
    GAMMA_LIGHTER,
    LOCAL_EQUALISATION,
    SHARPENING,
    WINDOW,
)
from mammo_fixtures.perturbations.equalisation import LEVELS, TILES
from mammo_fixtures.perturbations.tests.drawn_views import perturbed, view


def breast(shape=(400, 300), background=0.0):
    """A half disc of texture at the left edge, and a marker in the background."""
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.16 + column**2 / 0.5 < 1
    tissue = 0.45 + 0.2 * np.sin(9 * row + 5 * column) + 0.1 * np.random.default_rng(5).random(shape)
    pixels = np.where(inside, tissue, background)
    pixels[10:20, 270:290] = 0.9
    return view(pixels)


@pytest.mark.parametrize("factor", CONTRAST.severities)
def test_contrast_scales_about_the_breasts_mean_and_keeps_the_background(factor):
    shared = Shared(breast())
    deep = shared.feathered_mask.numpy() == 1
    clean, ours = shared.view.pixels, perturbed(CONTRAST, shared, factor)
    mean = clean[shared.mask_array].mean(dtype=np.float64)
    assert np.allclose(ours[deep], mean + factor * (clean[deep] - mean), atol=1e-6)
    assert np.array_equal(ours[~shared.mask_array], clean[~shared.mask_array])


@pytest.mark.parametrize("offset", BRIGHTNESS.severities)
def test_brightness_is_an_offset_in_the_breast_only(offset):
    shared = Shared(breast())
    deep = shared.feathered_mask.numpy() == 1
    added = perturbed(BRIGHTNESS, shared, offset) - shared.view.pixels
    assert deep.mean() > 0.2
    assert np.allclose(added[deep], offset, atol=1e-6)
    assert not added[~shared.mask_array].any()
    assert added.min() >= 0
    assert added.max() < offset + 1e-6


@pytest.mark.parametrize("record", [CONTRAST, BRIGHTNESS], ids=lambda record: record.name)
def test_a_classifier_that_standardises_the_breast_cancels_it(record):
    shared = Shared(breast())
    deep = shared.feathered_mask.numpy() == 1

    def standardised(image):
        return (image[deep] - image[deep].mean()) / image[deep].std()

    ours = perturbed(record, shared, record.severities[-1])
    assert record.may_cancel
    assert np.allclose(standardised(ours), standardised(shared.view.pixels), atol=1e-4)


@pytest.mark.parametrize("exponent", [*GAMMA_LIGHTER.severities, *GAMMA_DARKER.severities])
@pytest.mark.parametrize("background", [0.0, 1.0, 0.25])
def test_gamma_is_a_power_everywhere(exponent, background):
    given = breast(background=background)
    record = GAMMA_LIGHTER if exponent < 1 else GAMMA_DARKER
    ours = perturbed(record, given, exponent)
    assert np.abs(ours - given.pixels.astype(np.float64) ** exponent).max() < 1e-6


@pytest.mark.parametrize("record", [GAMMA_LIGHTER, GAMMA_DARKER, WINDOW, BIT_DEPTH], ids=lambda record: record.name)
def test_what_must_stay_inside_the_range_does_even_for_values_beyond_it(record):
    beyond = view(np.linspace(-0.5, 1.5, 600).reshape(20, 30))
    for severity in record.severities:
        ours = perturbed(record, beyond, severity)
        assert ours.min() == 0
        assert ours.max() == pytest.approx(1, abs=1e-6)


def test_gamma_lighter_lightens_and_darker_darkens():
    given = breast()
    inside = (given.pixels > 0) & (given.pixels < 1)
    assert (perturbed(GAMMA_LIGHTER, given, 0.5)[inside] > given.pixels[inside]).all()
    assert (perturbed(GAMMA_DARKER, given, 2.0)[inside] < given.pixels[inside]).all()


@pytest.mark.parametrize("fraction", WINDOW.severities)
def test_a_classifier_that_applies_the_voi_sees_the_window_narrowed(fraction):
    # Centre and width in stored units of a 12-bit image.
    voi = Window(centre=2000, width=1500, function="LINEAR_EXACT")
    stored = np.random.default_rng(1).integers(0, 4096, (40, 30)).astype(np.uint16)
    given = view(stored, intensity_range=(0, 4095), voi=(voi,))
    ours = perturbed(WINDOW, given, fraction) * 4095.0

    def seen(values, width):
        return np.clip((values - 2000) / width + 0.5, 0, 1)

    assert np.abs(seen(ours, 1500) - seen(stored.astype(float), 1500 * fraction)).max() < 1e-5


def test_a_window_leaves_a_view_without_a_breast_as_it_is():
    given = view(np.full((60, 40), 0.5, dtype=np.float32))
    assert np.array_equal(perturbed(WINDOW, given, 0.25), given.pixels)


@pytest.mark.parametrize("voi", [(), (Table(first=0, values=np.linspace(0, 1, 16, dtype=np.float32)),)])
def test_without_a_voi_window_the_centre_is_the_breasts_median(voi):
    given = breast()
    shared = Shared(view(given.pixels, voi=voi))
    median = float(np.median(given.pixels[shared.mask_array]))
    assert shared.window_centre == median
    ours = perturbed(WINDOW, shared, 0.5)
    assert np.allclose(ours, np.clip(2 * given.pixels - median, 0, 1), atol=1e-6)
    assert not ours[given.pixels == 0].any(), "the background of images for presentation stays exactly 0"


def test_sharpening_adds_what_a_gaussian_of_1_mm_removes():
    # A cosine through the pixel centres fits the mirrored edges: k half periods over the image.
    spacing, n, k = (0.2, 0.1), (120, 200), 12
    for axis in (0, 1):
        wave = np.cos(math.pi * k * (np.arange(n[axis]) + 0.5) / n[axis])
        pixels = np.broadcast_to(np.expand_dims(wave, 1 - axis), n)
        frequency = k / (2 * n[axis] * spacing[axis])
        removed = 1 - math.exp(-2 * math.pi**2 * frequency**2)  # sigma = 1 mm
        for amount in SHARPENING.severities:
            ours = perturbed(SHARPENING, view(pixels, spacing), amount)
            assert np.abs(ours - pixels * (1 + amount * removed)).max() < 1e-5


@pytest.mark.parametrize("bits", BIT_DEPTH.severities)
def test_bit_depth_leaves_that_many_levels_and_errs_by_half_a_step(bits):
    ramp = np.linspace(0, 1, 4096).reshape(64, 64)
    ours = perturbed(BIT_DEPTH, view(ramp), bits)
    assert len(np.unique(ours)) == 2**bits
    assert np.abs(ours - ramp).max() <= 0.5 / (2**bits - 1) + 1e-6
    assert (ours.min(), ours.max()) == (0, 1)


def test_a_classifier_of_8_bits_does_not_see_8_bits():
    """Which is no fault of the set-up."""
    shared = Shared(breast())
    given, ours = (np.rint(pixels * 255) for pixels in (shared.view.pixels, perturbed(BIT_DEPTH, shared, 8)))
    assert (given == ours).all()
    assert [BIT_DEPTH.may_be_undone(bits) for bits in BIT_DEPTH.severities] == [True, True, False, False, False]


def test_full_bit_depth_is_infinitely_many_bits():
    given = breast()
    assert perturbed(BIT_DEPTH, given, math.inf).tobytes() == given.pixels.tobytes()


def equalised_reference(pixels, mask, clip_limit):
    """Pixel by pixel in float64: four tiles' curves, each read by linear interpolation, then blended."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = rows[0], columns[0]
    height, width = rows[-1] + 1 - top, columns[-1] + 1 - left
    low, high = pixels[mask].min(), pixels[mask].max()
    place = (pixels.astype(np.float64) - low) / (high - low) * LEVELS
    curves = np.empty((TILES, TILES, LEVELS + 1))
    row_tile = (np.arange(pixels.shape[0]) - top) * TILES // height
    column_tile = (np.arange(pixels.shape[1]) - left) * TILES // width
    for i in range(TILES):
        for j in range(TILES):
            chosen = mask & (row_tile == i)[:, None] & (column_tile == j)
            shares = np.full(LEVELS, 1 / LEVELS)
            if chosen.any():
                shares = np.histogram(place[chosen], LEVELS, (0, LEVELS))[0] / chosen.sum()
            clipped = np.minimum(shares, clip_limit)
            curves[i, j] = np.concatenate([[0], np.cumsum(clipped + (1 - clipped.sum()) / LEVELS)])
    out = pixels.astype(np.float64)
    for r, c in np.argwhere(mask):
        down = np.clip((r - top + 0.5) / height * TILES - 0.5, 0, TILES - 1)
        across = np.clip((c - left + 0.5) / width * TILES - 0.5, 0, TILES - 1)
        i, j = min(int(down), TILES - 2), min(int(across), TILES - 2)
        level = min(int(place[r, c]), LEVELS - 1)
        part = place[r, c] - level
        at = curves[i : i + 2, j : j + 2, level] * (1 - part) + curves[i : i + 2, j : j + 2, level + 1] * part
        by_row = at[0] * (1 - down + i) + at[1] * (down - i)
        out[r, c] = low + (high - low) * (by_row[0] * (1 - across + j) + by_row[1] * (across - j))
    return out


@pytest.mark.parametrize("clip_limit", [0.002, 0.01, 0.04])
def test_local_equalisation_equals_a_slow_one(clip_limit):
    shared = Shared(breast((101, 80)))
    ours = perturbed(LOCAL_EQUALISATION, shared, clip_limit)
    assert np.abs(ours - equalised_reference(shared.view.pixels, shared.mask_array, clip_limit)).max() < 2e-5


def test_local_equalisation_goes_to_the_identity_with_its_clip_limit():
    given = breast()
    assert np.abs(perturbed(LOCAL_EQUALISATION, given, 1e-5) - given.pixels).max() < 2e-3


def test_local_equalisation_keeps_range_and_background():
    shared = Shared(breast())
    inside, clean = shared.mask_array, shared.view.pixels
    ours = perturbed(LOCAL_EQUALISATION, shared, 0.04)
    assert np.array_equal(ours[~inside], clean[~inside])
    assert ours[inside].min() >= clean[inside].min() - 1e-6
    assert ours[inside].max() <= clean[inside].max() + 1e-6


def test_local_equalisation_raises_weak_local_contrast():
    ramp = np.broadcast_to(np.linspace(0.2, 0.8, 400)[:, None], (400, 300)).copy()
    ramp += 0.01 * np.random.default_rng(6).standard_normal(ramp.shape)
    ramp[:, 250:] = 0
    ours, here = perturbed(LOCAL_EQUALISATION, view(ramp), 0.02), (200, slice(100, 150))
    assert ours[here].std() > 2 * ramp[here].std()


def test_equal_pixels_cannot_be_equalised():
    flat = np.zeros((40, 30))
    flat[:, :20] = 0.5
    assert np.array_equal(perturbed(LOCAL_EQUALISATION, view(flat), 0.04), flat.astype(np.float32))
