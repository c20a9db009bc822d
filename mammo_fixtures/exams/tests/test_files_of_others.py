"""DICOM files that others wrote: all that ship inside pydicom are read, or refused in one sentence."""

import re
from collections import Counter
from pathlib import Path

import pydicom.data
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.view_file import ViewFile

FOLDER = Path(pydicom.data.__file__).parent
FILES = sorted(
    path
    for path in FOLDER.rglob("*")
    if path.is_file() and path.suffix not in (".py", ".pyc", ".json", ".txt", ".md", ".toml", ".dump")
)
SENTENCES = {
    "no DICOM": r"the image must be DICOM \(with its preamble, PS3\.10\) or PNG, got other content",
    "another modality": r"Modality \(0008,0060\) must be MG, got (CT|MR|PT|US|NM|RTDOSE|XA|RTIMAGE); name a mammogram",
    "no pixels": r"Pixel Data \(7FE0,0010\) must be there as integers, but it is missing",
    "colour": r"Samples per Pixel \(0028,0002\) must be 1, got 3 \(colour\)",
    "several frames": r"Number of Frames \(0028,0008\) must be 1, got \d+",
    "no spacing": r"Imager Pixel Spacing \(0018,1164\) is missing; add pixel_spacing_mm to the manifest",
    "damaged": r"must be undamaged|must be complete and undamaged|must be numbers, got something else",
    "out of range": r"pixels after Rescale must lie within",
    "no decoder": r"Transfer Syntax UID \(0002,0010\) must be one that can be decoded",
    "wide pixels": r"Bits Allocated \(0028,0100\) must be 8 or 16",
    "wrong length": r"Pixel Data \(7FE0,0010\) must hold \d+ bytes",
}


def what_happened(path):
    try:
        view = ViewFile(exam_id="1", side="L", position="CC", path=path).read()
    except UnusableInput as refusal:
        return next((kind for kind, said in SENTENCES.items() if re.search(said, str(refusal))), str(refusal))
    assert view.pixels.ndim == 2
    return "read"


@pytest.mark.skipif(len(FILES) < 100, reason="this pydicom ships without its test files")
def test_every_file_is_read_or_refused_in_one_sentence():
    happened = {path.relative_to(FOLDER).as_posix(): what_happened(path) for path in FILES}
    counts = Counter(happened.values())
    assert not set(counts) - {*SENTENCES, "read"}
    assert counts["no pixels"] > 20
    assert counts["colour"] > 20
    assert counts["another modality"] > 20
    # Tiny CR images: nothing in them says that they are no mammograms.
    read = {Path(name).name for name, what in happened.items() if what == "read"}
    assert read == {"6154", "6247", "6278"}
