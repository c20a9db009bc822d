"""The header of one DICOM file: what tells which view of which exam it is, read without its pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import dicom_header
from mammo_fixtures.exams.dicom_meta import parsable
from mammo_fixtures.exams.quiet_pydicom import quiet_pydicom
from mammo_fixtures.exams.view_file import DICOM_MAGIC, PREAMBLE_BYTES, ViewFile

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

TAGS = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "PatientID", "IssuerOfPatientID", "AccessionNumber",
    "Modality", "Manufacturer", "ImageType", "PresentationIntentType", "ImageLaterality", "Laterality", "ViewPosition",
    "ViewCodeSequence", "ViewModifierCodeSequence", "ImagerPixelSpacing", "PixelSpacing",
    "EstimatedRadiographicMagnificationFactor", "BreastImplantPresent", "NumberOfFrames", "SamplesPerPixel", "Rows",
    "QualityControlImage", "PaddleDescription", "SpecimenAccessionNumber", "SpecimenDescriptionSequence",
    "InstanceNumber", "ConceptNameCodeSequence", "ContentSequence",
)  # fmt: skip
"""All that is read. Patient ID and Accession Number are compared and digested, never written unless asked for."""

BREAST_COMPOSITION = ("129715009", "F-01710")
DENSITIES = {
    "129716005": "A", "F-01711": "A",
    "129717001": "B", "F-01712": "B",
    "129718006": "C", "F-01713": "C",
    "129719003": "D", "F-01714": "D",
}  # fmt: skip
"""Breast composition (PS3.16 CID 6001), SNOMED CT and the retired SRT, as BI-RADS letters."""


class NoHeader(ValueError):
    """A file whose header cannot be read; the text is the reason it is listed with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What one file says. Empty texts stand for what it does not say."""

    path: str
    """Relative to the folder that is walked, with forward slashes."""
    sop_class: str
    instance: str
    study: str
    patient: str
    accession: str
    modality: str
    manufacturer: str
    image_type: tuple[str, ...]
    intent: str
    side: str
    position: str
    position_by_code: str
    modifiers: tuple[str, ...]
    """Codes of view modifiers, SNOMED CT or SRT."""
    spacing_mm: tuple[float, float] | None
    magnification: float
    implant: bool
    frames: float
    samples: float
    has_image: bool
    quality_control: bool
    specimen: bool
    paddle: str
    number: float
    density: str
    """A to D, of a structured report that states a breast composition."""


def read_header(path: Path, name: str) -> Header:
    """The header of a file; `name` is how it is listed. Raises NoHeader with the reason."""
    from pydicom import dcmread

    try:
        with path.open("rb") as file:
            if file.read(PREAMBLE_BYTES + len(DICOM_MAGIC))[PREAMBLE_BYTES:] != DICOM_MAGIC:
                raise NoHeader("no DICOM file")
            with quiet_pydicom():
                content, _ = parsable(file)
                dataset = dcmread(cast("BinaryIO", content), stop_before_pixels=True, specific_tags=list(TAGS))
                return _header(dataset, name)
    except NoHeader:
        raise
    except OSError as error:
        raise NoHeader(f"not readable ({error.strerror or type(error).__name__})") from error
    except Exception as error:  # pydicom raises whatever its converters meet
        raise NoHeader(f"a damaged header ({type(error).__name__})") from error


def _header(dataset: Dataset, name: str) -> Header:
    text = dicom_header.text
    view_codes = list(dataset.get("ViewCodeSequence") or ())
    modifiers = [item for code in view_codes for item in code.get("ViewModifierCodeSequence") or ()]
    modifiers += dataset.get("ViewModifierCodeSequence") or ()
    codes = [dicom_header.VIEW_CODES.get(text(code, "CodeValue"), "?") for code in view_codes]
    spacing, magnification = _spacing(dataset, name)
    issuer = text(dataset, "IssuerOfPatientID")
    return Header(
        path=name,
        sop_class=text(dataset, "SOPClassUID"),
        instance=text(dataset, "SOPInstanceUID"),
        study=text(dataset, "StudyInstanceUID"),
        patient=f"{issuer}|{text(dataset, 'PatientID')}" if text(dataset, "PatientID") else "",
        accession=text(dataset, "AccessionNumber"),
        modality=text(dataset, "Modality"),
        manufacturer=_plain(text(dataset, "Manufacturer")),
        image_type=tuple(str(each).strip().upper() for each in dataset.get("ImageType") or ()),
        intent=text(dataset, "PresentationIntentType"),
        side=text(dataset, "ImageLaterality") or text(dataset, "Laterality"),
        position=text(dataset, "ViewPosition").upper(),
        position_by_code=codes[0] if codes else "",
        modifiers=tuple(text(item, "CodeValue") for item in modifiers),
        spacing_mm=spacing,
        magnification=magnification,
        implant=text(dataset, "BreastImplantPresent") == "YES",
        frames=dicom_header.number(dataset, "NumberOfFrames", default=1),
        samples=dicom_header.number(dataset, "SamplesPerPixel", default=1),
        has_image="Rows" in dataset,
        quality_control=text(dataset, "QualityControlImage") == "YES",
        specimen=bool(text(dataset, "SpecimenAccessionNumber") or dataset.get("SpecimenDescriptionSequence")),
        paddle=text(dataset, "PaddleDescription").upper(),
        number=dicom_header.number(dataset, "InstanceNumber", default=0),
        density=next(_densities(dataset), ""),
    )


def _spacing(dataset: Dataset, name: str) -> tuple[tuple[float, float] | None, float]:
    magnification = dicom_header.number(dataset, "EstimatedRadiographicMagnificationFactor", default=1.0)
    anything = ViewFile(exam_id="", side="L", position="", path=Path(name))
    try:
        return dicom_header.spacing_mm(dataset, anything)[0], magnification
    except UnusableInput:
        return None, magnification


def _densities(item: Dataset) -> Iterator[str]:
    """Breast compositions stated anywhere in the tree of a structured report."""
    for content in item.get("ContentSequence") or ():
        concept = [dicom_header.text(code, "CodeValue") for code in content.get("ConceptNameCodeSequence") or ()]
        values = [dicom_header.text(code, "CodeValue") for code in content.get("ConceptCodeSequence") or ()]
        if concept and concept[0] in BREAST_COMPOSITION and values and values[0] in DENSITIES:
            yield DENSITIES[values[0]]
        yield from _densities(content)


def _plain(text: str) -> str:
    """A maker's name as a stratum: letters and digits in lower case, as it is written in many ways."""
    return "_".join("".join(c if c.isalnum() else " " for c in text.lower()).split()[:2])
