"""What a DICOM file says of its view is read, and held against the manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, Sequence

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import View
from mammo_fixtures.exams.tests.dicom_writer import FOR_PROCESSING, IMPLICIT, phantom

Read = Callable[..., View]
Written = Callable[..., Path]
VALUES = phantom(12)


def refusal(read: Read, path: Path, **stated: Any) -> str:
    """The message, less the view's name and the manifest's row, which all messages carry."""
    with pytest.raises(UnusableInput) as caught:
        read(path, **stated)
    message = str(caught.value)
    assert "\n" not in message
    assert "SECRET" not in message
    start, end = f"exam 17, L-{stated.get('position', 'CC')}: ", " (site.csv, row 41)"
    assert message.startswith(start)
    assert message.endswith(end)
    return message.removeprefix(start).removesuffix(end)


@pytest.mark.parametrize(
    ("inverse", "attributes", "note"),
    [
        ("", {}, "MONOCHROME2, IDENTITY, as stored"),
        ("", {"PresentationLUTShape": None}, "MONOCHROME2, as stored"),
        ("MONOCHROME1", {}, "MONOCHROME1, inverted"),
        ("MONOCHROME1", {"PresentationLUTShape": "IDENTITY"}, "MONOCHROME1, IDENTITY, inverted"),
        ("INVERSE", {}, "MONOCHROME2, INVERSE, inverted"),
        ("MONOCHROME1 INVERSE", {}, "MONOCHROME1, INVERSE, inverted"),
    ],
)
def test_monochrome1_and_inverse_are_one_inversion(
    inverse: str, attributes: dict[str, Any], note: str, written: Written, read: Read
) -> None:
    """PS3.3 C.8.11.3 has mammography files carry both; two inversions would show the negative."""
    view = read(written(VALUES, bits=12, inverse=inverse, **attributes))
    assert np.array_equal(view.pixels, VALUES.astype(np.float32) / np.float32(4095))
    assert view.notes["photometric"] == note


@pytest.mark.parametrize(
    ("attributes", "spacing", "source"),
    [
        ({}, (0.07, 0.07), "Imager Pixel Spacing (0018,1164)"),
        ({"ImagerPixelSpacing": [0.07, 0.085]}, (0.07, 0.085), "Imager Pixel Spacing (0018,1164)"),
        ({"PixelSpacing": [0.2, 0.2]}, (0.07, 0.07), "Imager Pixel Spacing (0018,1164)"),
        ({"ImagerPixelSpacing": None, "PixelSpacing": [0.2, 0.3]}, (0.2, 0.3), "Pixel Spacing (0028,0030)"),
        (
            {"EstimatedRadiographicMagnificationFactor": "1.75"},
            (0.04, 0.04),
            "Imager Pixel Spacing (0018,1164) / magnification 1.75",
        ),
        (
            {
                "ImagerPixelSpacing": None,
                "PixelSpacing": [0.2, 0.2],
                "EstimatedRadiographicMagnificationFactor": "1.75",
            },
            (0.2, 0.2),
            "Pixel Spacing (0028,0030)",
        ),
    ],
)
def test_spacing_on_the_breast_support(
    attributes: dict[str, Any], spacing: tuple[float, float], source: str, written: Written, read: Read
) -> None:
    view = read(written(VALUES, bits=12, **attributes))
    assert view.pixel_spacing_mm == pytest.approx(spacing, abs=1e-12)
    assert view.notes["pixel spacing"] == source


def test_spacing_in_the_manifest_comes_first(written: Written, read: Read) -> None:
    view = read(written(VALUES, bits=12), pixel_spacing_mm=(0.1, 0.2))
    assert view.pixel_spacing_mm == (0.1, 0.2)
    assert view.notes["pixel spacing"] == "manifest"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"ImagerPixelSpacing": None}, "Imager Pixel Spacing (0018,1164) is missing; add pixel_spacing_mm to the "
         "manifest"),
        ({"ImagerPixelSpacing": [0.0, 0.07]}, "Imager Pixel Spacing (0018,1164) must be two lengths in mm, got "
         "[0.0, 0.07]; "
         "add pixel_spacing_mm to the manifest"),
        ({"EstimatedRadiographicMagnificationFactor": "0.1"}, "Estimated Radiographic Magnification Factor "
         "(0018,1114) must be "
         "near 1 or above, got 0.1; add pixel_spacing_mm to the manifest"),
        ({"ImageLaterality": "R"}, "Image Laterality (0020,0062) must agree with the manifest, got R in the file "
         "and L in the "
         "manifest; correct the one that is wrong"),
        ({"ImageLaterality": None, "Laterality": "R"}, "Laterality (0020,0060) must agree with the manifest, got R "
         "in the file "
         "and L in the manifest; correct the one that is wrong"),
        ({"ViewPosition": "MLO"}, "View Position (0018,5101) must agree with the manifest, got MLO in the file and "
         "CC in the "
         "manifest; correct the one that is wrong"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "Photometric Interpretation (0028,0004) must be "
         "MONOCHROME1 or "
         "MONOCHROME2, got 'PALETTE COLOR'; export the image as greyscale"),
        ({"PresentationLUTShape": "LIN OD"}, "Presentation LUT Shape (2050,0020) must be IDENTITY or INVERSE, got "
         "'LIN OD'"),
        ({"NumberOfFrames": "2"}, "Number of Frames (0028,0008) must be 1, got 2; name a single-frame image"),
        ({"Rows": None}, "Rows (0028,0010) is missing; export the image again"),
        ({"Rows": [8, 9]}, "Rows (0028,0010) must be one number, got 2; export the image again"),
        ({"Columns": 0}, "Rows and Columns must be at least 1, got 64 and 0"),
        ({"BitsAllocated": 32}, "Bits Allocated (0028,0100) must be 8 or 16, got 32"),
        ({"BitsStored": 20}, "Bits Stored (0028,0101) must be 2…16 (Bits Allocated), got 20"),
        ({"HighBit": 3}, "High Bit (0028,0102) must be 11, one less than Bits Stored, got 3; export the image again"),
        ({"PixelRepresentation": 2}, "Pixel Representation (0028,0103) must be 0 or 1, got 2"),
        ({"RescaleSlope": "-1"}, "Rescale Slope (0028,1053) must be positive, got -1; export the image again"),
        ({"RescaleIntercept": "-100"}, "pixels after Rescale must lie within 0…4095 (Bits Stored 12), got -100…3995; "
         "state intensity_low and intensity_high in the manifest"),
        ({"PixelData": bytes(6000)}, "Pixel Data (7FE0,0010) must hold 6144 bytes for 64 × 48 pixels, got 6000 "
         "(truncated?); "
         "copy the file again"),
        ({"PixelData": bytes(7000)}, "Pixel Data (7FE0,0010) must hold 6144 bytes for 64 × 48 pixels, got 7000; "
         "Rows, Columns or Bits Allocated are wrong in the file"),
        ({"WindowCenter": [100, 200], "WindowWidth": 50}, "Window Center (0028,1050) and Window Width (0028,1051) "
         "must come in "
         "pairs, got 2 and 1"),
        ({"WindowCenter": 100, "WindowWidth": 0}, "Window Width (0028,1051) of a LINEAR window must be at least 1, "
         "got centre 100, width 0"),
        ({"WindowCenter": 100, "WindowWidth": 9, "VOILUTFunction": "CUBIC"}, "VOI LUT Function (0028,1056) must be "
         "one of "
         "LINEAR, LINEAR_EXACT, SIGMOID, got another value"),
    ],
)  # fmt: skip
def test_each_refusal_is_one_line(attributes: dict[str, Any], message: str, written: Written, read: Read) -> None:
    path = written(VALUES, bits=12, **attributes)
    assert refusal(read, path) == message


def test_a_lut_descriptor_or_modality_lut_that_cannot_be_used(written: Written, read: Read) -> None:
    table = Dataset()
    table.LUTDescriptor = [4, 0, 16]
    table.add_new("LUTData", "US", [0, 1, 2, 3])
    path = written(VALUES, bits=12, ModalityLUTSequence=Sequence([table]))
    assert refusal(read, path) == (
        "Modality LUT Sequence (0028,3000) must be absent, got a table; "
        "export the image with Rescale Slope and Intercept"
    )
    table.LUTDescriptor = [5, 0, 16]
    path = written(VALUES, bits=12, VOILUTSequence=Sequence([table]))
    assert refusal(read, path) == "LUT Data (0028,3006) must hold 5 entries of 16 bits, got 4 up to 3"
    table.LUTDescriptor = [4, 0, 32]
    path = written(VALUES, bits=12, VOILUTSequence=Sequence([table]))
    assert refusal(read, path) == (
        "LUT Descriptor (0028,3002) must be entries, first value, and 8 to 16 bits, got something else"
    )


def test_free_text_from_the_file_is_not_repeated(written: Written, read: Read) -> None:
    path = written(VALUES, bits=12, PhotometricInterpretation="SECRET NAME")
    assert "got another value;" in refusal(read, path)


@pytest.mark.parametrize(
    "attributes", [{"ImageLaterality": None, "ViewPosition": None}, {"ImageLaterality": "U"}, {"ViewPosition": "SPOT"}]
)
def test_tags_that_say_nothing_contradict_nothing(attributes: dict[str, Any], written: Written, read: Read) -> None:
    assert read(written(VALUES, bits=12, **attributes)).name == "exam 17, L-CC"


@pytest.mark.parametrize(
    ("code", "agrees"), [("399162004", True), ("R-10242", True), ("399368009", False), ("R-10226", False)]
)
def test_view_code_sequence_is_checked(code: str, agrees: bool, written: Written, read: Read) -> None:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = code, "SCT" if code.isdigit() else "SRT"
    path = written(VALUES, bits=12, ViewPosition=None, ViewCodeSequence=Sequence([item]))
    if agrees:
        assert read(path).position == "CC"
    else:
        assert refusal(read, path).startswith("View Code Sequence (0054,0220) must agree with the manifest, got MLO")


def test_a_repeated_exposure_and_an_unusual_view_may_be_named(written: Written, read: Read) -> None:
    path = written(VALUES, bits=12)
    assert read(path, position="CC.2").position == "CC.2"
    assert "got CC in the file and MLO.2" in refusal(read, path, position="MLO.2")
    assert read(path, position="SPOT").position == "SPOT"


@pytest.mark.parametrize(
    ("attributes", "intent"),
    [
        ({}, "FOR PRESENTATION"),
        ({"PresentationIntentType": "FOR PROCESSING"}, "FOR PROCESSING"),
        ({"PresentationIntentType": None}, "FOR PRESENTATION"),
        ({"PresentationIntentType": None, "SOPClassUID": FOR_PROCESSING}, "FOR PROCESSING"),
        ({"PresentationIntentType": None, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1"}, ""),
    ],
)
def test_intent(attributes: dict[str, Any], intent: str, written: Written, read: Read) -> None:
    assert read(written(VALUES, bits=12, **attributes)).intent == intent


@pytest.mark.parametrize(
    ("orientation", "chest_wall"),
    [
        (["A", "R"], "left"),
        (["P", "L"], "right"),
        (["AR", "FR"], "left"),
        (["P", "FL"], "right"),
        (["L", "A"], ""),
        (None, ""),
    ],
)
def test_chest_wall_from_patient_orientation(
    orientation: list[str] | None, chest_wall: str, written: Written, read: Read
) -> None:
    assert read(written(VALUES, bits=12, PatientOrientation=orientation)).chest_wall == chest_wall


def test_rescale_is_exact_where_whole_and_close_where_not(written: Written, read: Read) -> None:
    values = phantom(10)
    doubled = read(written(values, bits=12, RescaleSlope="2", RescaleIntercept="7", inverse=""))
    assert np.array_equal(doubled.pixels, (2 * values.astype(np.float32) + 7) / np.float32(4095))
    assert doubled.notes["intensity"] == "0…4095 (Bits Stored 12), rescaled × 2 + 7"
    half = read(written(values, bits=12, RescaleSlope="0.5", RescaleIntercept="100"))
    assert np.abs(half.pixels - (0.5 * values + 100) / 4095).max() < 1e-7
    mirrored = read(written(values, bits=12, RescaleSlope="0.5", RescaleIntercept="100", inverse="MONOCHROME1"))
    assert np.abs(mirrored.pixels - (4095 - (0.5 * (4095.0 - values) + 100)) / 4095).max() < 1e-7


def test_a_stated_range_replaces_that_of_bits_stored(written: Written, read: Read) -> None:
    path = written(VALUES, bits=12, RescaleIntercept="-1000")
    view = read(path, intensity_low=-1000.0, intensity_high=3095.0)
    assert view.intensity_range == (-1000, 3095)
    assert view.pixels.min() == 0
    assert view.pixels.max() == 1
    inverted = read(
        written(VALUES, bits=12, inverse="MONOCHROME1", RescaleIntercept="-1000"),
        intensity_low=-1000.0,
        intensity_high=3095.0,
    )
    assert np.array_equal(inverted.pixels, view.pixels)
    path = written(VALUES, bits=12)
    assert refusal(read, path, intensity_high=1023.0) == (
        "pixels must lie within the stated intensity range 0…1023, got 0…4095; "
        "correct intensity_low and intensity_high in the manifest"
    )
    assert refusal(read, path, intensity_low=9000.0) == (
        "intensity_low must be below intensity_high, got 9000 and 4095; correct the manifest"
    )


@pytest.mark.parametrize("syntax", [IMPLICIT, "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
@pytest.mark.parametrize("inverse", ["", "MONOCHROME1"])
@pytest.mark.parametrize("signed", [False, True])
def test_padding_becomes_background(signed: bool, inverse: str, syntax: str, written: Written, read: Read) -> None:
    """Padding of value 3000 amid the image; neighbours keep theirs."""
    values = VALUES.copy()
    values[values == 3000] = 2999
    values[:4, :6] = 3000
    stored = (4095 - 3000 if inverse else 3000) - (2048 if signed else 0)
    path = written(values, bits=12, signed=signed, inverse=inverse, syntax=syntax, PixelPaddingValue=stored)
    view = read(path)
    expected = np.where(values == 3000, 0, values).astype(np.float32) / np.float32(4095)
    assert np.array_equal(view.pixels, expected)
    assert view.notes["intensity"].endswith("padding set to 0")


def test_padding_range_and_padding_outside_the_intensity_range(written: Written, read: Read) -> None:
    values = VALUES.copy()
    values[(values >= 3000) & (values < 3010)] = 2999
    values[0, :10] = np.arange(3000, 3010)
    view = read(written(values, bits=12, PixelPaddingValue=3009, PixelPaddingRangeLimit=3000))
    assert not view.pixels[0, :10].any()
    assert view.pixels[1:].max() == 1
    outside = phantom(12).astype("<i2")
    outside[0, 0] = -2000
    path = written(VALUES, bits=13, PixelRepresentation=1, PixelData=outside.tobytes(), PixelPaddingValue=-2000)
    assert read(path).pixels[0, 0] == 0


def test_lossy_compression_is_noted(written: Written, read: Read) -> None:
    assert read(written(VALUES, bits=12, LossyImageCompression="01")).notes["compression"] == "lossy"
    assert "compression" not in read(written(VALUES, bits=12)).notes


def test_no_patient_attribute_reaches_the_view(written: Written, read: Read) -> None:
    view = read(written(VALUES, bits=12))
    assert "SECRET" not in repr(view)
    assert "1961" not in repr(view)
