"""Small Parquet files that stand for more than a table holds: refused in one line, or read within memory."""

import re

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import parquet_table as tables
from mammo_fixtures.exams.manifest import read_cohort
from mammo_fixtures.scoring.table_files import read_score_table

pyarrow = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
parquet = pytest.importorskip("pyarrow.parquet")


def repeated(text, rows):
    """A column of one text, which stands in the file once."""
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * rows, pyarrow.int32()), pyarrow.array([text]))


def scores(rows, **more):
    """A score table of as many exams."""
    same = {"side": "L", "malignant": "0", "subgroup": "", "perturbation": "clean", "severity": "0", "reader": "a"}
    columns = {name: repeated(text, rows) for name, text in same.items()}
    columns |= {"exam_id": [str(n) for n in range(rows)], "score": [0.5] * rows}
    return pyarrow.table(columns | more)


def manifest(rows, **more):
    columns = {"exam_id": [str(n) for n in range(rows)], "side": ["L"] * rows, "view": ["CC"] * rows}
    return pyarrow.table(columns | {"path": ["a.png"] * rows} | more)


def refused(read, folder, table, **how):
    path = folder / "a.parquet"
    parquet.write_table(table, path, compression="zstd", **how)
    with pytest.raises(UnusableInput) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value), path.stat().st_size


KINDS = [(read_score_table, scores, "score table a.parquet: "), (read_cohort, manifest, "a.parquet: ")]


@pytest.mark.parametrize(("read", "make", "where"), KINDS, ids=["scores", "manifest"])
def test_a_text_that_stands_once_and_is_repeated_without_end(read, make, where, tmp_path, monkeypatch):
    """200,000 rows of a megabyte are 200 GB, in a file of half a megabyte at most."""
    unpacked = []
    kept = tables._rows
    monkeypatch.setattr(tables, "_rows", lambda *a: (unpacked.append(sum(map(len, row))) or row for row in kept(*a)))
    said, size = refused(read, tmp_path, make(200_000, density=repeated("x" * 10**6, 200_000)))
    place = where[:-2] + ", row 2: "
    assert said.removesuffix(", or leave the column out") == (
        f"{place}density may have at most 256 letters, got 1000000; shorten it"
    )
    assert size < 3 * 10**6
    assert len(unpacked) == 1


@pytest.mark.parametrize(("read", "make", "where"), KINDS, ids=["scores", "manifest"])
def test_what_the_footer_declares_is_believed_first(read, make, where, tmp_path, monkeypatch):
    for more in ({"density": [["a", "b"]] * 3}, {"density": [{"a": 1}] * 3}, {"density": [b"a"] * 3}):
        said, _ = refused(read, tmp_path, make(3, **more))
        assert re.fullmatch(
            where + r"columns must hold texts, numbers or dates, got density of type .*; write it as text", said
        ), said
    said, _ = refused(read, tmp_path, make(3, **{f"c{n}": [0] * 3 for n in range(1000)}))
    assert re.fullmatch(where + r"a table may have at most 1000 columns, got 100\d; leave out what is not used", said)
    monkeypatch.setattr(tables, "MOST_GROUPS", 2)
    said, _ = refused(read, tmp_path, make(3), row_group_size=1)
    assert said == f"{where}a Parquet file may have at most 2 row groups, got 3; write it again"
    monkeypatch.setattr(tables, "MOST_GROUP_BYTES", 10)
    said, _ = refused(read, tmp_path, make(3))
    assert re.fullmatch(
        where + r"a row group of a Parquet file may unpack to at most 10 bytes, got \d+; write it in smaller ones", said
    )


def test_limits_of_rows_and_bytes_are_those_of_the_kind(tmp_path, monkeypatch):
    for module, name, value, read, make, said in (
        (
            "scoring.table_files",
            "MOST_TABLE_ROWS",
            2,
            read_score_table,
            scores,
            "may have at most 2 rows, got 3; split",
        ),
        ("scoring.table_files", "MOST_TABLE_BYTES", 9, read_score_table, scores, "may unpack to at most 9 bytes, got "),
        ("exams.manifest_rows", "MOST_ROWS", 2, read_cohort, manifest, "may have at most 2 rows, got 3; split it"),
        ("exams.manifest_rows", "MOST_BYTES", 9, read_cohort, manifest, "may unpack to at most 9 bytes, got "),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(f"mammo_fixtures.{module}.{name}", value)
            assert f"a table of this kind {said}" in refused(read, tmp_path, make(3))[0]


def test_row_groups_of_every_size_are_read_whole(tmp_path):
    """Batches are small where a text is long: none of the rows is lost or doubled between them."""
    rows = 5000
    table = scores(rows, density=[("x" * 200 if n % 2 else "") + str(n) for n in range(rows)])
    for how in ({}, {"row_group_size": 7}, {"use_dictionary": False}, {"row_group_size": 1024}):
        parquet.write_table(table, tmp_path / "a.parquet", **how)
        read = read_score_table(tmp_path / "a.parquet")
        assert read.exam_id.tolist() == [str(n) for n in range(rows)]
        assert read.strata["density"].tolist() == table["density"].to_pylist()


@pytest.mark.parametrize(("read", "make", "where"), KINDS, ids=["scores", "manifest"])
def test_two_columns_of_one_name(read, make, where, tmp_path):
    """The last one would decide, and nobody would know."""
    table = make(3)
    doubled = table.append_column("exam_id", pyarrow.array(["17"] * 3))
    said, _ = refused(read, tmp_path, doubled)
    assert "each column may appear once, got " in said


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_a_number_is_the_decimal_that_was_meant_whatever_its_width(tmp_path, kind):
    """As a .csv has it: 0.33 in single precision is otherwise 0.33000001311302185, another severity."""
    path = tmp_path / "table.parquet"
    severity = pyarrow.array(np.array([0.33, 0, 2.0], kind), mask=np.array([False, True, False]))
    parquet.write_table(pyarrow.table({"severity": severity}), path)
    with tables.parquet_table(path, most_rows=9, most_bytes=10**6, as_text=str) as (_, rows):
        assert [row[0] for row in rows] == ["0.33", "None", "2.0"]
