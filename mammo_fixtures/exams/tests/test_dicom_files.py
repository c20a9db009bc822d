"""Files of any kind are read or refused with one line; nothing else escapes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import View
from mammo_fixtures.exams.tests.dicom_writer import SYNTAXES, data_set, phantom, write
from mammo_fixtures.given import given

Read = Callable[..., View]

BROKEN = {
    "truncated": "Pixel Data (7FE0,0010) must hold 6144 bytes for 64 × 48 pixels, got ",
    "truncated_jpeg_2000": "the DICOM file must be complete and undamaged, but it ends or breaks off; copy it again",
    "unknown_transfer_syntax": "Transfer Syntax UID (0002,0010) must be one that can be decoded, got "
    "1.2.840.10008.1.2.9; "
    "export it uncompressed or as JPEG 2000, JPEG-LS, JPEG lossless or RLE",
    "missing_spacing": "Imager Pixel Spacing (0018,1164) is missing; add pixel_spacing_mm to the manifest",
    "no_pixels": "Pixel Data (7FE0,0010) must hold 6144 bytes for 64 × 48 pixels, got 0 (truncated?); copy the file "
    "again",
    "other_side": "Image Laterality (0020,0062) must agree with the manifest, got R in the file and L in the manifest",
    "other_position": "View Position (0018,5101) must agree with the manifest, got MLO in the file and CC in the "
    "manifest",
    "tomosynthesis": "the image must be a two-dimensional mammogram, got tomosynthesis; name the 2-D view instead",
    "two_frames": "Number of Frames (0028,0008) must be 1, got 2; name a single-frame image",
    "colour": "Samples per Pixel (0028,0002) must be 1, got 3 (colour); export the image as greyscale",
}


def test_the_list_of_broken_files_is_complete() -> None:
    assert {path.stem for path in given("dicom/broken").iterdir()} == set(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_file_is_refused(name: str, read: Read) -> None:
    with pytest.raises(UnusableInput) as refusal:
        read(given(f"dicom/broken/{name}.dcm"))
    message = str(refusal.value)
    assert message.startswith(f"exam 17, L-CC: {BROKEN[name]}")
    assert message.endswith(" (site.csv, row 41)")
    assert "SECRET" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the image must be DICOM or PNG, got an empty file; copy it again"),
        (b"GIF89a" + bytes(200), "the image must be DICOM (with its preamble, PS3.10) or PNG, got other content; "
         "export it as one of these"),
        (bytes(128) + b"DICM" + b"\xff" * 40, "the DICOM file must be complete and undamaged, but it ends or breaks "
         "off; copy it again"),
        (bytes(128) + b"DICM", "Pixel Data (7FE0,0010) must be there as integers, but it is missing; export the "
         "image again"),
    ],
)  # fmt: skip
def test_other_content_is_refused(content: bytes, message: str, tmp_path: Path, read: Read) -> None:
    (tmp_path / "view.dcm").write_bytes(content)
    with pytest.raises(UnusableInput) as refusal:
        read(tmp_path / "view.dcm")
    assert str(refusal.value).startswith(f"exam 17, L-CC: {message}")


def test_a_missing_file_is_one_line(tmp_path: Path, read: Read) -> None:
    with pytest.raises(UnusableInput) as refusal:
        read(tmp_path / "gone.dcm")
    assert str(refusal.value) == (
        "exam 17, L-CC: the image must be a readable file, got 'No such file or directory'; look whether it is there "
        "(site.csv, row 41)"
    )


@pytest.mark.parametrize("name", ["rle", "jpeg_lossless", "jpeg_ls", "jpeg_2000", "htj2k", "deflated"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95, 0.99])
def test_a_file_cut_anywhere_is_refused_never_half_read(name: str, share: float, tmp_path: Path, read: Read) -> None:
    content = given(f"dicom/{name}.dcm").read_bytes()
    (tmp_path / "view.dcm").write_bytes(content[: int(share * len(content))])
    with pytest.raises(UnusableInput) as refusal:
        read(tmp_path / "view.dcm")
    assert "SECRET" not in str(refusal.value)


@pytest.mark.parametrize("name", ["rle", "jpeg_lossless", "jpeg_ls", "jpeg_2000"])
def test_a_damaged_codestream_is_refused(name: str, tmp_path: Path, read: Read) -> None:
    from pydicom import dcmread
    from pydicom.encaps import encapsulate, get_frame

    dataset = dcmread(write(data_set(phantom(12), bits=12), tmp_path / "view.dcm", SYNTAXES[name]))
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    for damaged in (frame[:10], bytes(len(frame))):
        dataset.PixelData = encapsulate([damaged])
        dataset.save_as(tmp_path / "view.dcm")
        with pytest.raises(
            UnusableInput, match=r"Pixel Data \(7FE0,0010\) must be undamaged .*, but cannot be decoded"
        ):
            read(tmp_path / "view.dcm")


def test_a_codestream_of_another_size_is_refused(tmp_path: Path, read: Read) -> None:
    from pydicom import dcmread

    for name in ("rle", "jpeg_lossless", "jpeg_ls", "jpeg_2000"):
        dataset = dcmread(write(data_set(phantom(12), bits=12), tmp_path / "view.dcm", SYNTAXES[name]))
        dataset.Rows += 2
        dataset.save_as(tmp_path / "view.dcm")
        with pytest.raises(UnusableInput, match="of 66 × 48 pixels, but cannot be decoded"):
            read(tmp_path / "view.dcm")


def _pydicom_files() -> list[Any]:
    import pydicom.data

    folder = Path(pydicom.data.__file__).parent
    return [
        pytest.param(path, id=path.relative_to(folder).as_posix().lower().replace("/", "-"))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "cache" not in path.parts and path.suffix not in (".py", ".pyc")
    ]


@pytest.mark.parametrize("path", _pydicom_files())
def test_every_file_that_pydicom_ships_is_read_or_refused(path: Path, read: Read) -> None:
    """With spacing and range stated, so that as many as can be are decoded; those agree with pydicom's own decoding."""
    message = ""
    try:
        view = read(path, pixel_spacing_mm=(0.1, 0.1), intensity_low=-40000.0, intensity_high=70000.0)
    except UnusableInput as refusal:
        message = str(refusal)
    if message:
        assert message.startswith("exam 17, L-CC: ")
        assert "\n" not in message
        return
    assert np.isfinite(view.pixels).all()
    from pydicom import dcmread
    from pydicom.pixels.processing import apply_rescale

    dataset = dcmread(path)
    theirs = apply_rescale(dataset.pixel_array, dataset)
    ours = view.pixels.astype(np.float64) * 110000 - 40000
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        ours = 30000 - ours
    if "PixelPaddingValue" not in dataset:
        assert np.abs(ours - theirs).max() < 0.01
