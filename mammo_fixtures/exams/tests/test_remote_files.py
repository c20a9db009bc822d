"""Manifests and images in file systems that fsspec knows read as local ones do, or end in one line."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Cohort, read_cohort
from mammo_fixtures.exams.remote_file import RemoteFile, file_at, is_url
from mammo_fixtures.exams.tests.dicom_writer import EXPLICIT, data_set, phantom, write

MANIFEST = """exam_id,side,view,path,pixel_spacing_mm,roi_path,malignant
7,L,CC,images/1.dcm,,rois/mask.png,1
7,R,CC,images/2.png,0.07,rois/outline.json,0
"""


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    """An empty file system in memory."""
    system = MemoryFileSystem(skip_instance_cache=True)
    system.store.clear()
    yield system
    system.store.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A manifest beside two images and their regions."""
    stored = phantom(12)
    for name in ("images", "rois"):
        (tmp_path / name).mkdir()
    write(data_set(stored, bits=12, ImageLaterality="L"), tmp_path / "images" / "1.dcm", EXPLICIT)
    Image.fromarray((stored * 16).astype(np.uint16)).save(tmp_path / "images" / "2.png")
    Image.fromarray((stored > np.quantile(stored, 0.9)).astype(np.uint8) * 255).save(tmp_path / "rois" / "mask.png")
    (tmp_path / "rois" / "outline.json").write_text("[[[1, 1], [1, 9], [9, 9]]]")
    (tmp_path / "site.csv").write_text(MANIFEST)
    return tmp_path


def upload(folder: Path, memory: MemoryFileSystem) -> None:
    for path in folder.rglob("*.*"):
        memory.pipe_file(f"/site/{path.relative_to(folder).as_posix()}", path.read_bytes())


def assert_same(one: Cohort, other: Cohort) -> None:
    assert [exam.exam_id for exam in one] == [exam.exam_id for exam in other]
    pairs = [
        (a.read(), b.read())
        for first, second in zip(one, other, strict=True)
        for a, b in zip(first.views, second.views, strict=True)
    ]
    assert pairs
    for a, b in pairs:
        assert np.array_equal(a.pixels, b.pixels)
        assert a.region is not None
        assert a.region.any()
        assert b.region is not None
        assert np.array_equal(a.region, b.region)
        assert (a.pixel_spacing_mm, a.notes) == (b.pixel_spacing_mm, b.notes)


def test_a_cohort_in_memory_is_the_one_on_disk(folder: Path, memory: MemoryFileSystem) -> None:
    upload(folder, memory)
    cohort = read_cohort("memory://site/site.csv")
    assert (cohort.name, cohort.source) == ("site", "memory://site/site.csv")
    assert_same(read_cohort(folder / "site.csv"), cohort)


def test_compressed_manifests_anywhere(folder: Path, memory: MemoryFileSystem) -> None:
    (folder / "packed.csv.gz").write_bytes(gzip.compress(MANIFEST.encode()))
    upload(folder, memory)
    assert_same(read_cohort(folder / "site.csv"), read_cohort("memory://site/packed.csv.gz"))
    with zipfile.ZipFile(folder / "cohort.zip", "w") as archive:
        for path in [*folder.glob("*/*.*"), folder / "site.csv"]:
            archive.write(path, Path("data", path.relative_to(folder)))
    chained = read_cohort(f"zip://data/site.csv::{folder / 'cohort.zip'}")
    assert_same(read_cohort(folder / "site.csv"), chained)


def test_a_parquet_manifest_anywhere(folder: Path, memory: MemoryFileSystem) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    from pyarrow import parquet

    header, *rows = (line.split(",") for line in MANIFEST.splitlines())
    table = pyarrow.table({name: [row[n] for row in rows] for n, name in enumerate(header)})
    written = io.BytesIO()
    parquet.write_table(table, written)
    upload(folder, memory)
    memory.pipe_file("/site/site.parquet", written.getvalue())
    assert_same(read_cohort(folder / "site.csv"), read_cohort("memory://site/site.parquet"))


def test_each_path_may_name_its_own_file_system(folder: Path, memory: MemoryFileSystem) -> None:
    upload(folder, memory)
    text = MANIFEST.replace("images/1.dcm", "memory://site/images/1.dcm")
    text = text.replace("images/2.png", f"file://{folder}/images/2.png")
    (folder / "mixed.csv").write_text(text)
    with pytest.raises(UnusableInput, match=r"row 2: a path must stay in the folder of mixed.csv, got 'memory://site/"):
        read_cohort(f"file://{folder}/mixed.csv")
    cohort = read_cohort(f"file://{folder}/mixed.csv", allow_outside=["memory://site"])
    assert_same(read_cohort(folder / "site.csv"), cohort)
    paths: list[Any] = [view.path for view in cohort.exams[0].views]  # type: ignore[attr-defined]
    assert paths[0] == RemoteFile("memory://site/images/1.dcm")
    assert paths[0].mark
    assert paths[1] == folder / "images" / "2.png", "a local file is read as one"
    memory.pipe_file("/site/local.csv", MANIFEST.replace("images/2.png", f"{folder}/images/2.png").encode())
    local = read_cohort("memory://site/local.csv", allow_outside=[str(folder)])
    assert local.exams[0].views[1].path == folder / "images" / "2.png"  # type: ignore[attr-defined]


def test_a_remote_view_travels_to_another_process(folder: Path, memory: MemoryFileSystem) -> None:
    upload(folder, memory)
    exam = read_cohort("memory://site/site.csv").exams[0]
    assert pickle.loads(pickle.dumps(exam)) == exam


@pytest.mark.parametrize(("url", "path", "expected"), [
    ("s3://bucket/a/site.csv", "x/1.dcm", "s3://bucket/a/x/1.dcm"),
    ("s3://bucket/a/site.csv", "../b/1.dcm", "s3://bucket/b/1.dcm"),
    ("s3://bucket/site.csv", "1.dcm", "s3://bucket/1.dcm"),
    ("s3://bucket/site.csv", "gs://other/1.dcm", "gs://other/1.dcm"),
    ("zip://data/site.csv::s3://bucket/c.zip", "1.dcm", "zip://data/1.dcm::s3://bucket/c.zip"),
    ("simplecache::s3://bucket/a/site.csv", "1.dcm", "simplecache::s3://bucket/a/1.dcm"),
    ("memory://site.csv", "1.dcm", "memory://1.dcm"),
])  # fmt: skip
def test_paths_are_relative_to_the_manifest(url: str, path: str, expected: str) -> None:
    assert file_at(path, beside=file_at(url)) == RemoteFile(expected)


@pytest.mark.parametrize("text", ["site.csv", "/data/site.csv", "C:\\data\\site.csv", "a::b.csv", "../s3:/x.csv"])
def test_what_is_no_url_is_a_path(text: str) -> None:
    assert not is_url(text)
    assert file_at(text) == Path(text)


Change = Callable[[MemoryFileSystem], None]


@pytest.mark.parametrize(("url", "message"), [
    ("memory://gone/site.csv", "site.csv: the manifest must exist, got 'memory://gone/site.csv'; check the path"),
    ("nowhere://me:secret@host/site.csv",
     "site.csv: the file must be within reach, got 'nowhere://me:…@host/site.csv': ValueError: Protocol not known: "
     "nowhere; check its address, your rights to it, and that fsspec's package for such addresses is installed"),
    ("memory://site/sheet.xlsx",
     "sheet.xlsx: a manifest must end in .csv, .csv.gz or .parquet, or be 'phantoms', got 'memory://site/sheet.xlsx'"),
])  # fmt: skip
def test_a_manifest_out_of_reach_is_one_line(url: str, message: str, memory: MemoryFileSystem) -> None:
    with pytest.raises(UnusableInput) as refused:
        read_cohort(url)
    assert str(refused.value) == message


def test_images_out_of_reach_are_one_line(folder: Path, memory: MemoryFileSystem) -> None:
    upload(folder, memory)
    memory.rm_file("/site/images/1.dcm")
    memory.rm_file("/site/rois/outline.json")
    line = (
        r"^site.csv, row 2: the file that path names must exist, but does not \(and 1 more\); "
        r"paths are relative to site.csv$"
    )
    with pytest.raises(UnusableInput, match=line):
        read_cohort("memory://site/site.csv")
    (folder / "site.csv").write_text(MANIFEST.replace("images/2.png", "nowhere://x/2.png"))
    with pytest.raises(
        UnusableInput, match=r"^site.csv, row 3: the file must be within reach, got 'nowhere://x/2.png'"
    ):
        read_cohort(folder / "site.csv", allow_outside=["nowhere://x"])


def test_an_image_that_is_gone_when_read_is_one_line(folder: Path, memory: MemoryFileSystem) -> None:
    upload(folder, memory)
    view = read_cohort("memory://site/site.csv").exams[0].views[0]
    memory.rm_file("/site/images/1.dcm")
    line = r"^exam 7, L-CC: the image must be a readable file, got .*\(site.csv, row 2\)$"
    with pytest.raises(UnusableInput, match=line):
        view.read()


def test_a_signed_query_is_not_shown() -> None:
    file = RemoteFile("https://host/a/1.dcm?signature=secret")
    assert str(file) == "https://host/a/1.dcm?…"
    assert (file.name, file.suffix) == ("1.dcm", ".dcm")
