"""Phantom views as genuine DICOM: Digital Mammography X-Ray Image Storage - For Presentation (PS3.3 A.27)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DigitalMammographyXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    RLELossless,
)

from mammo_fixtures.exams.phantoms.recipe import GENERATOR_VERSION, Recipe
from mammo_fixtures.exams.phantoms.rendering import PhantomView

# (code value, code meaning) of SNOMED CT, PS3.16 CID 4014
_VIEW_CODES = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}
# directions of a row and of a column, PS3.3 C.7.6.1.1.1: the chest wall is left in L, right in R
_ORIENTATION = {
    ("L", "CC"): ["A", "R"],
    ("L", "MLO"): ["A", "FR"],
    ("R", "CC"): ["P", "L"],
    ("R", "MLO"): ["P", "FL"],
}


def write_dicom(recipe: Recipe, view: PhantomView, path: Path) -> None:
    """Write one view as an RLE lossless file, which halves it and decodes ten times as fast as JPEG-LS."""
    from rle.utils import encode_pixel_data

    data = phantom_dataset(recipe, view)
    frame = encode_pixel_data(data.PixelData, data, byteorder="<")
    data.PixelData = encapsulate([frame])
    data["PixelData"].is_undefined_length = True
    data.file_meta.TransferSyntaxUID = RLELossless
    data.save_as(path, enforce_file_format=True)


def phantom_dataset(recipe: Recipe, view: PhantomView) -> Dataset:
    """The data set of a view, its pixels uncompressed; nothing in it depends on the day or the machine."""
    breast, laterality = view.breast, view.breast.side
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    data.SpecificCharacterSet = "ISO_IR 100"
    data.ImageType = ["DERIVED", "PRIMARY"]
    data.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    data.SOPInstanceUID = _uid(recipe, breast.exam_id, laterality, view.position)
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.StudyInstanceUID = _uid(recipe, breast.exam_id)
    data.SeriesInstanceUID = _uid(recipe, breast.exam_id, "series")
    for empty in ("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "StudyID"):
        setattr(data, empty, "")
    data.Modality = "MG"
    data.PresentationIntentType = "FOR PRESENTATION"
    data.Manufacturer = "mammo-robustness"
    data.ManufacturerModelName = "phantom"
    data.SoftwareVersions = GENERATOR_VERSION
    data.PatientName = f"PHANTOM^{breast.exam_id}"
    data.PatientID = f"PHANTOM-{breast.exam_id}"
    data.PatientSex = "F"
    data.SeriesNumber = 1
    data.InstanceNumber = 1 + ["L", "R"].index(laterality) * 2 + list(_VIEW_CODES).index(view.position)
    _describe_acquisition(recipe, view, data)
    _describe_pixels(recipe, view, data)
    return data


def _describe_acquisition(recipe: Recipe, view: PhantomView, data: Dataset) -> None:
    data.BodyPartExamined = "BREAST"
    data.OrganExposed = "BREAST"
    data.PositionerType = "MAMMOGRAPHIC"
    data.BodyPartThickness = "50"
    data.BreastImplantPresent = "NO"
    data.PartialView = "NO"
    data.BurnedInAnnotation = "NO"
    data.ImageLaterality = view.breast.side
    data.ViewPosition = view.position
    data.PatientOrientation = _ORIENTATION[view.breast.side, view.position]
    data.AnatomicRegionSequence = [_code("76752008", "Breast")]
    code = _code(*_VIEW_CODES[view.position])
    code.ViewModifierCodeSequence = []
    data.ViewCodeSequence = [code]
    data.AcquisitionContextSequence = []
    data.DetectorType = "DIRECT"
    data.ImagerPixelSpacing = [recipe.pixel_mm, recipe.pixel_mm]


def _describe_pixels(recipe: Recipe, view: PhantomView, data: Dataset) -> None:
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PresentationLUTShape = "IDENTITY"
    data.Rows, data.Columns = view.stored.shape
    data.BitsAllocated = 16
    data.BitsStored = recipe.bits_stored
    data.HighBit = recipe.bits_stored - 1
    data.PixelRepresentation = 0
    data.PixelIntensityRelationship = "LOG"
    data.PixelIntensityRelationshipSign = -1  # higher values, less X-ray intensity
    data.RescaleIntercept = "0"
    data.RescaleSlope = "1"
    data.RescaleType = "US"
    data.LossyImageCompression = "00"
    data.WindowCenter = str(int(0.48 * 2**recipe.bits_stored))
    data.WindowWidth = str(int(0.75 * 2**recipe.bits_stored))
    data.PixelData = view.stored.astype("<u2").tobytes()
    data["PixelData"].VR = "OW"


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue = value
    code.CodingSchemeDesignator = "SCT"
    code.CodeMeaning = meaning
    return code


def _uid(recipe: Recipe, *key: str) -> UID:
    # a UUID-derived UID (PS3.5 B.2), from a digest in place of the clock
    digest = hashlib.sha256("/".join((recipe.digest, *key)).encode()).digest()[:16]
    return UID(f"2.25.{int.from_bytes(digest, 'big')}")
