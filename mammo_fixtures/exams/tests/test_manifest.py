"""Manifests become cohorts, or one line that names the file, the row and the remedy."""

from __future__ import annotations

import gzip
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Cohort, View, ViewFile, read_cohort
from mammo_fixtures.exams.pseudonyms import Pseudonyms
from mammo_fixtures.exams.tests.dicom_writer import data_set, phantom, write

# Columns in an order of no meaning, one of them unknown to the suite.
FULL = """vendor,exam_id,side,view,path,malignant,subgroup,\
patient_id,pixel_spacing_mm,intensity_low,intensity_high,noise_gain,roi_path,density
x,b,R,CC,1.dcm,1,masses,p1,0.07,0,4095,1.5,roi.png,C
y,a,L,MLO,2.dcm,0,,p2,0.07 0.08,,,,,A
x,b,L,CC,3.png,0,,p1,,,,,,C
x,b,R,MLO,4,1,masses,p1,,,,,,C
y,a,L,CC,1.2.840.5,0,,p2,,,,,,A
"""
Manifest = Callable[..., Path]


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Writes a manifest, and an empty file for each image that it may name."""
    for name in ("1.dcm", "2.dcm", "3.png", "4", "1.2.840.5", "roi.png", "sheet.xlsx"):
        (tmp_path / name).touch()

    def manifest(content: str | bytes, name: str = "site.csv") -> Path:
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return tmp_path / name

    return manifest


def check_full(cohort: Cohort, folder: Path, file: str) -> None:
    assert cohort.name == "site"
    assert cohort.source == str(folder / file)
    assert [exam.exam_id for exam in cohort] == ["b", "a"], "as first seen"
    right, left = cohort.exams[0].breasts
    assert (right.side, right.malignant, right.subgroup, right.patient_id) == ("R", True, "masses", "p1")
    assert (left.side, left.malignant, left.subgroup) == ("L", False, "")
    assert right.strata == {"density": "C", "vendor": "x"}
    assert [view.position for view in right.views] == ["CC", "MLO"]
    assert right.views[0] == ViewFile(
        exam_id="b", side="R", position="CC", path=folder / "1.dcm", origin=f"{file}, row 2",
        pixel_spacing_mm=(0.07, 0.07),
        intensity_low=0.0, intensity_high=4095.0, noise_gain=1.5, roi_path=folder / "roi.png",
    )  # fmt: skip
    second = cohort.exams[1].breasts[0].views[0]
    assert isinstance(second, ViewFile)
    assert second.pixel_spacing_mm == (0.07, 0.08)
    assert second.intensity_high is None
    assert second.noise_gain is None


@pytest.mark.parametrize("name", ["site.csv", "site.csv.gz"])
@pytest.mark.parametrize("disguise", [
    lambda text: text, lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace(",", " , "), lambda text: text.replace("b,R", '"b","R"').rstrip("\n"),
    lambda text: text + "\n,,,,,,,,,,,,\n",
])  # fmt: skip
def test_every_column_and_any_dialect(disguise: Callable[[str], str], name: str, manifest: Manifest) -> None:
    path = manifest(disguise(FULL), name)
    cohort = read_cohort(path)
    check_full(cohort, path.parent, name)
    assert read_cohort(str(path)).exams == cohort.exams


def test_parquet(manifest: Manifest) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    from pyarrow import parquet

    header, *lines = (line.split(",") for line in FULL.splitlines())
    columns: dict[str, list[object]] = {
        name: list(values) for name, values in zip(header, zip(*lines, strict=True), strict=True)
    }
    columns["malignant"] = [int(str(label)) for label in columns["malignant"]]
    columns["intensity_high"] = [float(str(high)) if high else None for high in columns["intensity_high"]]
    columns["subgroup"] = [subgroup or None for subgroup in columns["subgroup"]]
    path = manifest(b"", "site.parquet")
    parquet.write_table(pyarrow.table(columns), path)
    check_full(read_cohort(path), path.parent, "site.parquet")
    with pytest.raises(
        UnusableInput, match=r"^site.parquet: not a readable Parquet file \(ArrowInvalid\); write it again$"
    ):
        read_cohort(manifest(b"PAR1 no more", "site.parquet"))


def test_parquet_without_pyarrow_names_the_extra(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnusableInput) as refusal:
        read_cohort(manifest(b"", "site.parquet"))
    assert str(refusal.value) == (
        "site.parquet: a .parquet manifest needs pyarrow; pip install 'mammo-robustness[parquet]', or use .csv"
    )


def test_phantoms_are_a_manifest_too(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    path = manifest(FULL, "manifest.csv")
    monkeypatch.setattr("mammo_fixtures.exams.phantoms.phantom_cohort", lambda: path)
    cohort = read_cohort("phantoms")
    assert (cohort.name, cohort.source, len(cohort)) == ("phantoms", str(path), 2)


def test_ids_that_are_small_numbers_hide_no_label_and_no_density(manifest: Manifest) -> None:
    rows = "exam_id,side,view,path,malignant,density,accession\n1,R,CC,1.dcm,1,2,1234\n1234,L,CC,2.dcm,0,1,1234\n"
    names = Pseudonyms(b"a secret of the site")
    first, second = read_cohort(manifest(rows), pseudonyms=names).breasts
    assert (first.exam_id, second.exam_id) == (names.exam("1"), names.exam("1234"))
    assert (first.malignant, second.malignant) == (True, False)
    assert first.strata == {"density": "2", "accession": names.exam("1234")}
    assert second.strata == {"density": "1", "accession": names.exam("1234")}


def test_labels_and_subgroups_may_be_unknown(manifest: Manifest) -> None:
    cohort = read_cohort(manifest("exam_id,side,view,path\n1,L,CC,1.dcm\n"))
    (breast,) = cohort.breasts
    assert breast.malignant is None
    assert breast.subgroup == ""
    assert breast.patient_id == ""
    assert breast.strata == {}


HEAD = "exam_id,side,view,path,malignant,subgroup,patient_id,density\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "site.csv: a manifest needs at least one row below its header, got none"),
        (HEAD, "site.csv: a manifest needs at least one row below its header, got none"),
        ("exam_id,side,path\n1,L,1.dcm\n", "site.csv: a manifest needs the columns exam_id, side, view, path, view "
         "missing; "
         "got exam_id, side, path"),
        ("exam_id,side,view,path,side\n1,L,CC,1.dcm,L\n", "site.csv, row 1: each column may appear once, got side "
         "twice"),
        (HEAD + "1,L,CC,1.dcm,0,,p\n", "site.csv, row 2: a row must have as many values as the header, got 7 of 8"),
        (HEAD + "1,left,CC,1.dcm,0,,p,A\n", "site.csv, row 2: side must be L or R, got 'left'"),
        (HEAD + "1,L,CC,1.dcm,yes,,p,A\n", "site.csv, row 2: malignant must be 1, 0 or empty, got 'yes'"),
        (HEAD + "1,L,CC,1.dcm,0,,p,A\n,L,CC,1.dcm,0,,p,A\n", "site.csv, row 3: exam_id must not be empty; fill it in"),
        (HEAD + "1,L,,1.dcm,0,,p,A\n", "site.csv, row 2: view must not be empty; fill it in"),
        (HEAD + "1,L,CC,1.dcm,0,,p,A\n\n1,L,MLO,2.dcm,1,,p,A\n", "site.csv, row 4: rows of one breast must agree in "
         "malignant, "
         "got '1' here and '0' in row 2 of exam 1, L; correct one of them"),
        (HEAD + "1,L,CC,1.dcm,0,x,p,A\n1,L,MLO,2.dcm,0,y,p,A\n", "site.csv, row 3: rows of one breast must agree in "
         "subgroup, "
         "got 'y' here and 'x' in row 2 of exam 1, L; correct one of them"),
        (HEAD + "1,L,CC,1.dcm,0,x,p,A\n1,L,MLO,2.dcm,0,x,p,B\n", "site.csv, row 3: rows of one breast must agree in "
         "density, "
         "got 'B' here and 'A' in row 2 of exam 1, L; correct one of them"),
        (HEAD + "1,L,CC,1.dcm,0,x,p,A\n1,R,CC,2.dcm,0,x,q,A\n", "site.csv, row 3: an exam has one patient, but "
         "patient_id differs "
         "from row 2 of exam 1; correct one of them"),
        (HEAD + "1,L,CC,1.dcm,0,x,p,A\n1,L,CC,2.dcm,0,x,p,A\n", "site.csv, row 3: one row a view, but exam 1, L-CC "
         "already stands "
         "in row 2; remove one, or name a repeated exposure apart, such as CC.2"),
        (HEAD + "1,L,CC,sheet.xlsx,0,x,p,A\n", "site.csv, row 2: an image must be DICOM (.dcm) or PNG, got another "
         "ending; export it as one of these"),
        (HEAD + "1,\"L,CC,1.dcm,0,x,p,A\n", "site.csv, row 2: not valid CSV (unexpected end of data); correct it "
         "there"),
        (HEAD + 'a\n"b', "site.csv, row 2: a row must have as many values as the header, got 1 of 8"),
    ],
)  # fmt: skip
def test_each_refusal_is_one_line(content: str, message: str, manifest: Manifest) -> None:
    with pytest.raises(UnusableInput) as refusal:
        read_cohort(manifest(content))
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (
            "pixel_spacing_mm",
            "0",
            "pixel_spacing_mm must be a length in mm, or two with a space (rows, columns), got '0'",
        ),
        (
            "pixel_spacing_mm",
            "0,07",
            "pixel_spacing_mm must be a length in mm, or two with a space (rows, columns), got '0,07'",
        ),
        (
            "pixel_spacing_mm",
            "1 2 3",
            "pixel_spacing_mm must be a length in mm, or two with a space (rows, columns), got '1 2 3'",
        ),
        ("intensity_high", "12bit", "intensity_high must be a number or empty, got '12bit'"),
        ("intensity_low", "nan", "intensity_low must be a number or empty, got 'nan'"),
    ],
)
def test_numbers_must_be_numbers(column: str, value: str, message: str, manifest: Manifest) -> None:
    path = manifest(f'exam_id,side,view,path,{column}\n1,L,CC,1.dcm,"{value}"\n')
    with pytest.raises(UnusableInput) as refusal:
        read_cohort(path)
    assert str(refusal.value) == f"site.csv, row 2: {message}"


def test_absent_files_are_counted_and_the_first_named(manifest: Manifest) -> None:
    path = manifest("exam_id,side,view,path,roi_path\n1,L,CC,1.dcm,gone.png\n1,R,CC,gone.dcm,\n1,L,MLO,no/2.dcm,\n")
    with pytest.raises(UnusableInput) as refusal:
        read_cohort(path)
    assert str(refusal.value) == (
        "site.csv, row 2: the file that roi_path names must exist, but does not (and 2 more); "
        "paths are relative to site.csv"
    )


def test_rows_are_counted_as_an_editor_does(manifest: Manifest) -> None:
    """A quoted value that spans lines, and empty lines, count."""
    path = manifest('exam_id,side,view,path,note\n1,L,CC,1.dcm,"two\nlines"\n\n2,X,CC,2.dcm,\n')
    with pytest.raises(UnusableInput, match=r"^site.csv, row 5: side must be L or R, got 'X'"):
        read_cohort(path)


def test_manifests_that_cannot_be_opened(manifest: Manifest, tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "gone.csv", f"gone.csv: the manifest must exist, got '{tmp_path / 'gone.csv'}'; check the path"),
        (
            manifest("", "site.xlsx"),
            "site.xlsx: a manifest must end in .csv, .csv.gz or .parquet, or be 'phantoms', got",
        ),
        (
            manifest(b"exam_id,side\n1,\xe9\n"),
            "site.csv, row 2: a manifest must be UTF-8, got byte 0xe9; save it as UTF-8",
        ),
    ):
        with pytest.raises(UnusableInput) as refusal:
            read_cohort(path)
        assert str(refusal.value).startswith(message)
    packed = manifest(FULL, "site.csv.gz")
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(UnusableInput, match=r"^site.csv.gz: the manifest must be readable and whole, got EOFError"):
        read_cohort(packed)
    packed.write_bytes(b"no gzip")
    with pytest.raises(UnusableInput, match=r"^site.csv.gz: the manifest must be readable and whole, got BadGzipFile"):
        read_cohort(packed)
    packed.write_bytes(gzip.compress(FULL.encode())[:12] + b"\xff" * 60)
    with pytest.raises(UnusableInput, match=r"^site.csv.gz: the manifest must be readable and whole, got error"):
        read_cohort(packed)


def test_reading_and_pickling_opens_no_pixels_and_is_fast(tmp_path: Path) -> None:
    (tmp_path / "1.dcm").write_bytes(b"not an image")
    rows = [f"{exam},{side},{view},1.dcm,0,,A\n" for exam in range(2500) for side in "LR" for view in ("CC", "MLO")]
    (tmp_path / "site.csv").write_text("exam_id,side,view,path,malignant,subgroup,density\n" + "".join(rows))
    start = time.process_time()
    cohort = read_cohort(tmp_path / "site.csv")
    assert time.process_time() - start < 2.0, "10,000 rows; measured 0.25 s"
    assert len(cohort) == 2500
    assert pickle.loads(pickle.dumps(cohort.exams[:3])) == cohort.exams[:3]


def test_a_view_of_a_cohort_is_decoded_when_asked(manifest: Manifest, tmp_path: Path) -> None:
    write(data_set(phantom(12), bits=12), tmp_path / "1.dcm")
    cohort = read_cohort(manifest("exam_id,side,view,path\n9,L,CC,1.dcm\n9,L,MLO,2.dcm\n"))
    first, second = cohort.exams[0].views
    view = pickle.loads(pickle.dumps(first)).read()
    assert isinstance(view, View)
    assert view.name == "exam 9, L-CC"
    assert view.shape == (64, 48)
    assert view.read() is view
    with pytest.raises(
        UnusableInput, match=r"^exam 9, L-MLO: the image must be .* an empty file.* \(site.csv, row 3\)$"
    ):
        second.read()


def test_importing_exams_imports_neither_pydicom_nor_pillow_nor_torch() -> None:
    import subprocess

    heavy = "{'torch', 'pydicom', 'PIL', 'pytest', 'pyarrow', 'scipy'}"
    check = f"import sys, mammo_fixtures.exams; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    assert found.stdout.strip() == "[]"
