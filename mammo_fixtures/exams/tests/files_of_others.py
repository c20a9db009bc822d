"""DICOM files that others wrote, all that ship inside pydicom, sorted by what becomes of them.

    python -m mammo_fixtures.exams.tests.files_of_others

prints the table; what is no DICOM file by its ending (Python, JSON, text) is left out.
"""

import re
from collections import defaultdict
from pathlib import Path

import pydicom.data

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
    "no greyscale": r"Photometric Interpretation \(0028,0004\) must be MONOCHROME1 or MONOCHROME2",
    "wrong length": r"Pixel Data \(7FE0,0010\) must hold \d+ bytes",
}


def what_happened(path, **stated):
    """A kind of refusal, its whole sentence where it is of no known kind, or `read`; and the pixels."""
    try:
        view = ViewFile(exam_id="1", side="L", position="CC", path=path, **stated).read()
    except UnusableInput as refusal:
        return next((kind for kind, said in SENTENCES.items() if re.search(said, str(refusal))), str(refusal)), None
    return "read", view.pixels


def sorted_files(**stated):
    """Names of files by what happened."""
    found = defaultdict(list)
    for path in FILES:
        found[what_happened(path, **stated)[0]].append(path.relative_to(FOLDER).as_posix())
    return dict(found)


if __name__ == "__main__":
    print(f"pydicom {pydicom.__version__}: {len(FILES)} files")
    for kind, names in sorted(sorted_files().items(), key=lambda entry: -len(entry[1])):
        print(f"\n{kind}: {len(names)}\n  " + "\n  ".join(names))
