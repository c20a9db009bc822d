"""Rows of a manifest as text, from `.csv`, `.csv.gz` or `.parquet`."""

from __future__ import annotations

import csv
import io
import math
import re
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.limits import LONGEST_TEXT, MOST_BYTES, MOST_ROWS, check_columns, read_at_most, unpacked
from mammo_fixtures.exams.parquet_table import parquet_table
from mammo_fixtures.exams.pseudonyms import HIDDEN, Pseudonyms, without_paths
from mammo_fixtures.exams.remote_file import FilePath, Unreachable

_TELLS_NOTHING = 2
"""Characters of a stratum's value that may be an id by chance: density 1 of a cohort that has an exam 1."""
_ONE_LINE = ("exam_id", "side", "view", "malignant", "subgroup", "patient_id")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its values by column, stripped, and where it stands."""

    file: str
    number: int
    values: dict[str, str]
    hidden: bool = False
    """Whether its paths may not be told."""

    @property
    def origin(self) -> str:
        return f"{self.file}, row {self.number}"

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    def get(self, column: str) -> str:
        """The value, empty where the manifest has no such column."""
        return self.values.get(column, "")

    def number_or_none(self, column: str) -> float | None:
        """The value as a finite number, None where it is empty."""
        text = self.get(column)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise UnusableInput(f"{self.origin}: {column} must be a number or empty, got {text!r}")
        return number

    def shown(self, path: str) -> str:
        """A path of this row as messages may tell it."""
        return HIDDEN if self.hidden else path

    @contextmanager
    def told(self) -> Iterator[None]:
        """What is said of this row says nothing of its paths, where they are hidden."""
        try:
            yield
        except UnusableInput as fault:
            if not self.hidden:
                raise
            raise UnusableInput(without_paths(str(fault), [self.get("path"), self.get("roi_path")])) from None


def hidden_rows(rows: Sequence[Row], pseudonyms: Pseudonyms, *, known_columns: Collection[str]) -> list[Row]:
    """The rows under pseudonyms, also where an id stands in a stratum, a column that is none of the known ones."""
    names = {"exam_id": pseudonyms.exam, "patient_id": pseudonyms.patient}
    known = {
        row.get(column): names[column]
        for column in reversed(names)
        for row in rows
        if len(row.get(column)) > _TELLS_NOTHING
    }
    return [
        replace(
            row,
            hidden=True,
            values={
                column: _hidden(value, names.get(column) or (None if column in known_columns else known.get(value)))
                for column, value in row.values.items()
            },
        )
        for row in rows
    ]


def check_texts(file: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Raises UnusableInput where a terminal or a reader could take a text for something else.

    Escape sequences, marks that turn the direction of writing, NUL. Strata may have line ends and tabs.
    """
    for column in columns:
        if not column.isprintable():
            raise UnusableInput(f"{file}: columns must be called by printable text, got {column!r}; rename it")
    for row in rows:
        for column, value in row.values.items():
            if column in ("path", "roi_path"):
                continue
            if value.isprintable():
                continue
            if column in _ONE_LINE or not re.sub(r"[\t\r\n]", "", value).isprintable():
                raise UnusableInput(f"{row.origin}: {column} must be printable text, got {value!r}; correct it there")


def check_columns_known(file: str, columns: Sequence[str], known: Collection[str]) -> None:
    """Raises UnusableInput for a column that is a known one but for case, spaces, underlines or a plural.

    As a stratum it would be read without a word: breasts without labels, or with no patient to cluster them by.
    """
    meant = {_plainly(name): name for name in known}
    for column in columns:
        name = meant.get(_plainly(column), column)
        if name != column and column not in known:
            raise UnusableInput(
                f"{file}: columns must be called as they are read, got {column!r}; call it {name!r}, or rename it if "
                "it is something else"
            )


def _plainly(column: str) -> str:
    return re.sub(r"[\W_]", "", column.lower()).removesuffix("s")


def _hidden(value: str, name: Callable[[str], str] | None) -> str:
    return name(value) if name else value


def read_rows(path: FilePath) -> tuple[list[str], list[Row]]:
    """The columns and the rows of a manifest; there is at least one row."""
    if not path.name.endswith((".csv", ".csv.gz", ".parquet")):
        raise UnusableInput(
            f"{path.name}: a manifest must end in .csv, .csv.gz or .parquet, or be 'phantoms', got {str(path)!r}"
        )
    try:
        columns, rows = (_parquet_rows if path.suffix == ".parquet" else _csv_rows)(path)
    except UnusableInput as refusal:
        if str(refusal).startswith(path.name):
            raise
        raise UnusableInput(f"{path.name}: {refusal}") from refusal
    if not rows:
        raise UnusableInput(f"{path.name}: a manifest needs at least one row below its header, got none")
    return columns, rows


def _csv_rows(path: FilePath) -> tuple[list[str], list[Row]]:
    content = _content(path)
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    lines = csv.reader(text, strict=True)
    try:
        return _parsed(path.name, lines, lambda: lines.line_num)
    except UnicodeDecodeError as cause:
        line, byte = _undecodable(content)
        raise UnusableInput(
            f"{path.name}, row {line}: a manifest must be UTF-8, got byte 0x{byte:02x}; save it as UTF-8"
        ) from cause
    except csv.Error as cause:
        raise UnusableInput(f"{path.name}, row {lines.line_num}: not valid CSV ({cause}); correct it there") from cause


def unreachable(where: str, got: str, cause: OSError, *, told: bool = True) -> UnusableInput:
    """What is said of a remote file that cannot be read; its own words may hold the path."""
    why = str(cause) if told else type(cause).__name__
    return UnusableInput(
        f"{where}: the file must be within reach, got {got!r}: {why}; check its address, your rights to it, and that "
        "fsspec's package for such addresses is installed"
    )


def _undecodable(content: bytes) -> tuple[int, int]:
    """The first line that is no UTF-8, and the byte that is none."""
    for number, line in enumerate(io.BytesIO(content), 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            return number, line[error.start]
    return 0, 0


def _content(path: FilePath) -> bytes:
    try:
        with path.open("rb") as stream:
            content = read_at_most(stream)
        if path.suffix == ".gz":
            content = unpacked(content)
    except FileNotFoundError as cause:
        raise UnusableInput(f"{path.name}: the manifest must exist, got {str(path)!r}; check the path") from cause
    except Unreachable as cause:
        raise unreachable(path.name, str(path), cause) from cause
    except (OSError, EOFError, zlib.error) as cause:  # gzip raises all three
        raise UnusableInput(
            f"{path.name}: the manifest must be readable and whole, got {type(cause).__name__}: {cause}; copy it again"
        ) from cause
    return content


def _parsed(file: str, lines: Iterator[list[str]], line_number: Any) -> tuple[list[str], list[Row]]:
    columns: list[str] = []
    rows: list[Row] = []
    begins = 1  # a quoted value may span lines: a row stands where it begins
    for cells in lines:
        number, begins = begins, line_number() + 1
        values = [cell.strip() for cell in cells]
        if not any(values):
            continue
        if not columns:
            columns = values
            _check_header(file, number, columns)
            continue
        if len(values) != len(columns):
            raise UnusableInput(
                f"{file}, row {number}: a row must have as many values as the header, got {len(values)} of "
                f"{len(columns)}"
            )
        rows.append(_row(file, number, columns, values))
        if len(rows) > MOST_ROWS:
            raise UnusableInput(
                f"{file}, row {number}: a manifest may have at most {MOST_ROWS} rows, got more; split it"
            )
    return columns, rows


def _check_header(file: str, number: int, columns: list[str]) -> None:
    check_columns(len(columns))
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated:
        raise UnusableInput(f"{file}, row {number}: each column may appear once, got {', '.join(repeated)} twice")


def _row(file: str, number: int, columns: Sequence[str], values: Sequence[str]) -> Row:
    row = Row(file, number, dict(zip(columns, values, strict=True)))
    for column, value in row.values.items():
        if "\0" in value:
            raise UnusableInput(f"{row.origin}: a value must not hold a zero byte; write the file again")
        if len(value) > LONGEST_TEXT and column not in ("path", "roi_path"):
            raise UnusableInput(
                f"{row.origin}: {column} may have at most {LONGEST_TEXT} letters, got {len(value)}; shorten it, or "
                "leave the column out"
            )
    return row


def _parquet_rows(path: FilePath) -> tuple[list[str], list[Row]]:
    content = _content(path)
    rows: list[Row] = []
    try:
        with parquet_table(content, most_rows=MOST_ROWS, most_bytes=MOST_BYTES, as_text=_as_text) as (columns, texts):
            _check_header(path.name, 1, columns)
            # Numbered as the same table would be in a .csv: the header is row 1.
            for number, values in enumerate(texts, 2):
                rows.append(_row(path.name, number, columns, values))
    except ImportError as cause:
        raise UnusableInput(
            f"{path.name}: a .parquet manifest needs pyarrow; pip install 'mammo-robustness[parquet]', or use .csv"
        ) from cause
    except UnusableInput:
        raise
    except Exception as cause:  # pyarrow's own family of exceptions
        raise UnusableInput(
            f"{path.name}: not a readable Parquet file ({type(cause).__name__}); write it again"
        ) from cause
    return columns, rows


def _as_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
