"""Views in DICOM files, as mammography units and archives write them."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, BinaryIO, cast

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import dicom_header as header
from mammo_fixtures.exams.dicom_intensity import fractions
from mammo_fixtures.exams.dicom_meta import DEFLATED, parsable
from mammo_fixtures.exams.dicom_pixels import BIG_ENDIAN, PixelLayout, stored_values
from mammo_fixtures.exams.limits import check_size
from mammo_fixtures.exams.quiet_pydicom import quiet_pydicom
from mammo_fixtures.exams.region import region_on
from mammo_fixtures.exams.view import MAY_SHOW, View

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from mammo_fixtures.exams.view_file import ViewFile

FOR_PROCESSING_CLASSES = ("1.2.840.10008.5.1.4.1.1.1.2.1", "1.2.840.10008.5.1.4.1.1.1.1.1")
FOR_PRESENTATION_CLASSES = ("1.2.840.10008.5.1.4.1.1.1.2", "1.2.840.10008.5.1.4.1.1.1.1")
TOMOSYNTHESIS_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.13.1.3",
    "1.2.840.10008.5.1.4.1.1.13.1.4",
    "1.2.840.10008.5.1.4.1.1.13.1.5",
)
OTHER_MODALITIES = ("CT", "MR", "NM", "OCT", "OPT", "PT", "RTDOSE", "RTIMAGE", "SM", "US", "XA")
"""Images that are no projection radiograph; digitised films and CR plates may say CR, DX, OT or nothing for MG."""
TAGS = (
    "SOPClassUID", "Modality",
    "PresentationIntentType", "ImageLaterality", "Laterality", "ViewPosition", "ViewCodeSequence",
    "ImagerPixelSpacing", "PixelSpacing", "EstimatedRadiographicMagnificationFactor", "PatientOrientation",
    "SamplesPerPixel", "PhotometricInterpretation", "PresentationLUTShape", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "VOILUTSequence", "WindowCenter", "WindowWidth",
    "VOILUTFunction", "WindowCenterWidthExplanation", "LossyImageCompression", "PixelData", "FloatPixelData",
    "DoubleFloatPixelData", "BurnedInAnnotation", "RecognizableVisualFeatures",
)  # fmt: skip
"""All that is ever read of a data set: nothing that names or describes a patient."""


def read_dicom(file: ViewFile, stream: BinaryIO) -> View:
    """The view in a single-frame greyscale DICOM file, checked against what the manifest says.

    Pixels are stored values after Rescale and inversion, as fractions of 0 … 2^Bits Stored − 1 or the stated range.
    """
    with quiet_pydicom():
        try:
            dataset = _data_set(stream)
            return _view(dataset, file)
        except UnusableInput:
            raise
        except Exception as cause:  # pydicom parses values when asked and raises whatever its converters raise
            raise UnusableInput(
                f"the DICOM file must be undamaged, but its data set cannot be read ({type(cause).__name__}); copy "
                f"it again"
            ) from cause


def _data_set(stream: BinaryIO) -> Dataset:
    from pydicom import dcmread
    from pydicom.uid import UID

    broken = "the DICOM file must be complete and undamaged, but it ends or breaks off; copy it again"
    try:
        check_size(stream)
        content, syntax = parsable(stream)
        with warnings.catch_warnings(record=True) as oddities:
            warnings.simplefilter("always")
            dataset = dcmread(cast("BinaryIO", content), specific_tags=list(TAGS))
        if syntax == DEFLATED:
            dataset.file_meta.TransferSyntaxUID = UID(DEFLATED)
    except UnusableInput:
        raise
    except Exception as cause:  # EOFError, zlib.error, InvalidDicomError and others
        raise UnusableInput(broken) from cause
    if any(str(oddity.message).startswith("End of file reached") for oddity in oddities):
        raise UnusableInput(broken)  # pydicom warns, and leaves out the element that was cut
    return dataset


def _view(dataset: Dataset, file: ViewFile) -> View:
    _refuse_other_images(dataset)
    header.check_side(dataset, file)
    header.check_position(dataset, file)
    spacing, spacing_source = header.spacing_mm(dataset, file)
    inverted, photometric = header.polarity(dataset)
    if inverted and file.noise_gain is not None:
        # v = gain · signal holds of what grows with the exposure; turned round, dense tissue would have the most noise.
        raise UnusableInput(
            "noise_gain must be stated of pixels that are not inverted, because noise grows with the stored value, got "
            f"{photometric}; leave it out, and the noise is measured"
        )
    layout = _layout(dataset)
    syntax = str(getattr(dataset.file_meta, "TransferSyntaxUID", ""))
    if not re.fullmatch(r"[0-9.]{1,64}", syntax):
        raise UnusableInput("Transfer Syntax UID (0002,0010) is missing or no UID; export the image again")
    element = dataset["PixelData"]
    swapped = syntax == BIG_ENDIAN and element.VR == "OW"
    stored = stored_values(element.value or b"", syntax, layout, swapped_bytes=swapped)
    notes = {"format": f"DICOM, {syntax}", "photometric": photometric, "pixel spacing": spacing_source}
    pixels, intensity_range, notes["intensity"] = fractions(dataset, file, stored, layout, inverted)
    if header.text(dataset, "LossyImageCompression") == "01":
        notes["compression"] = "lossy"
    if shows := header.may_show_a_person(dataset):
        notes[MAY_SHOW] = shows
    return View(
        pixels=pixels,
        pixel_spacing_mm=spacing,
        side=file.side,
        position=file.position,
        exam_id=file.exam_id,
        intensity_range=intensity_range,
        chest_wall=header.chest_wall(dataset),
        intent=_intent(dataset),
        voi=header.voi(dataset, inverted, layout.signed),
        noise_gain=file.noise_gain,
        region=region_on(file.roi_path, pixels),
        notes=notes,
    )


def _refuse_other_images(dataset: Dataset) -> None:
    modality = header.text(dataset, "Modality")
    if modality in OTHER_MODALITIES:
        raise UnusableInput(f"Modality (0008,0060) must be MG, got {modality}; name a mammogram")
    if header.text(dataset, "SOPClassUID") in TOMOSYNTHESIS_CLASSES:
        raise UnusableInput(
            "the image must be a two-dimensional mammogram, got tomosynthesis; name the 2-D view instead"
        )
    if "PixelData" not in dataset:
        other = "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset
        got = "got floating-point pixels" if other else "it is missing"
        raise UnusableInput(f"Pixel Data (7FE0,0010) must be there as integers, but {got}; export the image again")
    frames = header.number(dataset, "NumberOfFrames", default=1)
    if frames != 1:
        raise UnusableInput(f"Number of Frames (0028,0008) must be 1, got {frames:g}; name a single-frame image")
    samples = header.number(dataset, "SamplesPerPixel", default=1)
    if samples != 1:
        raise UnusableInput(
            f"Samples per Pixel (0028,0002) must be 1, got {samples:g} (colour); export the image as greyscale"
        )
    if dataset.get("ModalityLUTSequence"):
        raise UnusableInput(
            "Modality LUT Sequence (0028,3000) must be absent, got a table; export the image with Rescale Slope and "
            "Intercept"
        )


def _layout(dataset: Dataset) -> PixelLayout:
    bits_stored = int(header.number(dataset, "BitsStored"))
    representation = header.number(dataset, "PixelRepresentation")
    if representation not in (0, 1):
        raise UnusableInput(f"Pixel Representation (0028,0103) must be 0 or 1, got {representation:g}")
    return PixelLayout(
        rows=int(header.number(dataset, "Rows")),
        columns=int(header.number(dataset, "Columns")),
        bits_allocated=int(header.number(dataset, "BitsAllocated")),
        bits_stored=bits_stored,
        high_bit=int(header.number(dataset, "HighBit", default=bits_stored - 1)),
        signed=representation == 1,
    )


def _intent(dataset: Dataset) -> str:
    """FOR PRESENTATION or FOR PROCESSING: Presentation Intent Type, else the kind of object (PS3.3 C.8.11.1)."""
    said = header.text(dataset, "PresentationIntentType")
    if said in ("FOR PRESENTATION", "FOR PROCESSING"):
        return said
    kind = header.text(dataset, "SOPClassUID")
    if kind in FOR_PROCESSING_CLASSES:
        return "FOR PROCESSING"
    return "FOR PRESENTATION" if kind in FOR_PRESENTATION_CLASSES else ""
