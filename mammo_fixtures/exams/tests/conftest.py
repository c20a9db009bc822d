"""What the self-tests of the exams share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from mammo_fixtures.exams.tests.dicom_writer import EXPLICIT, data_set, write
from mammo_fixtures.exams.view import View
from mammo_fixtures.exams.view_file import ViewFile


def _view_file(path: Path, **stated: Any) -> ViewFile:
    says: dict[str, Any] = {"exam_id": "17", "side": "L", "position": "CC", "origin": "site.csv, row 41", **stated}
    return ViewFile(path=path, **says)


@pytest.fixture
def read() -> Callable[..., View]:
    """Reads a file as exam 17's L-CC of `site.csv, row 41`, or as keywords say otherwise."""

    def read(path: Path, **stated: Any) -> View:
        return _view_file(path, **stated).read()

    return read


@pytest.fixture
def mammograms() -> Path:
    """The folder of real mammograms that MAMMO_SHARED names; without it the test is skipped."""
    folder = Path(os.environ.get("MAMMO_SHARED", "")) / "mammograms"
    if not (folder / "manifest.csv").is_file():
        pytest.skip("MAMMO_SHARED does not name a folder with mammograms/manifest.csv")
    return folder


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes values as a DICOM mammogram, attributes changed by keyword."""

    def written(values: NDArray[Any], *, bits: int, syntax: str = EXPLICIT, **attributes: Any) -> Path:
        return write(data_set(values, bits=bits, **attributes), tmp_path / "view.dcm", syntax)

    return written
