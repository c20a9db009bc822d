"""The chest wall is found where the file does not say, and turned to where a classifier expects it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import chest_wall_side, read_cohort, toward
from mammo_fixtures.exams.tests.dicom_writer import phantom

BREAST = (phantom(12).astype(np.float32) / np.float32(4095)).astype(np.float32)


@pytest.mark.parametrize("negative", [False, True])
def test_the_breast_is_at_the_chest_wall(negative: bool) -> None:
    pixels = 1 - BREAST if negative else BREAST
    assert chest_wall_side(pixels) == "left"
    assert chest_wall_side(pixels[:, ::-1]) == "right"


def test_a_marker_or_noise_on_the_other_edge_does_not_decide() -> None:
    pixels = BREAST.copy()
    pixels[2:8, -4:] = 1
    assert chest_wall_side(pixels) == "left"
    noise = np.random.Generator(np.random.PCG64(0)).normal(0, 0.005, pixels.shape).astype(np.float32)
    assert chest_wall_side(pixels + noise) == "left"


@pytest.mark.parametrize("pixels", [np.zeros((40, 30), np.float32), np.pad(BREAST, ((0, 0), (9, 9)))])
def test_where_neither_edge_carries_breast_nothing_is_said(pixels: np.ndarray) -> None:
    assert chest_wall_side(pixels) == ""


def test_a_crop_with_as_much_breast_at_either_edge_does_not_tell() -> None:
    both = np.concatenate((BREAST, BREAST[:, ::-1]), axis=1)
    assert chest_wall_side(both) == ""
    both[:, -10:][both[:, -10:] > 0.1] = 0
    assert chest_wall_side(both) == "left", "once one edge carries less"


def test_noise_in_the_air_of_both_edges_tells_nothing() -> None:
    pixels = np.zeros((2000, 1000), np.float32)
    pixels[500:1500, 300:600] = 0.6
    noise = np.random.Generator(np.random.PCG64(1)).normal(0.02, 0.004, pixels.shape).astype(np.float32)
    assert chest_wall_side(pixels + noise) == ""


def test_a_view_of_few_columns_has_edges() -> None:
    few = np.zeros((30, 12), np.float32)
    few[5:25, :4] = 0.7
    assert [chest_wall_side(few), chest_wall_side(few[:, ::-1])] == ["left", "right"]


def test_real_mammograms(mammograms: Path) -> None:
    for exam in read_cohort(mammograms / "manifest.csv"):
        found = [chest_wall_side(source.read().pixels) for source in exam.views]
        assert found == ["left" if source.side == "L" else "right" for source in exam.views]
    # Exam 4 was published with its right breast mirrored, as its markers show: the side alone would mislead.
    for source in read_cohort(mammograms / "unlabelled.csv").exams[0].views:
        assert chest_wall_side(source.read().pixels) == "left"


def test_toward_mirrors_columns_and_leaves_the_stored_pixels() -> None:
    before = BREAST.copy()
    assert toward(BREAST, "left", None) is BREAST
    assert toward(BREAST, "left", "left") is BREAST
    mirrored = toward(BREAST, "left", "right")
    assert np.array_equal(mirrored, BREAST[:, ::-1])
    assert chest_wall_side(mirrored) == "right"
    assert np.array_equal(toward(mirrored, "right", "left"), BREAST)
    assert np.array_equal(BREAST, before)
    stack = np.stack((BREAST, BREAST))
    assert np.array_equal(toward(stack, "left", "right"), stack[..., ::-1])


def test_toward_takes_tensors() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(BREAST.copy())
    assert toward(tensor, "right", "right") is tensor
    assert np.array_equal(toward(tensor, "left", "right").numpy(), BREAST[:, ::-1])


def test_an_unknown_chest_wall_is_not_guessed() -> None:
    with pytest.raises(UnusableInput) as refusal:
        toward(BREAST, "", "left")
    assert str(refusal.value) == (
        "chest wall must be 'left' or 'right' to be turned to 'left', got ''; write Patient Orientation (0020,0020) "
        "into "
        "the file or crop the image so that the breast meets one edge"
    )
