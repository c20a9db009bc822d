"""Decoding one full-size view, by the way it is stored."""

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import uid

from mammo_fixtures.exams import ViewFile
from mammo_fixtures.given import given

SYNTAXES = {
    "uncompressed": uid.ExplicitVRLittleEndian,
    "rle": uid.RLELossless,
    "jpeg_ls": uid.JPEGLSLossless,
    "jpeg_2000": uid.JPEG2000Lossless,
}


def to_jpeg_2000(path):
    """Rewrites a file, by gdcm, because pydicom's encoder for this syntax needs one package more."""
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEG2000Lossless))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


@pytest.mark.parametrize("stored_as", [*SYNTAXES, "png"])
def test_decode(stored_as, timed, full_size_view, tmp_path):
    pixels = np.rint(full_size_view.pixels * 4095).astype(np.uint16)
    path = tmp_path / stored_as
    if stored_as == "png":
        Image.fromarray(pixels).save(path, format="png")
    else:
        data = pydicom.dcmread(given("dicom/explicit.dcm"))
        data.Rows, data.Columns = pixels.shape
        data.PixelData = pixels.astype("<u2").tobytes()
        if stored_as in ("rle", "jpeg_ls"):
            data.compress(SYNTAXES[stored_as], generate_instance_uid=False)
        data.save_as(path, enforce_file_format=True)
        if stored_as == "jpeg_2000":
            to_jpeg_2000(path)
    declared = {"intensity_low": 0.0, "intensity_high": 4095.0, "pixel_spacing_mm": (0.07, 0.07)}
    known = pydicom.dcmread(given("dicom/explicit.dcm"), stop_before_pixels=True)
    source = ViewFile(
        exam_id="1", side=known.ImageLaterality, position=known.ViewPosition, path=path,
        **(declared if stored_as == "png" else {}),
    )  # fmt: skip
    view = timed(source.read, megabytes=round(path.stat().st_size / 1e6, 2))
    assert view.shape == full_size_view.shape
