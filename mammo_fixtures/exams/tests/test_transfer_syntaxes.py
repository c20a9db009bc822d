"""The same image in any transfer syntax and polarity gives the same pixels, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import View, read_cohort
from mammo_fixtures.exams.dicom_codecs import CODECS
from mammo_fixtures.exams.dicom_pixels import NATIVE
from mammo_fixtures.exams.tests.dicom_writer import BIG_ENDIAN, HTJ2K, SYNTAXES, WRITABLE, data_set, phantom, write
from mammo_fixtures.given import given

POLARITIES = ("", "MONOCHROME1", "INVERSE", "MONOCHROME1 INVERSE")


def test_golden_files_equal_their_png() -> None:
    """HTJ2K too, which nothing here can write."""
    cohort = read_cohort(given("dicom/manifest.csv"))
    png, *others = (exam.views[0].read() for exam in cohort)
    assert np.array_equal(png.pixels, phantom(12).astype(np.float32) / np.float32(4095))
    assert len(others) == 2 * len(SYNTAXES)
    for view in others:
        assert np.array_equal(view.pixels, png.pixels), view.exam_id
        assert view.intensity_range == (0, 4095)
        assert view.pixel_spacing_mm == (0.07, 0.07)
        assert view.notes["format"] == f"DICOM, {SYNTAXES[view.exam_id.removesuffix('_inverse')]}"


def test_the_documentation_names_each_syntax_and_its_decoder() -> None:
    lines = (Path(__file__).parents[3] / "docs" / "exams.md").read_text(encoding="utf-8").splitlines()
    for syntax in (*NATIVE, *CODECS):
        decoder = CODECS[syntax].distribution if syntax in CODECS else "pydicom"
        short = syntax.removeprefix("1.2.840.10008")
        assert any(f" {short}," in line.replace(" |", ",") and decoder in line for line in lines), syntax


@pytest.mark.parametrize("inverse", POLARITIES)
@pytest.mark.parametrize(
    ("bits", "signed"), [(8, False), (10, False), (12, False), (12, True), (16, False), (16, True)]
)
@pytest.mark.parametrize("name", WRITABLE)
def test_same_pixels_in_each_syntax(
    name: str, bits: int, signed: bool, inverse: str, written: Callable[..., Path], read: Callable[..., View]
) -> None:
    # Odd sizes, but for gdcm's JPEG writer, which trips over the padding byte that an odd number of bytes needs.
    values = phantom(bits, (42 if bits == 8 and name.startswith("jpeg_lossless") else 41, 33))
    view = read(written(values, bits=bits, signed=signed, inverse=inverse, syntax=SYNTAXES[name]))
    assert np.array_equal(view.pixels, values.astype(np.float32) / np.float32(2**bits - 1))
    assert view.pixels.dtype == np.float32
    assert view.pixels.min() == 0
    assert view.pixels.max() == 1
    assert ("inverted" in view.notes["photometric"]) == bool(inverse)


@pytest.mark.parametrize("name", ["1_L_CC", "4_R_MLO"])
def test_real_mammogram_in_each_syntax_equals_its_png(
    name: str, mammograms: Path, tmp_path: Path, read: Callable[..., View]
) -> None:
    """Full resolution, 16 and 8 bit; polarity alternates over the syntaxes to keep this short."""
    source = mammograms / f"{name}.png"
    side, position = name.split("_")[1:]
    says: dict[str, Any] = {"side": side, "position": position}
    png = read(source, pixel_spacing_mm=(0.07, 0.07), **says)
    values = np.asarray(Image.open(source))
    bits = 8 * values.itemsize
    for number, syntax in enumerate(WRITABLE):
        inverse = POLARITIES[number % len(POLARITIES)]
        dataset = data_set(values, bits=bits, inverse=inverse, ImageLaterality=side, ViewPosition=position)
        view = read(write(dataset, tmp_path / "view.dcm", SYNTAXES[syntax]), **says)
        assert np.array_equal(view.pixels, png.pixels), syntax


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("name", HTJ2K)
def test_same_pixels_in_htj2k(name: str, bits: int, written: Callable[..., Path], read: Callable[..., View]) -> None:
    pytest.importorskip("imagecodecs", reason="writing HTJ2K needs imagecodecs; golden files are read above")
    values = phantom(bits)
    view = read(written(values, bits=bits, syntax=SYNTAXES[name]))
    assert np.array_equal(view.pixels, values.astype(np.float32) / np.float32(2**bits - 1))


@pytest.mark.parametrize("name", ["jpeg_2000", "jpeg_ls", "jpeg_lossless"])
def test_codestream_wider_than_its_values_is_read(
    name: str, written: Callable[..., Path], read: Callable[..., View], tmp_path: Path
) -> None:
    """Archives compress 12-bit values as 16-bit samples; Bits Stored still decides the range."""
    from pydicom import dcmread

    path = written(phantom(12), bits=16, syntax=SYNTAXES[name])
    dataset = dcmread(path)
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.save_as(tmp_path / "narrow.dcm")
    assert read(tmp_path / "narrow.dcm").pixels.max() == 1

    dataset.BitsStored, dataset.HighBit = 10, 9
    dataset.save_as(tmp_path / "narrow.dcm")
    with pytest.raises(UnusableInput) as refusal:
        read(tmp_path / "narrow.dcm")
    assert str(refusal.value) == (
        "exam 17, L-CC: pixels must fit Bits Stored (0028,0101) 10, 0…1023, got 0…4095 in a 16-bit codestream; "
        "correct Bits Stored in the file (site.csv, row 41)"
    )


def test_a_frame_in_several_fragments_is_joined(tmp_path: Path, read: Callable[..., View]) -> None:
    from pydicom import dcmread
    from pydicom.encaps import encapsulate, get_frame

    whole = dcmread(write(data_set(phantom(12), bits=12), tmp_path / "view.dcm", SYNTAXES["jpeg_lossless_sv1"]))
    frame = get_frame(whole.PixelData, 0, number_of_frames=1)
    whole.PixelData = encapsulate([frame], fragments_per_frame=3)
    whole.save_as(tmp_path / "fragments.dcm")
    assert np.array_equal(read(tmp_path / "fragments.dcm").pixels, read(tmp_path / "view.dcm").pixels)


def test_big_endian_words_of_8_bit_pixels_are_unswapped(
    written: Callable[..., Path], read: Callable[..., View]
) -> None:
    values = phantom(8, (16, 12))
    swapped = values.reshape(-1, 2)[:, ::-1].tobytes()

    from pydicom import dcmread

    dataset = dcmread(written(values, bits=8, syntax=BIG_ENDIAN))
    dataset.PixelData = swapped
    dataset["PixelData"].VR = "OW"
    path = Path(str(dataset.filename))
    dataset.save_as(path)
    stored = path.read_bytes()
    assert swapped in stored
    assert np.array_equal(read(path).pixels, values.astype(np.float32) / np.float32(255))


def test_overlay_bits_above_the_value_are_ignored(written: Callable[..., Path], read: Callable[..., View]) -> None:
    values = phantom(10).astype("<u2")
    garbage = np.random.Generator(np.random.PCG64(1)).integers(0, 2, values.shape).astype("<u2")
    above = read(written(values, bits=10, PixelData=(values | garbage << 12).tobytes()))
    signed = read(written(values, bits=10, signed=True, PixelData=((values - 512 & 1023) | garbage << 12).tobytes()))
    for view in (above, signed):
        assert np.array_equal(view.pixels, values.astype(np.float32) / np.float32(1023))


@pytest.mark.parametrize("name", ["explicit", "rle", "jpeg_lossless"])
def test_values_that_do_not_begin_at_the_lowest_bit_are_refused(
    name: str, written: Callable[..., Path], read: Callable[..., View]
) -> None:
    """High Bit 11 of 10 bits is read by some from the bits it names and by pydicom from the lowest ones."""
    path = written(phantom(10) << 2, bits=10, syntax=SYNTAXES[name], HighBit=11)
    with pytest.raises(UnusableInput) as refusal:
        read(path)
    assert str(refusal.value) == (
        "exam 17, L-CC: High Bit (0028,0102) must be 9, one less than Bits Stored, got 11; export the image again "
        "(site.csv, row 41)"
    )


@pytest.mark.parametrize("syntax", sorted(CODECS))
def test_missing_decoder_is_named_with_its_remedy(
    syntax: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, read: Callable[..., View]
) -> None:
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID

    dataset = data_set(phantom(8), bits=8, PixelData=encapsulate([b"\0\0"]))
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.save_as(tmp_path / "view.dcm", enforce_file_format=True)
    codec = CODECS[syntax]

    def absent(name: str, *_: Any) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("mammo_fixtures.exams.dicom_codecs.importlib.import_module", absent)
    with pytest.raises(UnusableInput) as refusal:
        read(tmp_path / "view.dcm")
    assert str(refusal.value) == (
        f"exam 17, L-CC: Transfer Syntax UID (0002,0010) {syntax} ({codec.name}) needs a decoder; "
        f"pip install {codec.distribution} (site.csv, row 41)"
    )


def test_gdcm_without_htj2k_is_to_be_upgraded(monkeypatch: pytest.MonkeyPatch, read: Callable[..., View]) -> None:
    import gdcm

    monkeypatch.setattr(gdcm.TransferSyntax, "GetTSType", lambda uid: gdcm.TransferSyntax.TS_END)
    with pytest.raises(UnusableInput, match=r"4\.201 is newer than the python-gdcm installed.*pip install --upgrade"):
        read(given("dicom/htj2k.dcm"))
