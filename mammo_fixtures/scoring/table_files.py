"""Score tables as files: CSV, compressed CSV and Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.limits import MOST_TABLE_BYTES, MOST_TABLE_ROWS, ShortLines, check_columns
from mammo_fixtures.exams.manifest_rows import check_columns_known
from mammo_fixtures.exams.parquet_table import parquet_table
from mammo_fixtures.exams.pseudonyms import Pseudonyms
from mammo_fixtures.scoring.score_table import COLUMNS, ScoreTable
from mammo_fixtures.scoring.table_rows import GatheredRows
from mammo_fixtures.whole_file import whole

GROUP_ROWS = 2**18
"""Written to Parquet at a time: as Python's own numbers and texts they take half a kilobyte each."""
Rows = Iterator[tuple[int, Sequence[str]]]
"""Rows as text, each with the line on which it begins, the header being 1."""


def read_score_table(path: Path, pseudonyms: Pseudonyms | None = None) -> ScoreTable:
    """The table in a file, every row checked; a refused row is named by its line, as an editor counts."""
    _check_ending(path)
    if not path.is_file():
        raise UnusableInput(f"score table {path.name}: the file must exist, got {str(path)!r}; check the path")
    with (_parquet_rows if path.suffix == ".parquet" else _csv_rows)(path) as (columns, rows):
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise UnusableInput(
                f"score table {path.name}: it needs the columns {', '.join(COLUMNS)}, {', '.join(missing)} missing; "
                f"got {', '.join(columns)}"
            )
        doubled = [name for name in columns if columns.count(name) > 1]
        if doubled:
            raise UnusableInput(f"score table {path.name}: each column may appear once, got {doubled[0]!r} twice")
        check_columns_known(f"score table {path.name}", columns, (*COLUMNS, "patient_id"))
        gathered = GatheredRows(file=path.name, columns=columns)
        gathered.take(rows if pseudonyms is None else _hidden(columns, rows, pseudonyms))
    return gathered.table(source=str(path))


def _hidden(columns: list[str], rows: Rows, pseudonyms: Pseudonyms) -> Rows:
    """The rows under pseudonyms, before anything is said of one."""
    names = {"exam_id": pseudonyms.exam, "patient_id": pseudonyms.patient}
    hidden = [(columns.index(column), name) for column, name in names.items() if column in columns]
    for line, row in rows:
        cells = list(row)
        for at, name in hidden:
            if at < len(cells):
                cells[at] = name(cells[at])
        yield line, cells


def write_score_table(table: ScoreTable, path: Path) -> None:
    """Write every score there is, one row each; the file appears whole or not at all.

    The same scores give the same bytes.
    """
    _check_ending(path)
    write = {".parquet": _write_parquet, ".gz": _write_compressed}.get(path.suffix, _write_csv)
    try:
        with whole(path) as partial:
            write(table, partial)
    except OSError as error:
        raise UnusableInput(f"score table {path}: cannot be written: {error}; give a folder that can be") from error


def _check_ending(path: Path) -> None:
    if not path.name.endswith((".csv", ".csv.gz", ".parquet")):
        raise UnusableInput(
            f"score table {path.name}: the name must end in .csv, .csv.gz or .parquet, got {str(path)!r}"
        )


@contextmanager
def _csv_rows(path: Path) -> Iterator[tuple[list[str], Rows]]:
    line = 0

    def rows(reader: Any) -> Rows:
        nonlocal line
        line = reader.line_num
        for row in reader:
            # A quoted field may span lines: a row is named by the line on which it begins.
            begins, line = line + 1, reader.line_num
            if row:
                yield begins, row

    try:
        with (
            _opened(path) as binary,
            io.BufferedReader(ShortLines(binary), 2**16) as short,
            io.TextIOWrapper(short, encoding="utf-8-sig", newline="") as text,
        ):
            reader = csv.reader(text, strict=True)
            header = [name.strip() for name in next(reader, [])]
            check_columns(len(header))
            if not any(header):
                raise UnusableInput(f"score table {path.name}: row 1 must name the columns, got an empty line")
            yield header, rows(reader)
    except UnusableInput as error:
        where = "" if str(error).startswith("score table") else f"score table {path.name}, row {line + 1}: "
        raise UnusableInput(f"{where}{error}") from error
    except UnicodeDecodeError as error:
        raise UnusableInput(
            f"score table {path.name}, row {_undecodable_line(path)}: the table must be UTF-8, got byte "
            f"0x{error.object[error.start]:02x}; save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise UnusableInput(
            f"score table {path.name}, row {line + 1}: not valid CSV ({error}); correct it there"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise UnusableInput(
            f"score table {path.name}: must be readable and whole, got: {error}; copy it again"
        ) from error


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _undecodable_line(path: Path) -> int:
    with _opened(path) as binary:
        for number, line in enumerate(binary, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0


@contextmanager
def _parquet_rows(path: Path) -> Iterator[tuple[list[str], Rows]]:
    _pyarrow(path)
    try:
        with parquet_table(path, most_rows=MOST_TABLE_ROWS, most_bytes=MOST_TABLE_BYTES, as_text=_as_text) as (
            columns,
            rows,
        ):
            # Numbered as the same table would be in a .csv.
            yield columns, enumerate(rows, 2)
    except UnusableInput as error:
        where = "" if str(error).startswith("score table") else f"score table {path.name}: "
        raise UnusableInput(f"{where}{error}") from error
    except (OSError, ValueError) as error:  # pyarrow's errors are one or the other
        raise UnusableInput(
            f"score table {path.name}: not a readable Parquet file ({error}); write it again"
        ) from error


def _as_text(value: Any) -> str:
    """A value as it would stand in a .csv; whole floats as integers, for labels made floats by a missing one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _pyarrow(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UnusableInput(
            f"score table {path.name}: Parquet needs pyarrow; pip install 'mammo-robustness[parquet]', or use .csv.gz"
        ) from error
    return pyarrow


def _columns(table: ScoreTable) -> list[str]:
    return [*COLUMNS, "patient_id", *table.strata]


def _rows(table: ScoreTable) -> Iterator[tuple[Any, ...]]:
    """What is written, in the order of the columns: the label as text, severity and score as numbers."""
    label = {1: "1", 0: "0", -1: ""}
    breasts = list(
        zip(
            table.exam_id.tolist(),
            table.side.tolist(),
            [label[int(malignant)] for malignant in table.malignant],
            table.subgroup.tolist(),
            table.patient_id.tolist(),
            *(column.tolist() for column in table.strata.values()),
            strict=True,
        )
    )
    for condition, by_breast in zip(table.conditions, table.scores, strict=True):
        for reader, scores in zip(table.readers, by_breast.T.tolist(), strict=True):
            for (exam, side, malignant, subgroup, *more), score in zip(breasts, scores, strict=True):
                if score == score:
                    yield exam, side, malignant, subgroup, *condition, reader, score, *more


def _write_csv(table: ScoreTable, path: Path) -> None:
    with path.open("wb") as binary:
        _write_text(table, binary)


def _write_compressed(table: ScoreTable, path: Path) -> None:
    # No time stamp and no name in the gzip header: the same scores give the same bytes.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as binary:
        _write_text(table, cast("IO[bytes]", binary))


def _write_text(table: ScoreTable, binary: IO[bytes]) -> None:
    with io.TextIOWrapper(binary, encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_columns(table))
        for exam, side, malignant, subgroup, perturbation, severity, reader, score, *more in _rows(table):
            # repr is the shortest text that gives the same number again.
            shown = repr(float(severity)).removesuffix(".0")
            writer.writerow((exam, side, malignant, subgroup, perturbation, shown, reader, repr(score), *more))


def _write_parquet(table: ScoreTable, path: Path) -> None:
    pyarrow = _pyarrow(path)
    types = {"severity": pyarrow.float64(), "score": pyarrow.float64()}
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in _columns(table)])
    rows = _rows(table)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        while some := list(itertools.islice(rows, GROUP_ROWS)):
            columns = zip(*some, strict=True)
            arrays = [pyarrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
