"""Writes DICOM mammograms for the self-tests, and the golden files of `fixtures/dicom`.

    python -m mammo_fixtures.exams.tests.dicom_writer

rewrites the golden files. Their HTJ2K needs an encoder, `pip install imagecodecs`; the tests only decode.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, FileMetaDataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID

FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.2"
FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
SYNTAXES = {
    "implicit": IMPLICIT,
    "explicit": EXPLICIT,
    "deflated": DEFLATED,
    "big_endian": BIG_ENDIAN,
    "rle": "1.2.840.10008.1.2.5",
    "jpeg_lossless": "1.2.840.10008.1.2.4.57",
    "jpeg_lossless_sv1": "1.2.840.10008.1.2.4.70",
    "jpeg_ls": "1.2.840.10008.1.2.4.80",
    "jpeg_2000": "1.2.840.10008.1.2.4.90",
    "htj2k": "1.2.840.10008.1.2.4.201",
    "htj2k_rpcl": "1.2.840.10008.1.2.4.202",
    "htj2k_any": "1.2.840.10008.1.2.4.203",
}
HTJ2K = tuple(name for name in SYNTAXES if name.startswith("htj2k"))
WRITABLE = tuple(name for name in SYNTAXES if name not in HTJ2K)
"""Syntaxes that the suite's own dependencies can write, not only read."""


def phantom(bits: int, shape: tuple[int, int] = (64, 48)) -> NDArray[Any]:
    """A breast with its chest wall on the left, from 0 to the largest value of so many bits, which both occur."""
    rows, columns = shape
    row, column = np.mgrid[:rows, :columns]
    inside = ((row - rows / 2) / (0.4 * rows)) ** 2 + (column / (0.8 * columns)) ** 2 < 1
    texture = np.random.Generator(np.random.PCG64(bits)).uniform(0.3, 0.9, shape)
    pixels = np.where(inside, np.rint(texture * (2**bits - 1)), 0)
    pixels[rows // 2, columns // 4] = 2**bits - 1
    return pixels.astype(np.uint8 if bits <= 8 else np.uint16)


def data_set(values: NDArray[Any], *, bits: int, signed: bool = False, inverse: str = "", **attributes: Any) -> Dataset:
    """A For Presentation mammogram, L-CC, whose values after Rescale and inversion are `values`.

    `inverse` names how the inversion is declared: `MONOCHROME1`, `INVERSE`, or both with a space. A signed one carries
    the Rescale Intercept that takes its values to 0 and above. An attribute given as None is left out.
    """
    stored = values.astype(np.int64)
    if inverse:
        stored = 2**bits - 1 - stored
    if signed:
        stored -= 2 ** (bits - 1)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID = FOR_PRESENTATION
    dataset.SOPInstanceUID = "2.25.1"
    dataset.Modality = "MG"
    dataset.PatientName = "SECRET^NAME"
    dataset.PatientID = "SECRET-ID"
    dataset.PatientBirthDate = "19610101"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImageLaterality, dataset.ViewPosition = "L", "CC"
    dataset.PatientOrientation = ["A", "R"]
    dataset.ImagerPixelSpacing = [0.07, 0.07]
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if "MONOCHROME1" in inverse else "MONOCHROME2"
    dataset.PresentationLUTShape = "INVERSE" if "INVERSE" in inverse.split() else "IDENTITY"
    if inverse == "MONOCHROME1":
        del dataset.PresentationLUTShape
    dataset.BitsAllocated = 8 if bits <= 8 else 16
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(signed)
    dataset.RescaleSlope, dataset.RescaleIntercept = "1", str(2 ** (bits - 1)) if signed else "0"
    letter = "i" if signed else "u"
    dataset.PixelData = stored.astype(f"<{letter}{dataset.BitsAllocated // 8}").tobytes()
    for keyword, value in attributes.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OB" if dataset.BitsAllocated == 8 else "OW"
    return dataset


def write(dataset: Dataset, path: Path, syntax: str = EXPLICIT) -> Path:
    """Write a data set of explicit little-endian pixels in a transfer syntax, compressing where that asks for it."""
    if syntax in (IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN):
        if syntax == BIG_ENDIAN and dataset.BitsAllocated == 16:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        dataset.save_as(path, enforce_file_format=True)
    elif syntax in (SYNTAXES["rle"], SYNTAXES["jpeg_ls"]):
        dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
        plugin = "pyjpegls" if syntax == SYNTAXES["jpeg_ls"] else "pydicom"
        dataset.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)
        dataset.save_as(path, enforce_file_format=True)
    elif syntax in [SYNTAXES[name] for name in HTJ2K]:
        _write_htj2k(dataset, path, syntax)
    else:
        _write_compressed(dataset, path, syntax, _pixel_data_by_gdcm(dataset, syntax))
    return path


def _write_compressed(dataset: Dataset, path: Path, syntax: str, pixel_data: bytes) -> None:
    dataset.PixelData = pixel_data
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.save_as(path, enforce_file_format=True)


def _pixel_data_by_gdcm(dataset: Dataset, syntax: str) -> bytes:
    """Only the pixels are taken from gdcm's file, which has fresh UIDs each time."""
    import gdcm

    with tempfile.TemporaryDirectory() as folder:
        plain = write(dataset, Path(folder) / "plain.dcm")
        reader = gdcm.ImageReader()
        reader.SetFileName(str(plain))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(Path(folder) / "compressed.dcm"))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return bytes(dcmread(Path(folder) / "compressed.dcm").PixelData)


def _write_htj2k(dataset: Dataset, path: Path, syntax: str) -> None:
    import imagecodecs  # type: ignore[import-not-found, unused-ignore]

    kind = "ui"[dataset.PixelRepresentation] + str(dataset.BitsAllocated // 8)
    pixels = np.frombuffer(dataset.PixelData, kind).reshape(dataset.Rows, dataset.Columns)
    frame = bytes(imagecodecs.htj2k_encode(pixels, reversible=True))
    _write_compressed(dataset, path, syntax, encapsulate([frame]))


def write_golden(folder: Path) -> None:
    """One good file a transfer syntax and polarity with the PNG they equal, and broken files, each by one fault."""
    from PIL import Image

    (folder / "broken").mkdir(parents=True, exist_ok=True)
    values = phantom(12)
    Image.fromarray(values).save(folder / "phantom.png")
    rows = [{"exam_id": "png", "path": "phantom.png", "pixel_spacing_mm": "0.07", "intensity_high": "4095"}]
    for name, syntax in SYNTAXES.items():
        for inverse in ("", "MONOCHROME1 INVERSE"):
            exam_id = f"{name}_inverse" if inverse else name
            write(data_set(values, bits=12, inverse=inverse), folder / f"{exam_id}.dcm", syntax)
            rows.append({"exam_id": exam_id, "path": f"{exam_id}.dcm"})
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        columns = ["exam_id", "side", "view", "path", "pixel_spacing_mm", "intensity_high"]
        table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows({"side": "L", "view": "CC", **row} for row in rows)
    _write_broken(values, folder / "broken")


def _write_broken(values: NDArray[Any], folder: Path) -> None:
    whole = (write(data_set(values, bits=12), folder / "truncated.dcm")).read_bytes()
    (folder / "truncated.dcm").write_bytes(whole[: len(whole) // 2])
    lossless = write(data_set(values, bits=12), folder / "truncated_jpeg_2000.dcm", SYNTAXES["jpeg_2000"])
    lossless.write_bytes(lossless.read_bytes()[:-400])
    unknown = write(data_set(values, bits=12), folder / "unknown_transfer_syntax.dcm")
    known, unknown_uid = EXPLICIT.encode() + b"\0", b"1.2.840.10008.1.2.9\0"
    unknown.write_bytes(unknown.read_bytes().replace(known, unknown_uid, 1))
    write(data_set(values, bits=12, ImagerPixelSpacing=None), folder / "missing_spacing.dcm")
    write(data_set(values, bits=12, PixelData=b""), folder / "no_pixels.dcm")
    write(data_set(values, bits=12, ImageLaterality="R"), folder / "other_side.dcm")
    write(data_set(values, bits=12, ViewPosition="MLO"), folder / "other_position.dcm")
    tomosynthesis = "1.2.840.10008.5.1.4.1.1.13.1.3"
    write(data_set(values, bits=12, SOPClassUID=tomosynthesis), folder / "tomosynthesis.dcm")
    frames = np.repeat(values.astype("<u2"), 2, axis=0).tobytes()
    write(data_set(values, bits=12, NumberOfFrames=2, PixelData=frames), folder / "two_frames.dcm")
    colour = data_set(phantom(8), bits=8, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
    colour.PixelData = np.repeat(phantom(8), 3).tobytes()
    write(colour, folder / "colour.dcm")


if __name__ == "__main__":
    write_golden(Path(__file__).parents[3] / "fixtures" / "dicom")
