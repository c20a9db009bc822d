"""Noise: fields that do not depend on threads, a law measured from the view, and the dose test on phantoms."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from mammo_fixtures.exams.phantoms import read_recipe, render_breast
from mammo_fixtures.exams.phantoms.plan import plan_exam
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations.acquisition import GAUSSIAN_NOISE, QUANTUM_NOISE, UNIFORM_NOISE, shaped_noise
from mammo_fixtures.perturbations.fields import normal_array, uniform_array
from mammo_fixtures.perturbations.keyed import Key
from mammo_fixtures.perturbations.noise_law import HALVES_PER_MM, NOISE_HALF_PER_MM, local_signal, measured_law
from mammo_fixtures.perturbations.tests.drawn_views import perturbed, view

KEY = Key(exam_id="1", side="L", position="CC")
LEVELS = (0.25, 0.45, 0.65)
SIGMAS = (0.004, 0.008, 0.014)


def shaped(seed, shape, spacing, half_per_mm=NOISE_HALF_PER_MM):
    """Noise of unit variance by a plain Fourier filter, independent of the code under test."""
    row, column = np.fft.fftfreq(shape[0], spacing[0])[:, None], np.fft.fftfreq(shape[1], spacing[1])[None, :]
    amplitude = np.exp(-math.log(2) * (row**2 + column**2) / half_per_mm**2)
    white = np.random.default_rng(seed).standard_normal(shape)
    return np.fft.ifft2(np.fft.fft2(white) * amplitude / math.sqrt((amplitude**2).mean())).real


def stepped(seed, dose=1.0, spacing=(0.1, 0.1), shape=(600, 450), half_per_mm=NOISE_HALF_PER_MM):
    """Three flat steps of tissue beside the chest wall, noisier the brighter, and a background of exactly 0."""
    signal = np.zeros(shape)
    for step, level in zip(np.array_split(np.arange(20, shape[0] - 20), 3), LEVELS, strict=True):
        signal[step, : shape[1] * 4 // 5] = level
    sigma = np.interp(signal, LEVELS, SIGMAS) / math.sqrt(dose)
    return np.where(signal > 0, signal + sigma * shaped(seed, shape, spacing, half_per_mm), 0), signal


def power_in_rings(noise, spacing, edges):
    """Mean power of a noise region in rings of radial frequency, cycles/mm."""
    window = np.hanning(noise.shape[0])[:, None] * np.hanning(noise.shape[1])
    power = np.abs(np.fft.fft2((noise - noise.mean()) * window)) ** 2
    radius = np.hypot(
        np.fft.fftfreq(noise.shape[0], spacing[0])[:, None], np.fft.fftfreq(noise.shape[1], spacing[1])[None, :]
    )
    return np.array([power[(radius >= low) & (radius < high)].mean() for low, high in pairwise(edges)])


@pytest.mark.parametrize("draw", [normal_array, uniform_array])
def test_a_field_does_not_depend_on_the_number_of_threads(draw):
    threads = torch.get_num_threads()
    try:
        fields = []
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            fields.append(draw(KEY, "a purpose", (123, 77)))
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(fields[0], fields[1])
    assert np.array_equal(fields[0], fields[2])


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (1, 9)])
@pytest.mark.parametrize("draw", [normal_array, uniform_array])
def test_a_small_field_has_a_number_everywhere(draw, shape):
    field = draw(KEY, "a purpose", shape)
    assert field.shape == shape
    assert np.isfinite(field).all()
    assert np.unique(field).size == field.size


def test_fields_are_normal_and_uniform_and_no_part_repeats():
    normal, uniform = normal_array(KEY, "a", (400, 250)), uniform_array(KEY, "a", (400, 250))
    assert stats.kstest(normal.ravel(), "norm").pvalue > 1e-3
    assert stats.kstest(uniform.ravel(), "uniform").pvalue > 1e-3
    parts = normal.reshape(8, -1)
    assert np.abs(np.corrcoef(parts) - np.eye(8)).max() < 5 / math.sqrt(parts.shape[1])
    assert not np.array_equal(normal, normal_array(KEY, "b", (400, 250)))


def test_streams_stay_what_they_are():
    """Other values would be other perturbations: then the versions of all that draw fields must rise."""
    assert normal_array(KEY, "a", (2, 2)).ravel().tolist() == pytest.approx(
        [0.1935256, -1.0786593, 0.0892648, -1.3533757], abs=1e-6
    )
    assert uniform_array(KEY, "a", (2, 2)).ravel().tolist() == pytest.approx(
        [0.4751958, 0.6388149, 0.9049490, 0.7848011], abs=1e-7
    )


def test_gaussian_noise_has_its_deviation_everywhere():
    pixels, signal = stepped(1)
    added = perturbed(GAUSSIAN_NOISE, view(pixels), 0.04) - pixels
    for where in (signal == 0, signal > 0):
        assert added[where].std() == pytest.approx(0.04, rel=0.02)


def test_uniform_noise_fills_its_range_and_leaves_the_background():
    pixels, signal = stepped(1)
    of = Shared(view(pixels))
    added = perturbed(UNIFORM_NOISE, of, 0.08) - of.view.pixels
    inside = of.mask_array
    assert np.array_equal(inside, signal > 0)
    assert not added[~inside].any()
    assert stats.kstest(added[inside][::7], stats.uniform(-0.08, 0.16).cdf).pvalue > 1e-3
    assert np.allclose(perturbed(UNIFORM_NOISE, of, 0.16) - of.view.pixels, 2 * added, atol=1e-6)


@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.07, 0.05), (0.4, 0.4)])
def test_shaped_noise_has_unit_variance_at_every_pixel(spacing):
    # The noise is linear in the white numbers: its variance is the sum of squares of what each of them adds.
    variance = torch.zeros((21, 16))
    for place in range(variance.numel()):
        white = torch.zeros(variance.numel())
        white[place] = 1
        variance += shaped_noise(white.view(21, 16), spacing, NOISE_HALF_PER_MM) ** 2
    assert torch.allclose(variance, torch.ones(()), atol=1e-4)


@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.07, 0.1)])
def test_shaped_noise_falls_to_half_amplitude_at_five_cycles_per_mm(spacing):
    noise = shaped_noise(
        torch.from_numpy(normal_array(KEY, "spectrum", (1000, 800))), spacing, NOISE_HALF_PER_MM
    ).numpy()
    edges = np.linspace(0.2, 6, 9)
    expected = power_in_rings(shaped(2, noise.shape, spacing), spacing, edges)
    np.testing.assert_allclose(power_in_rings(noise, spacing, edges), expected, rtol=0.06)
    low, high = power_in_rings(noise, spacing, [0.1, 0.8])[0], power_in_rings(noise, spacing, [4.9, 5.1])[0]
    assert math.sqrt(high / low) == pytest.approx(0.5, abs=0.02)


def law_of(pixels, spacing):
    of = Shared(view(pixels, spacing))
    return measured_law(of.view.pixels, of.mask_array, of.signal_blocks, spacing)


@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.07, 0.07), (0.05, 0.05), (0.05, 0.1), (0.4, 0.4)])
def test_the_law_is_found_on_flat_steps(spacing):
    law = law_of(stepped(3, spacing=spacing)[0], spacing)
    np.testing.assert_allclose(law(np.float32(LEVELS)), np.square(SIGMAS), rtol=0.07)


@pytest.mark.parametrize("half_per_mm", HALVES_PER_MM)
@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.07, 0.07), (0.05, 0.05), (0.07, 0.1)])
def test_so_is_how_noise_falls_with_frequency(spacing, half_per_mm):
    law = law_of(stepped(3, spacing=spacing, half_per_mm=half_per_mm)[0], spacing)
    assert law.half_per_mm == half_per_mm
    np.testing.assert_allclose(law(np.float32(LEVELS)), np.square(SIGMAS), rtol=0.08)


@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.07, 0.07)])
def test_half_a_dose_adds_as_much_noise_as_there_is_at_every_frequency(spacing):
    """White noise, as of a photoconductor, beneath tissue: before, six times too much of it at low frequencies."""
    shape, steps = (700, 560), np.linspace(0.4, min(6.5, 0.45 / spacing[0]), 6)
    radius = np.hypot(np.fft.fftfreq(shape[0], spacing[0])[:, None], np.fft.fftfreq(shape[1], spacing[1])[None])
    random = np.random.default_rng(12)
    tissue = np.fft.ifft2(np.fft.fft2(random.standard_normal(shape)) * np.maximum(radius, 0.02) ** -1.5).real
    own = 0.01 * random.standard_normal(shape)
    pixels = 0.5 + tissue * (0.05 / tissue.std()) + own
    pixels[:, 500:] = 0
    added = perturbed(QUANTUM_NOISE, view(pixels, spacing), 0.5) - np.float32(pixels)
    there, more = (power_in_rings(noise[20:-20, 20:480], spacing, steps) for noise in (own, added))
    np.testing.assert_allclose(more, there, rtol=0.15)


def test_spots_and_edges_hardly_move_the_law():
    pixels, _ = stepped(4)
    rows, columns = np.random.default_rng(4).integers((40, 10), (560, 340), (700, 2)).T
    pixels[rows, columns] += 0.3
    pixels[:, 100:103] += 0.1 * (pixels[:, 100:103] > 0)
    np.testing.assert_allclose(law_of(pixels, (0.1, 0.1))(np.float32(LEVELS)), np.square(SIGMAS), rtol=0.15)


def test_tissue_is_not_taken_for_noise():
    """A field with power f⁻³ ten times the noise in deviation, through the same detector."""
    shape, spacing = (600, 450), (0.1, 0.1)
    radius = np.hypot(np.fft.fftfreq(shape[0], 0.1)[:, None], np.fft.fftfreq(shape[1], 0.1)[None, :])
    amplitude = np.maximum(radius, 0.02) ** -1.5 * np.exp(-math.log(2) * radius**2 / NOISE_HALF_PER_MM**2)
    tissue = np.fft.ifft2(np.fft.fft2(np.random.default_rng(5).standard_normal(shape)) * amplitude).real
    tissue *= 0.08 / tissue.std()
    pixels = np.where(stepped(6)[1] > 0, 0.5 + tissue + 0.008 * shaped(6, shape, spacing), 0)
    law = law_of(pixels, spacing)
    assert np.ptp(law.signals) > 0.2
    np.testing.assert_allclose(law.variances, 0.008**2, rtol=0.2)
    assert law.variances.mean() == pytest.approx(0.008**2, rel=0.06)


def test_without_noise_or_breast_there_is_nothing_to_scale():
    flat = np.zeros((80, 60))
    flat[10:70, :40] = 0.5
    for pixels in (flat, np.zeros((80, 60)), np.full((1, 1), 0.5), np.full((3, 3), 0.5)):
        assert np.array_equal(perturbed(QUANTUM_NOISE, view(pixels), 0.1), np.float32(pixels))


def test_the_local_signal_ignores_the_background_beside_the_breast():
    pixels, signal = stepped(7)
    blocks = local_signal(np.float32(pixels), pixels > 0, (0.1, 0.1))
    assert blocks.shape == (120, 90)
    of = Shared(view(pixels))
    smooth = of.local_signal.numpy()
    assert not smooth[signal == 0].any()
    edge = ndimage.binary_dilation(signal == 0) & (signal > 0) & (np.abs(signal - LEVELS[1]) < 0.01)
    edge &= ndimage.binary_erosion(signal == LEVELS[1], structure=np.ones((21, 1)))
    assert edge.sum() > 100
    assert smooth[edge].mean() == pytest.approx(LEVELS[1], rel=0.01)


def test_quantum_noise_keeps_the_background_and_scales_one_field():
    pixels, signal = stepped(8)
    of = Shared(view(pixels))
    added = {d: perturbed(QUANTUM_NOISE, of, d) - of.view.pixels for d in QUANTUM_NOISE.severities}
    for d, noise in added.items():
        assert not noise[signal == 0].any()
        ratio = math.sqrt((1 / d - 1) / 9)
        assert np.allclose(noise, added[0.10] * ratio, atol=1e-6)


@pytest.mark.parametrize("dose", [0.6, 0.25, 0.10])
@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.07, 0.07)])
def test_dose_test_on_steps(dose, spacing):
    """Perturbed with d, a full-dose phantom has the noise of one exposed at d."""
    full, signal = stepped(9, spacing=spacing, shape=(900, 500))
    low, _ = stepped(10, dose=dose, spacing=spacing, shape=(900, 500))
    ours = perturbed(QUANTUM_NOISE, view(full, spacing), dose)
    rings = np.linspace(0.5, 5.5, 6)
    spectra = {"ours": np.zeros(5), "low": np.zeros(5)}
    for level, sigma in zip(LEVELS, SIGMAS, strict=True):
        region = ndimage.binary_erosion(signal == level, iterations=4, border_value=1)
        box = ndimage.find_objects(region.astype(np.uint8))[0]
        assert ours[box].var() == pytest.approx(low[box].var(), rel=0.10)
        for name, image in (("ours", ours), ("low", low)):
            spectra[name] += power_in_rings(image[box], spacing, rings) / sigma**2
    np.testing.assert_allclose(spectra["ours"], spectra["low"], rtol=0.15)


@pytest.fixture(scope="module")
def exposures():
    """Both breasts of an exam at several doses and without noise: stored pixels of the CC views, by dose."""
    recipe = read_recipe()
    doses = (1.0, 0.4, 0.1, 1e9)
    return {
        dose: [render_breast(recipe, plan, dose=dose)[0].stored / np.float32(4095) for plan in plan_exam(recipe, 1)]
        for dose in doses
    }


@pytest.mark.parametrize("dose", [0.4, 0.1])
def test_dose_test_on_phantom_breasts(exposures, dose):
    """Their detector's transfer halves at 5.3 cycles/mm, not 5, and their tissue is fine: the law is approximate."""
    rings = np.linspace(0.5, 5.0, 7)
    spectra = {"ours": np.zeros(6), "low": np.zeros(6)}
    for full, low, signal in zip(exposures[1.0], exposures[dose], exposures[1e9], strict=True):
        inside = ndimage.binary_erosion(signal > 0, iterations=8, border_value=1)
        noise = {"ours": perturbed(QUANTUM_NOISE, view(full), dose) - signal, "low": low - signal}
        for least, most in pairwise(np.quantile(signal[inside], [0, 1 / 3, 2 / 3, 1])):
            level = inside & (signal >= least) & (signal <= most)
            assert noise["ours"][level].var() == pytest.approx(noise["low"][level].var(), rel=0.10)
        boxes = [
            (slice(row, row + 160), slice(column, column + 160))
            for row in range(0, signal.shape[0] - 160, 80)
            for column in range(0, signal.shape[1] - 160, 80)
        ]
        for box in (box for box in boxes if inside[box].all()):
            for name, image in noise.items():
                spectra[name] += power_in_rings(image[box], (0.1, 0.1), rings)
    np.testing.assert_allclose(spectra["ours"], spectra["low"], rtol=0.15)
