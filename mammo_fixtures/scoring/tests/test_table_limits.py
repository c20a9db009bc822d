"""Score tables that would fill memory from a small file are refused in one line that names the limit."""

import gzip
import time

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring import table_files, table_rows
from mammo_fixtures.scoring.table_files import read_score_table

HEADER = "exam_id,side,malignant,subgroup,perturbation,severity,reader,score"


def refused(folder, rows, header=HEADER):
    path = folder / "a.csv.gz"
    path.write_bytes(gzip.compress("\n".join([header, *rows]).encode(), 1))
    begin = time.process_time()
    with pytest.raises(UnusableInput) as caught:
        read_score_table(path)
    assert time.process_time() - begin < 10
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_parquet_table_is_written_some_rows_at_a_time(tmp_path, monkeypatch):
    """All of four million at once took a gigabyte."""
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [
        f"{n},L,{n % 2},,{name},{severity},a,{n / 7}"
        for name, severity in (("clean", 0), ("lowpass", 0.5))
        for n in range(8)
    ]
    (tmp_path / "a.csv").write_text("\n".join([HEADER, *rows]))
    table = read_score_table(tmp_path / "a.csv")
    monkeypatch.setattr(table_files, "GROUP_ROWS", 5)
    table.write(tmp_path / "a.parquet")
    said = parquet.ParquetFile(tmp_path / "a.parquet").metadata
    assert (said.num_rows, said.num_row_groups) == (16, 4)
    again = read_score_table(tmp_path / "a.parquet")
    assert again.fingerprint == table.fingerprint
    assert again.conditions == table.conditions
    assert (again.scores == table.scores).all()


def test_breasts_conditions_and_readers_that_never_meet(tmp_path):
    """One score for each would make a table of 4,000 × 4,000 × 4,000 cells, 512 GB, from 4,000 rows."""
    rows = [f"{n},L,0,,clean,0,a,0.5" if n < 2 else f"{n},L,0,,lowpass,{n},r{n},0.5" for n in range(4000)]
    said = refused(tmp_path, rows)
    assert said == (
        "score table a.csv.gz: a table must hold scores for one in 100 of its breasts × conditions × readers, got "
        "4000 × 3999 × 3999 and 63968000000 of them empty; split it"
    )


def test_a_late_breast_under_many_conditions(tmp_path):
    """A list of scores for each condition, filled up to the last breast, would take 3 GB."""
    breasts = [f"{n},L,0,,clean,0,a,0.5" for n in range(100_000)]
    late = [f"99999,L,0,,lowpass,{n},a,0.5" for n in range(4000)]
    said = refused(tmp_path, breasts + late)
    assert said.startswith("score table a.csv.gz, row 1001")
    assert "a table must hold scores for one in 100 of its breasts × conditions × readers, got 100000 × 1" in said


def test_a_table_in_which_one_in_fifty_scores_is_there_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(table_rows, "MOST_UNFILLED", 100)
    rows = [f"{n},L,0,,{condition},r{n % 50},0.5" for n in range(500) for condition in ("clean,0", "lowpass,2")]
    (tmp_path / "a.csv").write_text("\n".join([HEADER, *rows]))
    assert read_score_table(tmp_path / "a.csv").scores.shape == (2, 500, 50)
    rows = [f"{n},L,0,,{condition},r{n},0.5" for n in range(500) for condition in ("clean,0", "lowpass,2")]
    assert "row 404: a table must hold scores for one in 100 of its breasts × conditions" in refused(tmp_path, rows)


@pytest.mark.parametrize(
    ("row", "what"), [("1,L,0,,lowpass,{},a,0.5", "conditions"), ("1,L,0,,clean,0,r{},0.5", "readers")]
)
def test_more_conditions_or_readers_than_anyone_has(tmp_path, row, what):
    rows = [row.format(n) for n in range(1, 5000)]
    assert (
        refused(tmp_path, rows)
        == f"score table a.csv.gz, row 4098: a table may have at most 4096 {what}, got more; split it"
    )


@pytest.mark.parametrize("column", ["exam_id", "subgroup", "reader", "density"])
def test_a_text_that_would_make_all_of_its_column_as_wide(tmp_path, column):
    texts = {"exam_id": "1", "subgroup": "", "reader": "a", "density": "b"} | {column: "x" * 257}
    row = "{exam_id},L,0,{subgroup},clean,0,{reader},0.5,{density}".format(**texts)
    assert refused(tmp_path, [row], f"{HEADER},density") == (
        f"score table a.csv.gz, row 2: {column} may have at most 256 letters, got 257; shorten it"
    )


def test_one_long_text_among_very_many_short_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(table_rows, "MOST_UNFILLED", 1000)
    rows = [f"{n},L,0,{'x' * 250 if n == 7 else ''},clean,0,a,0.5" for n in range(3000)]
    assert refused(tmp_path, rows) == (
        "score table a.csv.gz: texts of a column must be of like length, got subgroup of up to 250 letters in 3000 "
        "breasts that have 250 letters in all; shorten the longest"
    )


def test_more_columns_than_anyone_writes(tmp_path):
    header = ",".join([HEADER, *(f"c{n}" for n in range(993))])
    said = "score table a.csv.gz, row 1: a table may have at most 1000 columns, got 1001; leave out what is not used"
    assert refused(tmp_path, [], header) == said
