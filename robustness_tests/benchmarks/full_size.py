"""Exams of full size, as DICOM files that are cheap to make: 2944 × 1920, 12 bits, uncompressed."""

from pathlib import Path

import numpy as np
import pydicom

from mammo_fixtures.exams import Breast, Cohort, Exam, ViewFile
from mammo_fixtures.given import given

SHAPE = (2944, 1920)
POSITIONS = ("CC", "MLO")
TEXTURES = 8


def full_size_pixels(seed=0):
    """A half disc of textured tissue at the left edge, background exactly zero."""
    row, column = (axis / length for axis, length in zip(np.ogrid[: SHAPE[0], : SHAPE[1]], SHAPE, strict=True))
    depth = 1 - (row - 0.5) ** 2 / 0.2 - column**2 / 0.6
    texture = np.random.default_rng(seed).normal(0, 60, SHAPE) + 300 * np.sin(40 * row + 7 * column)
    return np.where(depth > 0, np.clip(2000 + 900 * depth + texture, 1, 4095), 0).astype(np.uint16)


def full_size_cohort(folder, exams):
    """Exams of four views; the left breast of each is called malignant. They take turns with the files of eight."""
    for texture in range(min(exams, TEXTURES)):
        pixels = full_size_pixels(texture)
        for side in "LR":
            for position in POSITIONS:
                data = pydicom.dcmread(given("dicom/explicit.dcm"))
                data.Rows, data.Columns = pixels.shape
                data.PixelData = (pixels if side == "L" else pixels[:, ::-1]).astype("<u2").tobytes()
                data.ImageLaterality, data.ViewPosition = side, position
                data.save_as(_file(folder, texture, side, position), enforce_file_format=True)

    def breast(number, side):
        views = tuple(
            ViewFile(
                exam_id=str(number), side=side, position=position,
                path=_file(folder, number % TEXTURES, side, position),
            )
            for position in POSITIONS
        )  # fmt: skip
        return Breast(exam_id=str(number), side=side, views=views, malignant=side == "L", subgroup="masses")

    return Cohort(
        name="full size",
        exams=tuple(
            Exam(exam_id=str(number), breasts=tuple(breast(number, side) for side in "LR")) for number in range(exams)
        ),
    )


def _file(folder, texture, side, position):
    return Path(folder) / f"{texture}_{side}_{position}.dcm"
