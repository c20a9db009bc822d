"""PNG views: 8 and 16 bit, their range, their spacing, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import View
from mammo_fixtures.exams.tests.dicom_writer import phantom

Read = Callable[..., View]
SPACING = {"pixel_spacing_mm": (0.07, 0.07)}


def png(folder: Path, values: Any) -> Path:
    image = values if isinstance(values, Image.Image) else Image.fromarray(values)
    image.save(folder / "view.png")
    return folder / "view.png"


@pytest.mark.parametrize("bits", [8, 16])
def test_fractions_of_the_container(bits: int, tmp_path: Path, read: Read) -> None:
    view = read(png(tmp_path, phantom(bits)), **SPACING)
    assert np.array_equal(view.pixels, phantom(bits).astype(np.float32) / np.float32(2**bits - 1))
    assert view.intensity_range == (0, 2**bits - 1)
    assert view.pixel_spacing_mm == (0.07, 0.07)
    assert (view.side, view.position, view.exam_id, view.chest_wall, view.voi) == ("L", "CC", "17", "", ())
    assert view.notes == {
        "format": f"PNG, {bits} bit",
        "intensity": "container",
        "pixel spacing": "manifest",
        "burnt in": "a PNG cannot say that no text is burnt in",
    }


def test_12_bits_in_a_16_bit_png_must_be_declared(tmp_path: Path, read: Read) -> None:
    path = png(tmp_path, phantom(12))
    with pytest.raises(UnusableInput) as refusal:
        read(path, **SPACING)
    assert str(refusal.value) == (
        "exam 17, L-CC: the brightest pixel must reach a quarter of the range 0…65535 of a 16-bit PNG, got 4095 "
        "(fewer bits "
        "than the container?); state intensity_high in the manifest, 4095 for 12 bits (site.csv, row 41)"
    )
    view = read(path, **SPACING, intensity_high=4095.0)
    assert view.intensity_range == (0, 4095)
    assert view.pixels.max() == 1
    assert view.notes["intensity"] == "manifest"


def test_a_stated_range_must_hold_the_pixels(tmp_path: Path, read: Read) -> None:
    path = png(tmp_path, phantom(12))
    for stated, message in (
        (
            {"intensity_high": 1023.0},
            "stated intensity range 0…1023, got 0…4095; correct intensity_low and intensity_high",
        ),
        (
            {"intensity_low": 10.0},
            "stated intensity range 10…65535, got 0…4095; correct intensity_low and intensity_high",
        ),
        ({"intensity_low": 9.0, "intensity_high": 8.0}, "intensity_low must be below intensity_high, got 9 and 8"),
    ):
        with pytest.raises(UnusableInput, match=message):
            read(path, **SPACING, **stated)


def test_spacing_must_be_stated(tmp_path: Path, read: Read) -> None:
    with pytest.raises(UnusableInput) as refusal:
        read(png(tmp_path, phantom(16)))
    assert str(refusal.value) == (
        "exam 17, L-CC: a PNG does not say its pixel spacing; add pixel_spacing_mm to the manifest (site.csv, row 41)"
    )


@pytest.mark.parametrize(
    ("mode", "got"),
    [("RGB", "8-bit colour"), ("RGBA", "8-bit colour with alpha"), ("LA", "8-bit greyscale with alpha"),
     ("P", "8-bit palette"), ("1", "1-bit greyscale")],
)  # fmt: skip
def test_other_kinds_are_refused(mode: str, got: str, tmp_path: Path, read: Read) -> None:
    image = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).convert(mode)
    with pytest.raises(UnusableInput) as refusal:
        read(png(tmp_path, image), **SPACING)
    assert str(refusal.value) == (
        f"exam 17, L-CC: a PNG must be 8- or 16-bit greyscale, got {got}; export it as greyscale (site.csv, row 41)"
    )


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_truncated_is_refused(kept: float, tmp_path: Path, read: Read) -> None:
    path = png(tmp_path, phantom(16))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(
        UnusableInput, match=r"the PNG must be complete and undamaged, but cannot be decoded \(.*copy it"
    ):
        read(path, **SPACING)
    path.write_bytes(content[:20])
    with pytest.raises(UnusableInput, match=r"cannot be decoded \(it breaks off\); copy it again"):
        read(path, **SPACING)
