"""Storage: compression at the ratio asked for, larger pixels, wrong spacing."""

import io
import math
import os
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from mammo_fixtures import PERTURBATIONS
from mammo_fixtures.perturbations import Shared, jpeg2000_stream
from mammo_fixtures.perturbations.storage import DOWNSAMPLE, JPEG2000, RATIOS, SPACING_MISDECLARED
from mammo_fixtures.perturbations.tests.drawn_views import perturbed, view


def breast(shape=(700, 500), noise=0.02):
    rng = np.random.default_rng(3)
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.2 + column**2 / 0.7 < 1
    texture = ndimage.gaussian_filter(rng.standard_normal(shape), 6)
    tissue = 0.5 + 0.1 * texture / texture.std() + noise * rng.standard_normal(shape)
    return view(np.where(inside, tissue.clip(0.05, 1), 0))


@pytest.fixture(scope="module")
def shared():
    return Shared(breast())


def root_mean_square(x):
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


@pytest.mark.parametrize("ratio", [*RATIOS, 15.0, 300.0])
def test_the_codestream_has_the_ratio_asked_for(shared, ratio):
    assert ratio > shared.coded_breast.lossless_ratio
    reached = 12 * shared.coded_breast.values.size / 8 / len(shared.coded_breast.at(ratio))
    assert reached == pytest.approx(ratio, rel=0.1)
    assert JPEG2000.flag(shared, ratio) == ""


def test_the_pixels_are_those_of_that_codestream(shared):
    top, bottom, left, right = shared.breast_box
    for ratio in RATIOS:
        with Image.open(io.BytesIO(shared.coded_breast.at(ratio))) as image:
            stored = np.asarray(image).astype(int) - 2**15 + 2**11
        ours = perturbed(JPEG2000, shared, ratio)
        assert np.allclose(ours[top:bottom, left:right] * 4095, stored.clip(0, 4095), atol=1e-3)
        assert 0 <= ours.min() <= ours.max() <= 1


def test_a_layer_of_many_is_as_good_as_a_codestream_of_its_own(shared):
    values = shared.coded_breast.values
    for ratio in RATIOS:
        layer, alone = shared.coded_breast.at(ratio), jpeg2000_stream.coded(values, (ratio,))
        errors = [root_mean_square(jpeg2000_stream.decoded(each) - values.astype(int)) for each in (layer, alone)]
        assert errors[0] == pytest.approx(errors[1], rel=0.02)


def test_the_coding_is_the_irreversible_one_and_12_bits_deep(shared):
    stream = shared.coded_breast.at(10.0)
    coding = stream.index(b"\xff\x52")
    assert stream[coding + 13] == 0, "wavelet transformation 9-7 irreversible (A.6.1, table A.20)"
    finest = jpeg2000_stream.decoded(jpeg2000_stream.coded(shared.coded_breast.values, (1,)))
    assert np.abs(finest - shared.coded_breast.values).max() <= 2


def test_outside_the_breasts_box_pixels_are_kept(shared):
    top, bottom, left, right = shared.breast_box
    outside = np.ones(shared.view.shape, dtype=bool)
    outside[top:bottom, left:right] = False
    assert outside.any()
    assert np.array_equal(perturbed(JPEG2000, shared, 40.0)[outside], shared.view.pixels[outside])


def test_ratios_that_lose_nothing_are_flagged():
    smooth = Shared(breast(noise=0.0))
    assert smooth.coded_breast.lossless_ratio > 2
    assert "without loss" in JPEG2000.flag(smooth, 0.99 * smooth.coded_breast.lossless_ratio)
    assert JPEG2000.flag(smooth, 1.5 * smooth.coded_breast.lossless_ratio) == ""


def test_a_breast_smaller_than_the_headers_is_flagged():
    tiny = Shared(view(np.random.default_rng(1).random((20, 20))))
    assert "headers" in JPEG2000.flag(tiny, 160.0)


def test_no_breast_no_compression():
    black = Shared(view(np.zeros((30, 20))))
    assert not perturbed(JPEG2000, black, 10.0).any()
    assert JPEG2000.flag(black, 10.0) == ""


@pytest.mark.parametrize("factor", [2, 3, 4, 6])
@pytest.mark.parametrize("shape", [(48, 36), (24, 60)])
def test_downsampling_by_whole_numbers_is_pooling_and_bilinear_interpolation(factor, shape):
    pixels = np.random.default_rng(2).random(shape)
    image = torch.from_numpy(pixels)[None, None]
    pooled = torch.nn.functional.avg_pool2d(image, factor)
    back = torch.nn.functional.interpolate(pooled, size=shape, mode="bilinear", align_corners=False)[0, 0]
    assert np.abs(perturbed(DOWNSAMPLE, view(pixels), factor) - back.numpy()).max() < 1e-6


WHOLE_BUT_FOR_ROUNDING = ((1.4, 21), (1.4, 168))
"""21 / 1.4 comes out above 15: a sixteenth pixel would be the mean of nothing, which is no number."""


@pytest.mark.parametrize(("factor", "n"), [*product((1.5, 2.7, 6), (1, 7, 31)), *WHOLE_BUT_FOR_ROUNDING])
def test_downsampling_averages_over_area(factor, n):
    pixels = np.random.default_rng(4).random((n, 1))
    larger = math.ceil(n / factor - 1e-6)
    fine = np.repeat(pixels[:, 0], 1000)  # thousandths of a pixel
    means = [fine[round(a * 1000) : round((a + factor) * 1000)].mean() for a in factor * np.arange(larger)]
    expected = np.interp((np.arange(n) + 0.5) / factor - 0.5, np.arange(len(means)), means)
    assert np.abs(perturbed(DOWNSAMPLE, view(pixels), factor)[:, 0] - expected).max() < 1e-6
    assert np.abs(perturbed(DOWNSAMPLE, view(pixels.T), factor)[0] - expected).max() < 1e-6


def test_downsampling_keeps_a_flat_image():
    assert np.abs(perturbed(DOWNSAMPLE, view(np.full((31, 17), 0.3)), 2.5) - 0.3).max() < 1e-6


@pytest.mark.parametrize("ratio", SPACING_MISDECLARED.severities)
def test_a_wrong_spacing_changes_the_declaration_only(ratio):
    given = view(np.random.default_rng(5).random((9, 8)), (0.07, 0.1))
    declared = SPACING_MISDECLARED.redeclare(given, ratio)
    assert declared.pixel_spacing_mm == pytest.approx((0.07 / ratio, 0.1 / ratio))
    assert declared.pixels is given.pixels
    assert (declared.side, declared.position, declared.exam_id) == (given.side, given.position, given.exam_id)
    assert perturbed(SPACING_MISDECLARED, given, ratio).tobytes() == given.pixels.tobytes()


def test_nothing_but_the_spacing_is_ever_redeclared():
    assert [record.name for record in PERTURBATIONS if record.redeclare] in ([], ["spacing_misdeclared"])


def test_threads_of_the_coder_change_no_bit_and_leave_the_environment_as_it_was(monkeypatch):
    monkeypatch.delenv("OPJ_NUM_THREADS", raising=False)
    values = np.rint(breast().pixels * jpeg2000_stream.TOP).astype(np.uint16)
    caller = torch.get_num_threads()
    try:
        made = []
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            with jpeg2000_stream._threads():
                assert os.environ["OPJ_NUM_THREADS"] == {1: "0", 2: "2", 5: "5"}[threads]
            stream = jpeg2000_stream.coded(values, (40, 10, 1))
            made.append((stream, jpeg2000_stream.decoded(stream).tobytes()))
    finally:
        torch.set_num_threads(caller)
    assert made[0] == made[1] == made[2]
    assert "OPJ_NUM_THREADS" not in os.environ
