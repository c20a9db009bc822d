"""From a view's image to a classifier's input: each step by itself, and their order."""

import numpy as np
import pytest
import torch

from mammo_fixtures import Classifier, UnusableInput, View
from mammo_fixtures.classifiers.inputs import classifier_input, coarsest_pixels_mm
from mammo_fixtures.exams import Window


def view(pixels=None, **declared):
    pixels = ramp() if pixels is None else pixels
    stated = {"pixel_spacing_mm": (0.1, 0.1), "side": "L", "position": "CC", "exam_id": "17", "chest_wall": "left"}
    return View.from_array(np.asarray(pixels, dtype=np.float32), intensity_range=(0, 1), **(stated | declared))


def ramp(rows=6, columns=8):
    """Brighter from the chest wall on the left to the right, and a little downwards."""
    row, column = np.indices((rows, columns))
    return ((column + 0.1 * row) / (columns + 0.1 * rows)).astype(np.float32)


def given(of, image=None, **declared):
    image = torch.tensor(of.pixels) if image is None else image
    return classifier_input(image, of, Classifier(lambda batch: batch, **declared))


def test_nothing_declared_is_the_view_as_stored():
    assert torch.equal(given(view()), torch.from_numpy(ramp())[None])


def test_intensity_maps_the_ends_of_the_range_and_lets_pixels_leave_it():
    image = torch.tensor([[0.0, 1.0, -0.5, 1.5]])
    assert given(view([[0, 1, 0, 1]]), image, intensity=(-1, 1)).tolist() == [[[-1, 1, -2, 2]]]
    assert given(view([[0, 1, 0, 1]]), image, intensity=(255, 0)).tolist() == [[[255, 0, 382.5, -127.5]]]


def test_integers_are_clipped_and_rounded():
    image = torch.tensor([[0.0, 1.0, -0.5, 1.5, 0.301, 0.701]])
    one = view([[0, 1, 0, 1, 0, 1]])
    assert given(one, image, intensity=(0, 255), integers=True).tolist() == [[[0, 255, 0, 255, 77, 179]]]
    assert given(one, image, intensity=(255, 0), integers=True).tolist() == [[[255, 0, 255, 0, 178, 76]]]


def test_three_channels_are_alike():
    three = given(view(), channels=3)
    assert three.shape == (3, 6, 8)
    assert torch.equal(three[0], three[2])


def test_voi_is_applied_where_declared_and_there():
    window = Window(centre=0.5, width=0.5, function="LINEAR_EXACT")
    image = torch.tensor([[0.0, 0.25, 0.5, 0.75, 1.0]])
    one = view([[0, 0.25, 0.5, 0.75, 1]], voi=(window, Window(centre=9, width=1)))
    assert given(one, image, voi=True)[0, 0].tolist() == pytest.approx([0, 0, 0.5, 1, 1]), "the first of several"
    assert given(one, image)[0, 0].tolist() == image[0].tolist()
    assert given(view([[0, 0.25, 0.5, 0.75, 1]]), image, voi=True)[0, 0].tolist() == image[0].tolist()


def test_pixel_spacing_is_met_along_each_axis():
    assert given(view(ramp(20, 30), pixel_spacing_mm=(0.1, 0.2)), pixel_spacing_mm=0.2).shape == (1, 10, 30)
    assert given(view(ramp(20, 30), pixel_spacing_mm=(0.1, 0.1)), pixel_spacing_mm=0.05).shape == (1, 40, 60)
    assert torch.equal(given(view(), pixel_spacing_mm=0.10005), torch.from_numpy(ramp())[None]), "the same, nearly"
    assert given(view(), pixel_spacing_mm=50.0).shape == (1, 1, 1)


def test_a_smaller_image_has_no_false_detail():
    """Stripes finer than the new pixels become grey; without antialiasing they would come out as coarse stripes."""
    stripes = np.tile(np.array([0, 0, 1, 1, 0], dtype=np.float32), (60, 24))
    for declared in ({"pixel_spacing_mm": 0.6}, {"input_size": (10, 20)}):
        shrunk = given(view(stripes), **declared)
        assert shrunk.shape == (1, 10, 20)
        assert float((shrunk[..., 1:-1] - 0.4).abs().max()) < 0.12, declared


@pytest.mark.parametrize(("stated", "stored"), [("left", ramp()), ("right", ramp()[:, ::-1])])
@pytest.mark.parametrize("wanted", ["left", "right"])
def test_the_chest_wall_is_turned_to_the_side_declared(stated, stored, wanted):
    expected = ramp() if wanted == "left" else ramp()[:, ::-1]
    assert np.array_equal(given(view(stored.copy(), chest_wall=stated), chest_wall=wanted)[0].numpy(), expected)


def breast(side="left"):
    stored = np.zeros((20, 60), dtype=np.float32)
    stored[4:16, :30] = 0.5
    return stored if side == "left" else stored[:, ::-1].copy()


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_chest_wall_is_found_where_the_file_does_not_say(side):
    one = view(breast(side), chest_wall="")
    assert np.array_equal(given(one, chest_wall="left")[0].numpy(), breast("left"))
    # Found on the clean pixels, whatever a perturbation has made of the image.
    dark = torch.zeros(20, 60)
    dark[0, 0] = 1
    turned = given(one, dark, chest_wall="left")
    assert bool(turned[0, 0, 0]) == (side == "left")


def test_a_chest_wall_that_cannot_be_told_names_the_view():
    with pytest.raises(UnusableInput) as caught:
        given(view(np.ones((20, 20)), chest_wall=""), chest_wall="left")
    assert str(caught.value).startswith("exam 17, L-CC: chest wall must be 'left' or 'right' to be turned to 'left'")


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("size", [(10, 40), (30, 40), (10, 80), (30, 80)])
def test_padding_and_cropping_keep_the_chest_wall(side, says, size):
    """Also where the classifier takes views as stored: the wall stays where it is."""
    out = given(view(breast(side), chest_wall=side if says else ""), input_size=size, fit="pad")[0].numpy()
    assert out.shape == size
    rows, columns = min(size[0], 12), 30
    inside = np.zeros(size, dtype=np.float32)
    top = (size[0] - rows) // 2
    inside[top : top + rows, :columns] = 0.5
    assert np.array_equal(out, inside if side == "left" else inside[:, ::-1])


def test_padding_after_turning_keeps_the_wall_where_it_was_turned_to():
    out = given(view(breast("left")), input_size=(20, 70), fit="pad", chest_wall="right")[0].numpy()
    assert out[10, -30:].all()
    assert not out[10, :-30].any()


def test_resizing_fills_the_size():
    assert torch.equal(given(view(), input_size=(6, 8)), torch.from_numpy(ramp())[None])
    assert given(view(), input_size=(12, 5)).shape == (1, 12, 5)
    flat = view(np.full((6, 8), 0.25))
    assert given(flat, input_size=(12, 5)).numpy() == pytest.approx(0.25)


def test_voi_comes_before_resampling():
    """A window over single bright pixels, then averaged: the other order would lose them before the window."""
    stored = np.zeros((8, 8), dtype=np.float32)
    stored[::2, ::2] = 1.0
    one = view(stored, voi=(Window(centre=0.75, width=0.1, function="LINEAR_EXACT"),))
    shrunk = given(one, pixel_spacing_mm=0.4, voi=True)
    assert float(shrunk.mean()) == pytest.approx(0.25, abs=0.02)


def test_spacing_comes_before_size():
    """Padding counts in resampled pixels: a view at half the resolution leaves half of the input empty."""
    out = given(view(np.ones((8, 8))), pixel_spacing_mm=0.2, input_size=(8, 8), fit="pad")[0]
    assert out[2:6, :4].numpy() == pytest.approx(1.0)
    assert float(out.sum()) == pytest.approx(16.0)


def test_orientation_comes_before_size():
    """Cropping cuts away from the chest wall that was turned, not from the one that was stored."""
    out = given(view(ramp(6, 8)), chest_wall="right", input_size=(6, 3), fit="pad")[0].numpy()
    assert np.array_equal(out, ramp(6, 8)[:, ::-1][:, -3:])


def test_intensity_comes_last():
    """So that padding is the low end of the range, whatever the network calls it, and rounding is of its integers."""
    out = given(view(np.ones((4, 4))), input_size=(4, 6), fit="pad", intensity=(100, 200))[0]
    assert out[:, 4:].tolist() == [[100, 100]] * 4
    half = given(view([[0, 1]]), input_size=(1, 1), intensity=(0, 255), integers=True)
    assert half.item() == 128, "averaged, then rounded"


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"voi": True},
        {"pixel_spacing_mm": 0.2},
        {"chest_wall": "right"},
        {"input_size": (3, 3)},
        {"input_size": (3, 3), "fit": "pad"},
        {"intensity": (-1, 1)},
        {"intensity": (0, 255), "integers": True},
        {"channels": 3},
    ],
)
def test_the_image_and_the_view_are_left_untouched(declared):
    one = view(voi=(Window(centre=0.5, width=0.5, function="LINEAR_EXACT"),))
    image = torch.tensor(one.pixels) * 1.5
    before = image.clone()
    given(one, image, **declared)
    assert torch.equal(image, before)
    assert np.array_equal(one.pixels, ramp())


def test_the_coarsest_pixels_along_each_axis():
    def coarsest(of, **declared):
        return coarsest_pixels_mm(of, Classifier(lambda batch: batch, **declared))

    large = view(ramp(100, 80), pixel_spacing_mm=(0.1, 0.15))
    assert coarsest(large) == (0.1, 0.15)
    assert coarsest(large, pixel_spacing_mm=0.2) == (0.2, 0.2)
    assert coarsest(large, pixel_spacing_mm=0.05) == (0.1, 0.15), "finer pixels bring nothing back"
    assert coarsest(large, pixel_spacing_mm=0.12) == (0.12, 0.15)
    assert coarsest(large, input_size=(25, 80)) == (0.4, 0.15)
    assert coarsest(large, input_size=(25, 80), fit="pad") == (0.1, 0.15)
