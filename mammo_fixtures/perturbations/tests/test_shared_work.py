"""What a view's severities share is made fast; here it equals, bit for bit, the plain formula it stands for."""

from collections import Counter

import numpy as np
import pytest
import torch
from scipy import fft, ndimage

from mammo_fixtures import View
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations import breast_mask as breast_mask_module
from mammo_fixtures.perturbations.breast_mask import background_value
from mammo_fixtures.perturbations.cosine_transform import Gain, filtered
from mammo_fixtures.perturbations.threads import in_threads

SHAPES = [(301, 203), (180, 270), (64, 50), (9, 9), (40, 1), (1, 1)]


def breast(shape, spacing=(0.07, 0.07)):
    """A half disc with a notch, a hole and a marker that is not part of it."""
    row, column = (axis / length for axis, length in zip(np.ogrid[: shape[0], : shape[1]], shape, strict=True))
    depth = 1 - (row - 0.5) ** 2 / 0.2 - column**2 / 0.6
    pixels = np.clip(0.45 + 0.2 * depth + np.random.default_rng(0).normal(0, 0.05, shape), 0.01, 1)
    pixels = np.where(depth > 0, pixels, 0).astype(np.float32)
    pixels[shape[0] // 2 :: 17, :3] = 0
    pixels[shape[0] // 3 : shape[0] // 3 + 12, 5:18] = 0
    pixels[: shape[0] // 30, -shape[1] // 10 :] = 0.9
    return View(pixels=pixels, pixel_spacing_mm=spacing, side="L", position="CC", exam_id="1")


def plain_share(flags, step):
    rows, columns = flags.shape
    down, across = -(-rows // step[0]), -(-columns // step[1])
    padded = np.pad(flags, ((0, down * step[0] - rows), (0, across * step[1] - columns)), mode="edge")
    counts = padded.reshape(down, step[0], across, step[1]).sum(axis=(1, 3))
    return (counts / np.float32(step[0] * step[1])).astype(np.float32)


def plain_mask(pixels, step):
    fine = pixels != 0
    regions, count = ndimage.label(plain_share(fine, step) >= 0.5)
    if not count:
        return fine
    largest = regions == 1 + int(np.argmax(np.bincount(regions.ravel())[1:]))
    closed = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(largest, 2, mode="edge"))[2:-2, 2:-2])
    inside, near = (
        np.kron(blocks, np.ones(step, dtype=bool))[: pixels.shape[0], : pixels.shape[1]]
        for blocks in (ndimage.binary_erosion(closed, border_value=1), ndimage.binary_dilation(closed))
    )
    return inside | (fine & near)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("spacing", "step"), [((0.07, 0.07), (9, 9)), ((0.1, 0.05), (6, 12)), ((0.7, 0.7), (1, 1))])
def test_the_mask_is_that_of_whole_arrays(shape, spacing, step):
    pixels = breast(shape, spacing).pixels
    shared = Shared(View(pixels=pixels, pixel_spacing_mm=spacing, side="L", position="CC", exam_id="1"))
    mask = shared.mask_array
    assert np.array_equal(mask, plain_mask(pixels, step))
    for column in (0, shape[1] // 2, shape[1] - 1):
        assert np.array_equal(shared._mask_column(column), mask[:, column])
    assert np.array_equal(shared.content.blocks, plain_share(pixels != 0, step) > 0)


def plain_background(pixels):
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    at_low, at_high = ((border == end).sum() for end in (pixels.min(), pixels.max()))
    commonest, count = Counter(border.tolist()).most_common(1)[0]
    if count > max(at_low, at_high) and count > border.size // 4:
        return commonest
    return float(pixels.max() if at_high > at_low and at_high > border.size // 10 else pixels.min())


def seen(border, inside):
    pixels = np.random.default_rng(2).uniform(0.2, 0.8, (301, 203)).astype(np.float32)
    pixels[[0, -1]] = pixels[:, [0, -1]] = border
    pixels[120:180, 50:90] = inside
    return pixels


@pytest.mark.parametrize(
    ("pixels", "background"),
    [
        (seen(border=0, inside=0.9), 0),
        (seen(border=1, inside=0.1), 1),
        (seen(border=0.5, inside=0.1), 0.5),  # the border has neither end of the range
        (seen(border=0.1, inside=0), 0.1),  # nor has it here, and the least value on it is not the least of all
        (seen(border=0.9, inside=1), 0.9),
        (seen(border=0.5, inside=0.1)[1:-1, 1:-1], 0.1),  # no value is common on it
        (breast((301, 203)).pixels, 0),
        (np.full((9, 9), 0.3, dtype=np.float32), 0.3),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 50_000, breast_mask_module._CHUNK_BYTES])
def test_the_background_is_found_where_the_ends_of_the_range_are_not_on_the_border_too(
    pixels, background, chunk_bytes, monkeypatch
):
    monkeypatch.setattr(breast_mask_module, "_CHUNK_BYTES", chunk_bytes)
    found = breast_mask_module.foreground_of(pixels, (0.07, 0.07))
    assert found.background == background_value(pixels) == plain_background(pixels)
    assert found.background == pytest.approx(background, abs=1e-3)
    assert np.array_equal(found.flags, pixels != np.float32(found.background))


def plain_feather(mask, spacing, step):
    """Distance of each block to the nearest outside in float64, and bilinear interpolation of its share of 2 mm."""
    solid = plain_share(mask, step) >= 0.5
    sampling = [mm * n for mm, n in zip(spacing, step, strict=True)]
    depth = np.full(solid.shape, np.inf) if solid.all() else ndimage.distance_transform_edt(solid, sampling=sampling)
    places = [(np.arange(n) + 0.5) * blocks / n - 0.5 for n, blocks in zip(mask.shape, solid.shape, strict=True)]
    grid = np.meshgrid(*places, indexing="ij")
    return ndimage.map_coordinates(np.clip(depth / 2, 0, 1), grid, order=1, mode="nearest") * mask


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("spacing", "step"), [((0.07, 0.07), (9, 9)), ((0.1, 0.05), (6, 12)), ((0.7, 0.7), (1, 1))])
def test_the_feather_is_that_of_whole_arrays(shape, spacing, step):
    shared = Shared(breast(shape, spacing))
    expected = plain_feather(shared.mask_array, spacing, step)
    assert np.abs(shared.feathered_mask.numpy() - expected).max() < 1e-6
    assert not shared.feathered_mask[~shared.mask].any()
    mean = shared.view.pixels.mean(where=shared.mask_array, dtype=np.float64) if shared.mask_array.any() else 0.0
    deviation = (shared.view.pixels - mean) * expected
    assert np.abs(shared.breast_deviation.numpy() - deviation).max() < 1e-6


def test_the_logarithm_is_that_of_the_clipped_pixels_and_of_nothing_minus_infinity():
    pixels = np.array([[-1.0, 0.0, 1e-30, 0.25, 0.7, 1.0, 3.0]], dtype=np.float32)
    shared = Shared(View(pixels=pixels, pixel_spacing_mm=(0.1, 0.1), side="L", position="CC", exam_id="1"))
    assert torch.equal(shared.log_pixels, torch.tensor(pixels).clamp(0, 1).log2())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kept", [1.0, 0.4])
def test_a_filter_is_one_product_and_one_inverse(shape, kept):
    random = np.random.default_rng(1)
    spectrum, rows, columns = (random.random(n, dtype=np.float32) for n in (shape, shape[0], shape[1]))
    rows[max(1, round(kept * shape[0])) :] = 0
    columns[max(1, round(kept * shape[1])) :] = 0
    out = torch.full(shape, torch.nan)
    gains = (Gain.of(torch.from_numpy(each), torch.float32, out.device) for each in (rows, columns))
    filtered(torch.from_numpy(spectrum), *gains, out)
    last = np.count_nonzero(columns)
    weighed = (spectrum * rows[:, None]) * columns
    weighed[:, :last] = fft.idct(weighed[:, :last].copy(), norm="ortho", axis=0)
    assert np.array_equal(out.numpy(), fft.idct(weighed, norm="ortho", axis=1))


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    caller = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(caller)


@pytest.mark.usefixtures("threads")
def test_threads_give_results_in_order_and_pass_on_what_fails():
    assert in_threads(lambda number: number**2, range(20)) == [number**2 for number in range(20)]
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda number: 1 / number, range(3))


def test_threads_have_no_threads_of_their_own(threads):
    # Each would have as many as the process is given: so many that wait busily that nobody gets a core.
    assert set(in_threads(lambda _: torch.get_num_threads(), range(50))) == {1}
    assert torch.get_num_threads() == threads
