"""What is no screening mammogram, and why: every image left out has one of these reasons."""

from __future__ import annotations

from collections.abc import Iterator

from mammo_fixtures.exams.dicom import FOR_PROCESSING_CLASSES, TOMOSYNTHESIS_CLASSES
from mammo_fixtures.exams.intake.header import Header

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SCREENING_VIEWS = ("CC", "MLO")
MAGNIFIED = 1.3
"""Magnification factor from which a view is a magnification view: contact views stay near 1.0 to 1.1."""
MODIFIERS = {
    "399163009": "magnification", "R-102D6": "magnification",
    "399055006": "spot compression", "R-102D7": "spot compression",
    "399209000": "implant displaced", "R-102D5": "implant displaced",
    "399161006": "cleavage", "R-102D2": "cleavage",
    "399011000": "axillary tail", "R-102D1": "axillary tail",
    "442580003": "axillary tissue", "R-40AB2": "axillary tissue",
    "399110001": "tangential", "R-102C2": "tangential",
    "414493004": "rolled", "R-102CA": "rolled",
    "399197002": "rolled", "R-102D3": "rolled",
    "399226006": "rolled", "R-102D4": "rolled",
    "415670009": "rolled", "R-102C9": "rolled",
    "441752004": "anterior compression", "P2-00161": "anterior compression",
    "442593008": "infra-mammary fold", "R-40ABE": "infra-mammary fold",
}  # fmt: skip
"""View modifiers (PS3.16 CID 4015), SNOMED CT and the retired SRT, that make a view another one than screening takes.
Nipple in profile, the one left, is how a screening view should be."""
KEEPABLE = ("generated from tomosynthesis", "for processing", "implant displaced", "other view")
"""Reasons that a site may overrule: its screening takes such images."""


def left_out(header: Header, keep: frozenset[str]) -> str:
    """Why an image is no screening mammogram, empty where it is one. `keep` names reasons that do not count."""
    return next((reason for reason in _reasons(header) if reason.split(":")[0] not in keep), "")


def _reasons(header: Header) -> Iterator[str]:
    """Reasons, the most telling first; after a colon, what was found."""
    if header.density:
        yield "structured report: its breast composition is taken"
    if header.modality != "MG":
        yield f"other modality: {header.modality if header.modality.isalpha() else 'none stated'}"
    if header.sop_class in TOMOSYNTHESIS_CLASSES or header.frames != 1:
        yield "tomosynthesis"
    if "GENERATED_2D" in header.image_type or "TOMO_2D" in header.image_type:
        yield "generated from tomosynthesis"
    elif "TOMOSYNTHESIS" in header.image_type or "TOMO" in header.image_type:
        yield "tomosynthesis"
    if header.sop_class.startswith(SECONDARY_CAPTURE) or header.image_type[1:2] == ("SECONDARY",):
        yield "secondary capture"
    if not header.has_image:
        yield "no image"
    if header.samples != 1:
        yield "colour"
    if header.quality_control:
        yield "quality control"
    if header.specimen or header.position == "SPECIMEN":
        yield "specimen"
    if header.magnification >= MAGNIFIED or "MAG" in header.paddle:
        yield "magnification"
    if "SPOT" in header.paddle:
        yield "spot compression"
    yield from sorted({MODIFIERS[code] for code in header.modifiers if code in MODIFIERS})
    if is_for_processing(header):
        yield "for processing"
    yield from _of_geometry(header)


def _of_geometry(header: Header) -> Iterator[str]:
    if not header.study:
        yield "no Study Instance UID"
    if header.side not in ("L", "R"):
        yield f"no side: {'both' if header.side == 'B' else 'none stated'}"
    said = {each for each in (header.position, header.position_by_code) if each and each != "?"}
    if len(said) > 1:
        yield "contradictory view: " + " and ".join(sorted(each if each.isalnum() else "another" for each in said))
    view = position(header)
    if not view:
        yield "no view stated"
    elif view not in SCREENING_VIEWS:
        yield f"other view: {view}"
    if header.spacing_mm is None:
        yield "no pixel spacing"


def position(header: Header) -> str:
    """CC, MLO or another view; empty where the file does not say one that can be told."""
    said = header.position or header.position_by_code
    return said if said.isalnum() and len(said) <= 8 else ""


def is_for_processing(header: Header) -> bool:
    """Whether the pixels are the detector's own, for a workstation to process."""
    return header.intent == "FOR PROCESSING" or (not header.intent and header.sop_class in FOR_PROCESSING_CLASSES)
