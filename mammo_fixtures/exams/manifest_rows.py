"""Rows of a manifest as text, from `.csv`, `.csv.gz` or `.parquet`."""

from __future__ import annotations

import csv
import io
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.limits import MOST_ROWS, read_at_most, unpacked
from mammo_fixtures.exams.remote_file import FilePath, Unreachable


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its values by column, stripped, and where it stands."""

    file: str
    number: int
    values: dict[str, str]

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


def read_rows(path: FilePath) -> tuple[list[str], list[Row]]:
    """The columns and the rows of a manifest; there is at least one row."""
    if path.name.endswith((".csv", ".csv.gz")):
        columns, rows = _csv_rows(path)
    elif path.suffix == ".parquet":
        columns, rows = _parquet_rows(path)
    else:
        raise UnusableInput(
            f"{path.name}: a manifest must end in .csv, .csv.gz or .parquet, or be 'phantoms', got {str(path)!r}"
        )
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


def unreachable(where: str, got: str, cause: OSError) -> UnusableInput:
    """What is said of a remote file that cannot be read."""
    return UnusableInput(
        f"{where}: the file must be within reach, got {got!r}: {cause}; check its address, your rights to it, and that "
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
        if any("\0" in value for value in values):
            raise UnusableInput(f"{file}, row {number}: a value must not hold a zero byte; write the file again")
        if not columns:
            columns = values
            repeated = sorted({column for column in columns if columns.count(column) > 1})
            if repeated:
                raise UnusableInput(
                    f"{file}, row {number}: each column may appear once, got {', '.join(repeated)} twice"
                )
            continue
        if len(values) != len(columns):
            raise UnusableInput(
                f"{file}, row {number}: a row must have as many values as the header, got {len(values)} of "
                f"{len(columns)}"
            )
        rows.append(Row(file, number, dict(zip(columns, values, strict=True))))
        if len(rows) > MOST_ROWS:
            raise UnusableInput(
                f"{file}, row {number}: a manifest may have at most {MOST_ROWS} rows, got more; split it"
            )
    return columns, rows


def _parquet_rows(path: FilePath) -> tuple[list[str], list[Row]]:
    try:
        from pyarrow import parquet
    except ImportError as cause:
        raise UnusableInput(
            f"{path.name}: a .parquet manifest needs pyarrow; pip install 'mammo-robustness[parquet]', or use .csv"
        ) from cause
    try:
        table = parquet.read_table(io.BytesIO(path.read_bytes()))
    except FileNotFoundError as cause:
        raise UnusableInput(f"{path.name}: the manifest must exist, got {str(path)!r}; check the path") from cause
    except Unreachable as cause:
        raise unreachable(path.name, str(path), cause) from cause
    except Exception as cause:  # pyarrow's own family of exceptions
        raise UnusableInput(
            f"{path.name}: not a readable Parquet file ({type(cause).__name__}); write it again"
        ) from cause
    columns = [str(name) for name in table.column_names]
    cells = [[_as_text(value) for value in table.column(name).to_pylist()] for name in columns]
    # Numbered as the same table would be in a .csv: the header is row 1.
    rows = [
        Row(path.name, number, dict(zip(columns, values, strict=True)))
        for number, values in enumerate(zip(*cells, strict=True), 2)
    ]
    return columns, rows


def _as_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
