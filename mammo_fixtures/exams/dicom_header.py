"""What a DICOM data set says of a view beside its pixels: side, position, spacing, orientation, polarity, VOI."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.voi import FUNCTIONS, Table, Voi, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from mammo_fixtures.exams.view_file import ViewFile

VIEW_CODES = {
    "399162004": "CC", "R-10242": "CC",
    "399368009": "MLO", "R-10226": "MLO",
    "399260004": "ML", "R-10224": "ML",
    "399352003": "LM", "R-10228": "LM",
    "399099002": "LMO", "R-10230": "LMO",
    "399196006": "FB", "R-10244": "FB",
    "399188001": "SIO", "R-102D0": "SIO",
    "441555000": "ISO", "R-40AAA": "ISO",
    "399192008": "XCCL", "R-1024A": "XCCL",
    "399101009": "XCCM", "R-1024B": "XCCM",
}  # fmt: skip
"""View codes, SNOMED CT and the retired SRT, to the View Position terms that go with them (PS3.16 CID 4014)."""
KNOWN_CODES = r"MONOCHROME[12]|PALETTE COLOR|RGB|HSV|ARGB|CMYK|YBR_[A-Z0-9_]{1,14}|LIN OD|IDENTITY|INVERSE|[0-9.]{0,64}"


def text(dataset: Dataset, keyword: str) -> str:
    """A single text value, stripped; empty where absent."""
    value = dataset.get(keyword)
    if value is None:
        return ""
    return str(value).strip()


def number(dataset: Dataset, keyword: str, *, default: float | None = None) -> float:
    """A single numeric value; an absent one without default is an error."""
    value = dataset.get(keyword)
    if value is None or value == "":
        if default is None:
            raise UnusableInput(f"{tag_name(keyword)} is missing; export the image again")
        return default
    found = numbers(dataset, keyword)
    if len(found) != 1:
        raise UnusableInput(f"{tag_name(keyword)} must be one number, got {len(found)}; export the image again")
    return found[0]


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """Numeric values; empty where absent."""
    value = dataset.get(keyword)
    if value is None or value == "":
        return []
    try:
        values = [float(one) for one in (value if _several(value) else [value])]
    except (TypeError, ValueError) as cause:
        raise UnusableInput(
            f"{tag_name(keyword)} must be numbers, got something else; export the image again"
        ) from cause
    if not all(np.isfinite(values)):
        raise UnusableInput(f"{tag_name(keyword)} must be finite, got NaN or infinity; export the image again")
    return values


def _several(value: Any) -> bool:
    return not isinstance(value, (str, bytes)) and hasattr(value, "__iter__")


def tag_name(keyword: str) -> str:
    """`Imager Pixel Spacing (0018,1164)`."""
    from pydicom.datadict import dictionary_description, tag_for_keyword
    from pydicom.tag import Tag

    tag = Tag(tag_for_keyword(keyword) or 0)
    return f"{dictionary_description(tag)} ({tag.group:04X},{tag.element:04X})"


def check_side(dataset: Dataset, file: ViewFile) -> None:
    """Image Laterality, else Laterality, must not contradict the manifest; what does not say L or R says nothing."""
    for keyword in ("ImageLaterality", "Laterality"):
        found = text(dataset, keyword)
        if found in ("L", "R"):
            if found != file.side:
                raise UnusableInput(
                    f"{tag_name(keyword)} must agree with the manifest, got {found} in the file and {file.side} in the "
                    "manifest; correct the one that is wrong"
                )
            return


def check_position(dataset: Dataset, file: ViewFile) -> None:
    """View Position and View Code Sequence must not contradict the manifest, where `CC.2` is a second CC."""
    stated = re.split(r"[^A-Z]", file.position.upper())[0]
    positions = set(VIEW_CODES.values())
    if stated not in positions:
        return
    found = {"ViewPosition": text(dataset, "ViewPosition").upper()}
    for item in dataset.get("ViewCodeSequence") or ():
        found["ViewCodeSequence"] = VIEW_CODES.get(text(item, "CodeValue"), "")
    for keyword, position in found.items():
        if position in positions and position != stated:
            raise UnusableInput(
                f"{tag_name(keyword)} must agree with the manifest, got {position} in the file and {file.position} "
                f"in the "
                "manifest; correct the one that is wrong"
            )


def spacing_mm(dataset: Dataset, file: ViewFile) -> tuple[tuple[float, float], str]:
    """Spacing on the breast support (between rows, between columns), and where it comes from.

    Imager Pixel Spacing lies in the detector's plane: divided by the Estimated Radiographic Magnification Factor, where
    there is one, it is that of the breast support. Pixel Spacing, looked at second, is taken as it is (PS3.3 10.7.1.3).
    """
    if file.pixel_spacing_mm is not None:
        return file.pixel_spacing_mm, "manifest"
    for keyword in ("ImagerPixelSpacing", "PixelSpacing"):
        lengths = numbers(dataset, keyword)
        if not lengths:
            continue
        if len(lengths) != 2 or not all(0 < length < 100 for length in lengths):
            raise UnusableInput(
                f"{tag_name(keyword)} must be two lengths in mm, got {lengths}; add pixel_spacing_mm to the manifest"
            )
        source = tag_name(keyword)
        magnification = 1.0
        if keyword == "ImagerPixelSpacing":
            magnification = number(dataset, "EstimatedRadiographicMagnificationFactor", default=1.0)
            if not 0.5 < magnification < 10:
                raise UnusableInput(
                    f"{tag_name('EstimatedRadiographicMagnificationFactor')} must be near 1 or above, "
                    f"got {magnification:g}; add pixel_spacing_mm to the manifest"
                )
            if magnification != 1:
                source += f" / magnification {magnification:g}"
        return (lengths[0] / magnification, lengths[1] / magnification), source
    raise UnusableInput(f"{tag_name('ImagerPixelSpacing')} is missing; add pixel_spacing_mm to the manifest")


def may_show_a_person(dataset: Dataset) -> str:
    """What does not say NO of text in the pixels and of recognisable features (PS3.3 C.7.6.1); empty where both do.

    Recognizable Visual Features is newer than most archives: where it is absent, Burned In Annotation decides.
    """
    burnt = text(dataset, "BurnedInAnnotation").upper()
    if burnt != "NO":
        return f"{tag_name('BurnedInAnnotation')} {'is YES' if burnt == 'YES' else 'does not say NO'}"
    features = text(dataset, "RecognizableVisualFeatures").upper()
    return "" if features in ("", "NO") else f"{tag_name('RecognizableVisualFeatures')} does not say NO"


def chest_wall(dataset: Dataset) -> str:
    """Image side of the chest wall, from Patient Orientation: rows that run to anterior start there (C.7.6.1.1.1)."""
    value = dataset.get("PatientOrientation")
    if not value:
        return ""
    along_rows = str(value[0] if _several(value) else value).strip().upper()
    return {"A": "left", "P": "right"}.get(along_rows[:1], "")


def polarity(dataset: Dataset) -> tuple[bool, str]:
    """Whether pixels are inverted so that bright means dense, and what the file says.

    MONOCHROME1 and Presentation LUT Shape INVERSE are two names for one inversion, which mammography files carry
    together (PS3.3 C.8.11.3: INVERSE shall be used with MONOCHROME1): either, or both, inverts once.
    """
    photometric = text(dataset, "PhotometricInterpretation")
    shape = text(dataset, "PresentationLUTShape")
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnusableInput(
            f"{tag_name('PhotometricInterpretation')} must be MONOCHROME1 or MONOCHROME2, got {echo(photometric)}; "
            "export the image as greyscale"
        )
    if shape not in ("", "IDENTITY", "INVERSE"):
        raise UnusableInput(f"{tag_name('PresentationLUTShape')} must be IDENTITY or INVERSE, got {echo(shape)}")
    inverted = photometric == "MONOCHROME1" or shape == "INVERSE"
    said = f"{photometric}, {shape}" if shape else photometric
    return inverted, f"{said}, {'inverted' if inverted else 'as stored'}"


def echo(value: str) -> str:
    """A coded value for a message; what is no code of the standard, and so might name someone, is not repeated."""
    return repr(value) if re.fullmatch(KNOWN_CODES, value) else "another value"


def voi(dataset: Dataset, inverted: bool, signed: bool) -> tuple[Voi, ...]:
    """VOI LUT tables, then windows, as the file offers them: alternatives, of which one is applied (PS3.3 C.11.2)."""
    tables = tuple(_table(item, inverted, signed) for item in dataset.get("VOILUTSequence") or ())
    centres, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    if len(centres) != len(widths):
        raise UnusableInput(
            f"Window Center (0028,1050) and Window Width (0028,1051) must come in pairs, got {len(centres)} and "
            f"{len(widths)}"
        )
    function = text(dataset, "VOILUTFunction") or "LINEAR"
    if function not in FUNCTIONS:
        raise UnusableInput(f"{tag_name('VOILUTFunction')} must be one of {', '.join(FUNCTIONS)}, got {echo(function)}")
    named = dataset.get("WindowCenterWidthExplanation") or []
    names = [str(name) for name in named] if _several(named) else [str(named)]
    names += [""] * (len(centres) - len(names))
    windows = tuple(
        Window(centre=centre, width=width, function=function, explanation=name, inverted=inverted)
        for centre, width, name in zip(centres, widths, names, strict=False)
    )
    return tables + windows


def _table(item: Dataset, inverted: bool, signed: bool) -> Table:
    descriptor = [int(value) for value in numbers(item, "LUTDescriptor")]
    if len(descriptor) != 3 or not 8 <= descriptor[2] <= 16:
        raise UnusableInput(
            "LUT Descriptor (0028,3002) must be entries, first value, and 8 to 16 bits, got something else"
        )
    entries, first, bits = descriptor[0] or 2**16, descriptor[1], descriptor[2]
    if signed and first > 2**15 - 1:
        first -= 2**16  # written as US where the pixels are signed
    values = _lut_data(item, entries, bits)
    if len(values) < entries or values.max(initial=0) > 2**bits - 1:
        raise UnusableInput(
            f"LUT Data (0028,3006) must hold {entries} entries of {bits} bits, got {len(values)} "
            f"up to {values.max(initial=0):g}"
        )
    fractions = (values[:entries] / (2**bits - 1)).astype(np.float32)
    return Table(first=first, values=fractions, explanation=text(item, "LUTExplanation"), inverted=inverted)


def _lut_data(item: Dataset, entries: int, bits: int) -> NDArray[np.float64]:
    """Entries in 16-bit words, or 8-bit ones packed in pairs, which only the length tells (PS3.3 C.7.6.3.1.6)."""
    data = item.get("LUTData")
    if isinstance(data, bytes):
        order = ">" if item.original_encoding[1] is False else "<"
        words = np.frombuffer(data[: len(data) // 2 * 2], f"{order}u2")
    else:
        words = np.array(data if _several(data) else [], dtype=np.uint16)
    packed = bits == 8 and len(words) == (entries + 1) // 2
    return (words.astype("<u2").view(np.uint8) if packed else words).astype(np.float64)
