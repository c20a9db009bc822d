"""What phantoms promise about files: genuine DICOM, bit for bit, written once, whoever asks and whatever was killed."""

from __future__ import annotations

import csv
import multiprocessing
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pydicom
import pytest
from PIL import Image

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.phantoms import cache_folder, cohort_files, phantom_cohort, read_recipe, render_exam
from mammo_fixtures.exams.phantoms.dicom_file import phantom_dataset

RECIPE = replace(
    read_recipe().fresh("files"), exams=3, rows=512, columns=448, depth_mm=(36.0, 40.0), half_height_mm=(20.0, 23.0)
)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phantom_cohort(RECIPE, tmp_path_factory.mktemp("phantoms"))


def rows_of(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def decoded(path: Path) -> np.ndarray:
    from rle.utils import decode_pixel_data

    data = pydicom.dcmread(path)
    frame = next(pydicom.encaps.generate_frames(data.PixelData, number_of_frames=1))
    planes = np.frombuffer(decode_pixel_data(frame, data, byteorder="<"), "<u2")
    return planes.reshape(data.Rows, data.Columns)


def test_manifest_has_a_row_for_each_view(manifest: Path) -> None:
    rows = rows_of(manifest)
    assert tuple(rows[0]) == cohort_files.COLUMNS
    assert len(rows) == 4 * RECIPE.exams
    for row in rows:
        assert (manifest.parent / row["path"]).is_file()
        assert (row["malignant"] == "1") == (row["subgroup"] in ("microcalcifications", "soft_tissue_lesions"))
        assert bool(row["roi_path"]) == (row["subgroup"] != "normal")
        assert row["density"] in "ABCD"


def test_files_hold_the_rendered_pixels_and_regions(manifest: Path) -> None:
    views = {(v.breast.exam_id, v.breast.side, v.position): v for n in range(3) for v in render_exam(RECIPE, n)}
    for row in rows_of(manifest):
        view = views[row["exam_id"], row["side"], row["view"]]
        np.testing.assert_array_equal(decoded(manifest.parent / row["path"]), view.stored)
        if row["roi_path"]:
            mask = np.asarray(Image.open(manifest.parent / row["roi_path"]))
            assert set(np.unique(mask)) <= {0, 255}
            np.testing.assert_array_equal(mask == 255, view.region)


def test_files_are_digital_mammography_for_presentation(manifest: Path) -> None:
    seen = set()
    for row in rows_of(manifest):
        data = pydicom.dcmread(manifest.parent / row["path"])
        assert data.file_meta.TransferSyntaxUID == pydicom.uid.RLELossless
        assert data.SOPClassUID == "1.2.840.10008.5.1.4.1.1.1.2"
        assert (data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation) == (16, 12, 11, 0)
        assert (data.PhotometricInterpretation, data.PresentationLUTShape) == ("MONOCHROME2", "IDENTITY")
        assert (data.PresentationIntentType, data.PixelIntensityRelationship) == ("FOR PRESENTATION", "LOG")
        assert (data.RescaleSlope, data.RescaleIntercept, data.RescaleType) == (1, 0, "US")
        assert list(data.ImagerPixelSpacing) == [0.1, 0.1]
        assert (data.ImageLaterality, data.ViewPosition) == (row["side"], row["view"])
        assert data.ViewCodeSequence[0].CodeValue == {"CC": "399162004", "MLO": "399368009"}[row["view"]]
        assert data.PatientOrientation[0] == {"L": "A", "R": "P"}[row["side"]]
        assert data.SOPInstanceUID.is_valid
        assert data.SOPInstanceUID.startswith("2.25.")
        assert data.PatientName == f"PHANTOM^{row['exam_id']}"
        seen.add(data.SOPInstanceUID)
    assert len(seen) == 4 * RECIPE.exams


def test_uncompressed_data_set_reads_back_too(tmp_path: Path) -> None:
    view = render_exam(RECIPE, 0)[0]
    phantom_dataset(RECIPE, view).save_as(tmp_path / "view.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "view.dcm").pixel_array, view.stored)


def test_same_recipe_same_bytes(manifest: Path, tmp_path: Path) -> None:
    again = phantom_cohort(RECIPE, tmp_path)
    for row in rows_of(manifest):
        assert (again.parent / row["path"]).read_bytes() == (manifest.parent / row["path"]).read_bytes()
    assert again.read_bytes() == manifest.read_bytes()


def test_second_call_writes_nothing(manifest: Path) -> None:
    with mock.patch.object(cohort_files, "write_exam", side_effect=AssertionError):
        assert phantom_cohort(RECIPE, manifest.parent.parent) == manifest


def test_killed_run_is_taken_up_where_it_stopped(tmp_path: Path) -> None:
    """What is finished is kept, what is half written is written again, and only then there is a manifest."""
    calls: list[int] = []

    def until_killed(recipe: object, home: Path, number: int) -> None:
        if number == 2:
            (home / "0003.part").mkdir()
            (home / "0003.part" / "L_CC.dcm").write_bytes(b"half")
            raise KeyboardInterrupt
        original(RECIPE, home, number)

    original = cohort_files.write_exam
    with mock.patch.object(cohort_files, "write_exam", until_killed), pytest.raises(KeyboardInterrupt):
        phantom_cohort(RECIPE, tmp_path)
    home = tmp_path / f"phantoms-{RECIPE.digest}"
    assert not (home / "manifest.csv").exists()

    def counted(recipe: object, home: Path, number: int) -> None:
        calls.append(number)
        original(RECIPE, home, number)

    progress: list[tuple[int, int]] = []
    with mock.patch.object(cohort_files, "write_exam", counted):
        manifest = phantom_cohort(RECIPE, tmp_path, progress=lambda done, wanted: progress.append((done, wanted)))
    assert calls == [2]
    assert progress == [(3, 3)]
    assert not list(home.glob("*.part"))
    assert all((home / row["path"]).is_file() for row in rows_of(manifest))


def test_kill_leaves_no_process_and_no_manifest(tmp_path: Path) -> None:
    """The parent is killed without a chance to tidy up: its workers end, what was finished is used again."""
    script = tmp_path / "write.py"
    script.write_text(
        "import dataclasses, pathlib\n"
        "from mammo_fixtures.exams.phantoms import cohort_files, phantom_cohort, read_recipe\n"
        "if __name__ == '__main__':\n"
        "    cohort_files._FEW_EXAMS = 0\n"
        "    recipe = dataclasses.replace(read_recipe().fresh('killed', exams=40), rows=512, columns=448,\n"
        "                                 depth_mm=(36.0, 40.0), half_height_mm=(20.0, 23.0))\n"
        f"    folder = pathlib.Path({str(tmp_path)!r})\n"
        "    phantom_cohort(recipe, folder, workers=2, progress=lambda *_: print(flush=True))\n"
    )
    root = str(Path(__file__).resolve().parents[4])
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": root},
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.kill()
        # the workers hold the other end of the pipe: it closes when the last of them has ended
        writer.stdout.read()
    (home,) = tmp_path.glob("phantoms-*")
    finished = [folder for folder in home.iterdir() if folder.is_dir() and folder.suffix != ".part"]
    assert 1 <= len(finished) < 40
    assert not list(home.glob("manifest*"))
    assert all(len(list(folder.glob("*.dcm"))) == 4 for folder in finished)


def test_two_processes_at_once_write_one_cohort(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        first, second = pool.starmap(phantom_cohort, [(RECIPE, tmp_path, 2)] * 2)
    assert first == second
    assert len(rows_of(first)) == 8
    assert not list(first.parent.glob("*.part"))


def test_workers_write_the_same_files(manifest: Path, tmp_path: Path) -> None:
    with mock.patch.object(cohort_files, "_FEW_EXAMS", 0):
        other = phantom_cohort(RECIPE, tmp_path, workers=2)
    for row in rows_of(manifest):
        assert (other.parent / row["path"]).read_bytes() == (manifest.parent / row["path"]).read_bytes()


def test_first_exams_alone(tmp_path: Path) -> None:
    manifest = phantom_cohort(RECIPE, tmp_path, exams=1)
    assert manifest.name == "manifest-1.csv"
    assert {row["exam_id"] for row in rows_of(manifest)} == {"0001"}
    with pytest.raises(UnusableInput, match=r"phantom cohort: exams must be 1 to 3, as in the recipe, got 4"):
        phantom_cohort(RECIPE, tmp_path, exams=4)


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(
        UnusableInput, match=r"the folder for phantoms must be writable, got: .*; set MAMMO_CACHE to one"
    ):
        phantom_cohort(RECIPE, tmp_path / "taken")


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAMMO_CACHE", "a")
    assert cache_folder() == Path("a")
    monkeypatch.delenv("MAMMO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "b")
    assert cache_folder() == Path("b/mammo-robustness")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache/mammo-robustness"


def test_the_command_prints_the_manifest_of_another_seed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mammo_fixtures.exams.phantoms", str(tmp_path), "--seed=of my own", "--exams=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    manifest = Path(done.stdout.strip())
    assert manifest.parent.name == f"phantoms-{read_recipe().fresh('of my own', 1).digest}"
    assert len(rows_of(manifest)) == 4


def test_the_command_says_in_one_line_what_it_cannot_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mammo_fixtures.exams.phantoms", str(tmp_path), "--seed=x", "--exams=0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "python -m mammo_fixtures.exams.phantoms: phantom recipe: exams must be positive, got 0\n"
