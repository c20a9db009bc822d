"""Lesion regions from masks and polygons lie on the view's pixel grid."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import View
from mammo_fixtures.exams.region import read_region
from mammo_fixtures.exams.tests.dicom_writer import phantom

SHAPE = (64, 48)
MASK = np.zeros(SHAPE, np.uint8)
MASK[10:20, 5:30] = 255


def test_a_mask_is_true_where_it_is_not_zero(
    tmp_path: Path, written: Callable[..., Path], read: Callable[..., View]
) -> None:
    for pixels in (MASK, (MASK > 0), MASK.astype(np.uint16) * 200, MASK // 255):
        Image.fromarray(pixels).save(tmp_path / "mask.png")
        view = read(written(phantom(12), bits=12), roi_path=tmp_path / "mask.png")
        assert view.region is not None
        assert view.region.dtype == np.bool_
        assert np.array_equal(view.region, MASK > 0)
        assert not view.region.flags.writeable


def test_no_region_is_none(written: Callable[..., Path], read: Callable[..., View]) -> None:
    assert read(written(phantom(12), bits=12)).region is None


def test_polygons_have_rows_first_and_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "roi.json"
    path.write_text(json.dumps([[[10, 5], [10, 29], [19, 29], [19, 5]], [[40, 2], [40, 4], [42, 4], [42, 2]]]))
    region = read_region(path, SHAPE)
    assert region is not None
    expected = MASK > 0
    expected[40:43, 2:5] = True
    assert np.array_equal(region, expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "must be a PNG mask or a JSON list of polygons of at least two [row, column] corners, such as "
               "[[[10, 20], [10, 40], [30, 30]]]; got something else"),
        (b"[[10, 20]]", "must be a PNG mask or a JSON list of polygons"),
        (b"\xff\xd8\xff\xe0", "must be a PNG mask or a JSON list of polygons"),
        (b"[[[1, 1], [1, 50], [5, 5]]]", "a region's corners must lie inside the image of 64 rows and 48 columns, "
                                        "got row 1, column 50; corners are [row, column] in pixels"),
        (b"[]", "must mark at least one pixel, got none; leave roi_path empty where a view shows no lesion"),
        (b"{}", "must be a PNG mask or a JSON list of polygons"),
        (b'[["12", "34"]]', "must be a PNG mask or a JSON list of polygons"),
        (b"[[[true, 1], [5, 5]]]", "must be a PNG mask or a JSON list of polygons"),
        (b"[[[0, 0], [0, 47], [63, 47], [63, 0]]]", "must be smaller than half of the image, got 100% of it"),
        (b"\x89PNG\r\n\x1a\n", "must be an undamaged PNG, but cannot be decoded; copy it again"),
    ],
)  # fmt: skip
def test_what_is_no_region_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "roi").write_bytes(content)
    with pytest.raises(UnusableInput) as refusal:
        read_region(tmp_path / "roi", SHAPE)
    assert message in str(refusal.value)


def test_a_mask_of_another_size_kind_or_place_is_refused(tmp_path: Path) -> None:
    Image.fromarray(MASK[:-1]).save(tmp_path / "mask.png")
    with pytest.raises(UnusableInput) as refusal:
        read_region(tmp_path / "mask.png", SHAPE)
    assert str(refusal.value) == (
        "the mask must have the image's rows and columns (64, 48), got (63, 48); draw it on the stored image"
    )
    Image.fromarray(MASK).convert("RGB").save(tmp_path / "mask.png")
    with pytest.raises(UnusableInput, match="must be a greyscale PNG, got mode RGB; export it as greyscale"):
        read_region(tmp_path / "mask.png", SHAPE)
    with pytest.raises(UnusableInput, match=r"roi_path must be a readable file, got 'No such file"):
        read_region(tmp_path / "gone.png", SHAPE)


def test_a_damaged_mask_is_refused_whatever_its_pixels_look_like(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(MASK).save(path)
    whole = path.read_bytes()
    checksum = whole.rindex(b"IEND") - 5
    flipped = whole[:checksum] + bytes([whole[checksum] ^ 1]) + whole[checksum + 1 :]
    for damaged in (flipped, whole[:-12], whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(UnusableInput, match="the mask must be an undamaged PNG, but cannot be decoded"):
            read_region(path, SHAPE)


def test_a_mask_of_nothing_or_of_nearly_everything_is_refused(tmp_path: Path) -> None:
    """A breast marked by an empty mask would be judged as if its lesion had been blurred."""
    Image.fromarray(MASK * 0).save(tmp_path / "mask.png")
    with pytest.raises(UnusableInput, match="the region must mark at least one pixel, got none; leave roi_path empty"):
        read_region(tmp_path / "mask.png", SHAPE)
    Image.fromarray(255 - MASK).save(tmp_path / "mask.png")
    with pytest.raises(UnusableInput, match=r"smaller than half of the image, got 92% .*not zero inside the lesion"):
        read_region(tmp_path / "mask.png", SHAPE)


def test_corners_between_pixels_go_to_the_nearest_one(tmp_path: Path) -> None:
    path = tmp_path / "roi.json"
    path.write_text(json.dumps([[[9.6, 4.7], [9.6, 29.4], [19.4, 29.4], [19.4, 4.7]]]))
    assert np.array_equal(read_region(path, SHAPE), MASK > 0)


@pytest.mark.parametrize("background", [0, 255])
def test_a_region_that_marks_air_alone_is_refused_with_exam_and_view(
    background: int, tmp_path: Path, read: Callable[..., View]
) -> None:
    """As of a mask drawn on a mirrored image: blurring inside it would have left every lesion as it was."""
    pixels = np.full(SHAPE, background, np.uint8)
    pixels[8:56, :30] = np.random.default_rng(0).integers(60, 200, (48, 30))
    Image.fromarray(pixels).save(tmp_path / "view.png")
    on_breast = np.zeros(SHAPE, np.uint8)
    on_breast[20:30, 5:15] = 255
    read_with = {"pixel_spacing_mm": (0.1, 0.1), "roi_path": tmp_path / "mask.png"}
    for mask, good in ((on_breast, True), (on_breast[:, ::-1], False), (np.roll(on_breast, 20, axis=1), True)):
        Image.fromarray(mask).save(tmp_path / "mask.png")
        if good:
            assert read(tmp_path / "view.png", **read_with).region is not None
        else:
            with pytest.raises(UnusableInput) as refusal:
                read(tmp_path / "view.png", **read_with)
            assert "L-CC: the region must lie on the breast, got 100 pixels that all have the background's value; " in (
                str(refusal.value)
            )
