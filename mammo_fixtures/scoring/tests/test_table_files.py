"""Score tables as files: what is written is read again, and every unusable table is refused in one line."""

import csv
import gzip
import os
import re
from pathlib import Path

import numpy as np
import pytest

from mammo_fixtures import ScoreTable, UnusableInput
from mammo_fixtures.scoring import CLEAN, Condition

HEADER = "exam_id,side,malignant,subgroup,perturbation,severity,reader,score"
ROWS = ("1,L,1,masses,clean,0,a,0.75", "1,R,0,,clean,0,a,0.25", "1,L,1,masses,lowpass,0.5,a,0.5")
FORMATS = ["scores.csv", "scores.csv.gz", "scores.parquet"]


def write(path, *lines, header=HEADER):
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return path


def table(**changed):
    columns = {
        "conditions": (CLEAN, Condition("lowpass", 1 / 3), Condition("rotation", 5.0)),
        "readers": ("first, of two", 'second "seed"'),
        "scores": np.arange(18).reshape(3, 3, 2) / 7,
        "exam_id": np.array(["17", "17", "É 18"]),
        "side": np.array(["L", "R", "L"]),
        "malignant": np.array([1, 0, -1], dtype=np.int8),
        "subgroup": np.array(["masses", "", ""]),
        "patient_id": np.array(["p1", "p1", ""]),
        "strata": {"density": np.array(["a", "a", "d"])},
    }
    return ScoreTable(**(columns | changed))


def refused(path):
    with pytest.raises(UnusableInput) as caught:
        ScoreTable.read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path.parent) not in message.replace(repr(str(path)), "")
    return message


@pytest.mark.parametrize("name", [*FORMATS, "before.csv.gz.csv"])
def test_round_trip_keeps_everything(tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    written = table()
    written.scores[1, 2, 0] = np.nan
    written.write(tmp_path / name)
    read = ScoreTable.read(tmp_path / name)
    assert read.conditions == written.conditions, "a third is a third, not 0.333333333333"
    assert read.readers == written.readers
    assert np.array_equal(read.scores, written.scores, equal_nan=True), "to the last bit"
    for column in ("exam_id", "side", "malignant", "subgroup", "patient_id"):
        assert np.array_equal(getattr(read, column), getattr(written, column)), column
    assert {name: column.tolist() for name, column in read.strata.items()} == {"density": ["a", "a", "d"]}
    assert read.fingerprint == written.fingerprint
    assert read.source == str(tmp_path / name)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_scores_give_the_same_bytes(tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    first, second, third = (tmp_path / f"{folder}" / name for folder in "abc")
    for path in (first, second, third):
        path.parent.mkdir()
    table().write(first)
    os.utime(first, (1, 1))
    table().write(second)
    ScoreTable.read(first).write(third)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [name] * 3, "nothing unfinished is left"
    if name.endswith(".gz"):
        assert first.read_bytes()[4:8] == bytes(4), "gzip's time stamp (RFC 1952, MTIME)"


def test_a_csv_is_what_any_program_reads(tmp_path):
    table().write(tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    assert rows[0] == {
        "exam_id": "17", "side": "L", "malignant": "1", "subgroup": "masses", "perturbation": "clean", "severity": "0",
        "reader": "first, of two", "score": "0.0", "patient_id": "p1", "density": "a",
    }  # fmt: skip
    assert rows[-1]["severity"] == "5"
    assert rows[-1]["malignant"] == ""


def test_a_parquet_table_is_typed_and_takes_types_of_others(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table().write(tmp_path / "ours.parquet")
    assert str(parquet.read_schema(tmp_path / "ours.parquet").field("score").type) == "double"
    columns = {
        "exam_id": [1, 1], "side": ["L", "L"], "malignant": [1.0, 1.0], "subgroup": [None, None],
        "perturbation": ["clean", "lowpass"], "severity": [0, 2], "reader": [3, 3], "score": [0.5, None],
    }  # fmt: skip
    parquet.write_table(pyarrow.table(columns), tmp_path / "theirs.parquet")
    read = ScoreTable.read(tmp_path / "theirs.parquet")
    assert read.exam_id.tolist() == ["1"]
    assert read.malignant.tolist() == [1]
    assert read.conditions == (CLEAN, Condition("lowpass", 2.0))
    columns["malignant"] = [True, False]
    parquet.write_table(pyarrow.table(columns), tmp_path / "theirs.parquet")
    assert refused(tmp_path / "theirs.parquet") == (
        "score table theirs.parquet, row 3: exam 1, L: malignant must be the same in all rows of a breast, "
        "got '0' after '1'"
    )
    whole = (tmp_path / "ours.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    assert re.fullmatch(
        r"score table cut\.parquet: not a readable Parquet file \(.+\); write it again",
        refused(tmp_path / "cut.parquet"),
    )


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "scores.parquet").write_bytes(b"PAR1")
    said = "Parquet needs pyarrow; pip install 'mammo-robustness[parquet]', or use .csv.gz"
    assert refused(tmp_path / "scores.parquet") == f"score table scores.parquet: {said}"
    with pytest.raises(UnusableInput, match="needs pyarrow"):
        table().write(tmp_path / "other.parquet")


def test_clean_comes_first_and_the_rest_as_met(tmp_path):
    rows = ("1,L,1,,lowpass,2,a,0.1", "1,L,1,,lowpass,0.5,a,0.2", "1,L,1,,clean,0,a,0.3")
    read = ScoreTable.read(write(tmp_path / "scores.csv", *rows))
    assert read.conditions == (CLEAN, Condition("lowpass", 2.0), Condition("lowpass", 0.5))
    assert read.scores[:, 0, 0].tolist() == [0.3, 0.1, 0.2]


def test_one_severity_written_in_two_ways_is_one_condition(tmp_path):
    rows = (*ROWS, "1,R,0,,lowpass,0.50,a,0.125", "2,L,,,clean,0.0,a,1", "2,L,,,lowpass,5e-1,a,1")
    read = ScoreTable.read(write(tmp_path / "scores.csv", *rows))
    assert read.conditions == (CLEAN, Condition("lowpass", 0.5))
    assert read.at(Condition("lowpass", 0.5))[:, 0].tolist() == [0.5, 0.125, 1.0]
    message = refused(write(tmp_path / "scores.csv", *rows, "1,R,0,,lowpass,.5,a,0.2"))
    assert message == (
        "score table scores.csv, row 8: a breast has one score for each condition and reader, but exam 1, R has a "
        "second one for lowpass .5, reader 'a'; keep one"
    )


def test_byte_order_mark_blank_lines_and_windows_line_ends_are_read(tmp_path):
    lines = "\r\n".join((HEADER, ROWS[0], "", *ROWS[1:])) + "\r\n"
    (tmp_path / "scores.csv").write_bytes(b"\xef\xbb\xbf" + lines.encode())
    assert ScoreTable.read(tmp_path / "scores.csv").scores.shape == (2, 2, 1)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,L,1,masses,lowpass,0.5,a", "a row must have 8 fields as the header has, got 7"),
        ("1,L,1,masses,lowpass,0.5,a,0.5,7", "a row must have 8 fields as the header has, got 9"),
        (",L,1,,clean,0,a,0.5", "exam_id must not be empty; every breast needs its exam's id"),
        ("2,left,1,,clean,0,a,0.5", "side must be L or R, got 'left'"),
        ("2,L,yes,,clean,0,a,0.5", "malignant must be 0, 1 or empty, got 'yes'"),
        ("2,L,1,,,0,a,0.5", "perturbation must not be empty; clean rows have perturbation 'clean'"),
        ("2,L,1,,clean,1,a,0.5", "severity of clean rows must be 0, got '1'"),
        ("2,L,1,,lowpass,mild,a,0.5", "severity must be a finite number, got 'mild'"),
        ("2,L,1,,lowpass,inf,a,0.5", "severity must be a finite number, got 'inf'"),
        ("2,L,1,,clean,0,a,high", "score must be a finite number, or empty where there is none, got 'high'"),
        ("2,L,1,,clean,0,a,nan", "score must be a finite number, or empty where there is none, got 'nan'"),
        ("2,L,1,,clean,0,a,-inf", "score must be a finite number, or empty where there is none, got '-inf'"),
        ("2,L,1,,clean,0,a,1_0", "score must be a finite number, or empty where there is none, got '1_0'"),
        (
            "1,R,0,,clean,0,a,0.25",
            "a breast has one score for each condition and reader, but exam 1, R has a second one for clean 0, "
            "reader 'a'; keep one",
        ),
        (
            "1,R,1,,lowpass,0.5,a,0.25",
            "exam 1, R: malignant must be the same in all rows of a breast, got '1' after '0'",
        ),
        (
            "1,R,0,masses,lowpass,0.5,a,0.25",
            "exam 1, R: subgroup must be the same in all rows of a breast, got 'masses' after ''",
        ),
    ],
)
def test_an_unusable_row_is_named_with_its_rule(tmp_path, row, said):
    assert refused(write(tmp_path / "scores.csv", *ROWS, row)) == f"score table scores.csv, row 5: {said}"


def test_strata_must_agree_within_a_breast(tmp_path):
    lines = [f"{row},{density}" for row, density in zip(ROWS, "aab", strict=True)]
    message = refused(write(tmp_path / "scores.csv", *lines, header=HEADER + ",density"))
    assert message == (
        "score table scores.csv, row 4: exam 1, L: density must be the same in all rows of a breast, got 'b' after 'a'"
    )


def test_rows_are_numbered_as_an_editor_counts(tmp_path):
    path, rest = tmp_path / "scores.csv", 'clean,0,a,0.5,"one\nof two"'
    for rows, number in ((f"1,L,1,,{rest}\n\n2,X,1,,clean,0,a,0.5,", 5), (f"1,X,1,,{rest}", 2)):
        path.write_text(f"{HEADER},comment\n{rows}\n")
        assert f"row {number}: side must be L or R" in refused(path), "where the row begins"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "score table scores.csv: row 1 must name the columns, got an empty line"),
        (b"\n1,L\n", "score table scores.csv: row 1 must name the columns, got an empty line"),
        (HEADER.encode(), "score table scores.csv: it needs at least one row below its header, got none"),
        (
            HEADER.replace("reader", "rater").replace("side", "breast").encode() + b"\n",
            f"score table scores.csv: it needs the columns {HEADER.replace(',', ', ')}, side, reader missing; "
            "got exam_id, breast, malignant, subgroup, perturbation, severity, rater, score",
        ),
        (
            (HEADER + ",density,density\n").encode(),
            "score table scores.csv: each column may appear once, got 'density' twice",
        ),
        (
            f"{HEADER}\n1,L,1,,lowpass,2,a,0.5\n".encode(),
            "score table scores.csv: it needs clean scores, to compare with, got only lowpass; "
            "add rows with perturbation 'clean' and severity 0",
        ),
        (
            f"{HEADER}\n{ROWS[0]}\n1,R,0,caf\xe9,clean,0,a,1\n".encode("latin-1"),
            "score table scores.csv, row 3: the table must be UTF-8, got byte 0xe9; save it as UTF-8",
        ),
        (
            f'{HEADER}\n{ROWS[0]}\n1,R,0,"open,clean,0,a,1\n'.encode(),
            "score table scores.csv, row 3: not valid CSV (unexpected end of data); correct it there",
        ),
    ],
)
def test_an_unusable_file_is_refused_in_one_line(tmp_path, content, said):
    (tmp_path / "scores.csv").write_bytes(content)
    assert refused(tmp_path / "scores.csv") == said


def test_a_damaged_gzip_file_is_refused_in_one_line(tmp_path):
    whole = gzip.compress("\n".join((HEADER, *ROWS)).encode())
    (tmp_path / "scores.csv.gz").write_bytes(whole[:-12])
    said = "score table scores.csv.gz: must be readable and whole, got: "
    assert refused(tmp_path / "scores.csv.gz").startswith(said + "Compressed file ended")
    (tmp_path / "scores.csv.gz").write_bytes(b"no gzip at all")
    assert refused(tmp_path / "scores.csv.gz") == said + "Not a gzipped file (b'no'); copy it again"
    (tmp_path / "scores.csv.gz").write_bytes(whole[:40] + b"\xff" * 8 + whole[48:])
    assert refused(tmp_path / "scores.csv.gz").startswith(said)


def test_names_and_folders_that_cannot_be(tmp_path):
    absent = tmp_path / "absent.csv"
    assert refused(absent) == f"score table absent.csv: the file must exist, got {str(absent)!r}; check the path"
    sheet = tmp_path / "scores.xlsx"
    said = f"score table scores.xlsx: the name must end in .csv, .csv.gz or .parquet, got {str(sheet)!r}"
    assert refused(sheet) == said
    with pytest.raises(UnusableInput, match=r"the name must end in \.csv, \.csv\.gz or \.parquet"):
        table().write(sheet)
    nowhere = tmp_path / "nowhere" / "scores.csv"
    with pytest.raises(UnusableInput) as caught:
        table().write(nowhere)
    assert str(caught.value).startswith(f"score table {nowhere}: cannot be written: ")
    assert str(caught.value).endswith("; give a folder that can be")


def test_a_failed_write_leaves_the_former_table(tmp_path, monkeypatch):
    path = tmp_path / "scores.csv"
    table().write(path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mammo_fixtures.scoring.table_files._columns", full)
    with pytest.raises(UnusableInput, match=r"cannot be written: .*No space left on device"):
        table().write(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


SHARED = os.environ.get("MAMMO_SHARED", "")


@pytest.mark.skipif(not SHARED, reason="MAMMO_SHARED does not name the folder of published tables")
@pytest.mark.parametrize("name", ["gmic_lowpass_scores.csv.gz", "gmic_region_lowpass_scores.csv.gz"])
def test_published_tables_are_read_whole(tmp_path, name):
    path = Path(SHARED) / "nyu_reader_study" / name
    read = ScoreTable.read(path)
    assert read.conditions[0] == CLEAN
    assert np.isfinite(read.at(CLEAN)).all()
    with gzip.open(path, "rt") as file:
        assert np.isfinite(read.scores).sum() == sum(1 for _ in file) - 1, "one score a row"
    read.write(tmp_path / "again.csv.gz")
    again = ScoreTable.read(tmp_path / "again.csv.gz")
    assert np.array_equal(again.scores, read.scores, equal_nan=True)
    assert again.fingerprint == read.fingerprint
