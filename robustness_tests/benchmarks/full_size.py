"""Exams of full size, as DICOM files that are cheap to make: 2944 × 1920, 12 bits, uncompressed."""

from pathlib import Path

import numpy as np
import pydicom

from mammo_fixtures.exams import Breast, Cohort, Exam, ViewFile
from mammo_fixtures.given import given

SHAPE = (2944, 1920)


def full_size_pixels(seed=0):
    """A half disc of textured tissue at the left edge, background exactly zero."""
    row, column = (axis / length for axis, length in zip(np.ogrid[: SHAPE[0], : SHAPE[1]], SHAPE, strict=True))
    depth = 1 - (row - 0.5) ** 2 / 0.2 - column**2 / 0.6
    texture = np.random.default_rng(seed).normal(0, 60, SHAPE) + 300 * np.sin(40 * row + 7 * column)
    return np.where(depth > 0, np.clip(2000 + 900 * depth + texture, 1, 4095), 0).astype(np.uint16)


def full_size_cohort(folder, exams):
    """Exams of four views; the left breast of each is called malignant."""

    def view(exam_id, side, position):
        path = Path(folder) / f"{exam_id}_{side}_{position}.dcm"
        data = pydicom.dcmread(given("dicom/explicit.dcm"))
        pixels = full_size_pixels(int(exam_id))
        data.Rows, data.Columns = pixels.shape
        data.PixelData = (pixels if side == "L" else pixels[:, ::-1]).astype("<u2").tobytes()
        data.ImageLaterality, data.ViewPosition = side, position
        data.save_as(path, enforce_file_format=True)
        return ViewFile(exam_id=exam_id, side=side, position=position, path=path)

    def breast(exam_id, side):
        views = tuple(view(exam_id, side, position) for position in ("CC", "MLO"))
        return Breast(exam_id=exam_id, side=side, views=views, malignant=side == "L", subgroup="masses")

    return Cohort(
        name="full size",
        exams=tuple(
            Exam(exam_id=str(number), breasts=tuple(breast(str(number), side) for side in "LR"))
            for number in range(exams)
        ),
    )
