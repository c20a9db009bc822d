"""Decoding one full-size view, by the way it is stored: every transfer syntax that can be written here, and PNG."""

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import uid

from mammo_fixtures.exams import ViewFile
from mammo_fixtures.given import given

PLAIN = {
    "implicit": uid.ImplicitVRLittleEndian,
    "explicit": uid.ExplicitVRLittleEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
    "rle": uid.RLELossless,
}
BY_GDCM = {
    "jpeg_lossless": "JPEGLosslessProcess14",
    "jpeg_lossless_sv1": "JPEGLosslessProcess14_1",
    "jpeg_ls": "JPEGLSLossless",
    "jpeg_2000": "JPEG2000Lossless",
}
"""HTJ2K has no encoder among the dependencies: its files are given, and small."""


def change_by_gdcm(path, name):
    """Rewrites a file, by gdcm, because pydicom's encoders for these syntaxes need one package more."""
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, name)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def write(path, stored_as, pixels):
    """One view as a file."""
    if stored_as == "png":
        Image.fromarray(pixels).save(path, format="png")
        return
    data = pydicom.dcmread(given("dicom/explicit.dcm"))
    data.Rows, data.Columns = pixels.shape
    data.PixelData = pixels.astype("<u2").tobytes()
    if stored_as == "rle":
        data.compress(PLAIN[stored_as], generate_instance_uid=False)
    else:
        data.file_meta.TransferSyntaxUID = PLAIN.get(stored_as, uid.ExplicitVRLittleEndian)
    data.save_as(path, enforce_file_format=True)
    if stored_as in BY_GDCM:
        change_by_gdcm(path, BY_GDCM[stored_as])


@pytest.mark.parametrize("stored_as", [*PLAIN, *BY_GDCM, "png"])
def test_decode(stored_as, timed, full_size_view, tmp_path):
    pixels = np.rint(full_size_view.pixels * 4095).astype(np.uint16)
    path = tmp_path / stored_as
    write(path, stored_as, pixels)
    declared = {"intensity_low": 0.0, "intensity_high": 4095.0, "pixel_spacing_mm": (0.07, 0.07)}
    known = pydicom.dcmread(given("dicom/explicit.dcm"), stop_before_pixels=True)
    source = ViewFile(
        exam_id="1", side=known.ImageLaterality, position=known.ViewPosition, path=path,
        **(declared if stored_as == "png" else {}),
    )  # fmt: skip
    view = timed(source.read, megabytes=round(path.stat().st_size / 1e6, 2))
    assert view.shape == full_size_view.shape
