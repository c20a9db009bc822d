"""Damaged files are refused: no decoder's own exception, and no decoder that ends the process, comes through."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import View
from mammo_fixtures.exams.codestream import Codestream, read_jpeg, read_jpeg_2000
from mammo_fixtures.exams.tests.dicom_writer import SYNTAXES
from mammo_fixtures.given import given

Read = Callable[..., View]


def codestream(name: str) -> bytearray:
    from pydicom import dcmread
    from pydicom.encaps import get_frame

    return bytearray(get_frame(dcmread(given(f"dicom/{name}.dcm")).PixelData, 0, number_of_frames=1))


@pytest.mark.parametrize("name", ["jpeg_lossless", "jpeg_lossless_sv1", "jpeg_ls", "jpeg_2000", "htj2k"])
def test_codestream_headers(name: str) -> None:
    reader = read_jpeg_2000 if "2" in name else read_jpeg
    found = reader(bytes(codestream(name)))
    assert (found.rows, found.columns, found.components) == (64, 48, 1)
    assert found.bits == (12 if name == "jpeg_ls" else 16), "gdcm and OpenJPH write full words"
    with pytest.raises(ValueError, match="a codestream without its end"):
        reader(bytes(codestream(name)).rstrip(b"\0")[:-2])


def test_a_jpeg_header_by_hand() -> None:
    """SOI, comment, fill byte, SOF3 of 12 bits, 5 × 7, one component, scan, EOI."""
    frame = "ffd8 fffe0004abcd ff ffc3000b0c00050007 01011100 ffda0008010100010000 00 ffd9"
    assert read_jpeg(bytes.fromhex(frame)) == Codestream(rows=5, columns=7, components=1, bits=12)
    with pytest.raises(ValueError, match="no JPEG frame header before a scan"):
        read_jpeg(bytes.fromhex(frame.replace("fffe", "ff01")))
    with pytest.raises(ValueError, match="no JPEG frame header before a scan"):
        read_jpeg(bytes.fromhex(frame.replace("ffc3000b", "fffe000b")))


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [("htj2k", 42, 159), ("jpeg_2000", 41, 3), ("jpeg_2000", 43, 2), ("jpeg_2000", 27, 0), ("jpeg_lossless", 5, 0)],
)
def test_headers_that_would_end_the_process(name: str, place: int, value: int, tmp_path: Path, read: Read) -> None:
    """32-bit samples, three components, subsampling, an empty tile, a scan of nothing: gdcm aborts on some of them."""
    content = bytearray(given(f"dicom/{name}.dcm").read_bytes())
    stream = codestream(name)
    start = content.index(bytes(stream[:60]))
    if name == "jpeg_lossless":
        place = stream.index(b"\xff\xc4") + 1
    content[start + place] = value
    (tmp_path / "view.dcm").write_bytes(content)
    with pytest.raises(UnusableInput, match=r"Pixel Data \(7FE0,0010\) must be undamaged"):
        read(tmp_path / "view.dcm")


@pytest.mark.parametrize("name", SYNTAXES)
def test_random_damage_is_read_or_refused(name: str, tmp_path: Path, read: Read) -> None:
    """40 files a syntax, a few bytes changed, half of them where the pixels begin."""
    whole = given(f"dicom/{name}.dcm").read_bytes()
    chance = random.Random(name)
    refused = 0
    for _ in range(40):
        content = bytearray(whole)
        begins = chance.choice((132, 600))
        for _ in range(chance.choice((1, 4, 20))):
            content[chance.randrange(begins, len(content))] = chance.randrange(256)
        (tmp_path / "view.dcm").write_bytes(content)
        try:
            read(tmp_path / "view.dcm")
        except UnusableInput as refusal:
            refused += 1
            message = str(refusal)
            if "SECRET" in message or "\n" in message:
                pytest.fail(message)
    assert 0 < refused < 40 or name == "deflated"
