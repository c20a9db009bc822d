"""Tables in Parquet files, row by row, within limits: a small file can stand for rows and texts without end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.limits import check_columns

MOST_GROUPS = 2**16
"""Row groups; writers put a million rows into each."""
MOST_GROUP_BYTES = 2**30
BATCH_ROWS = 2**16
BATCH_BYTES = 2**26
"""Of one column in the rows that are unpacked together."""


@contextmanager
def parquet_table(
    source: bytes | Path, *, most_rows: int, most_bytes: int, as_text: Callable[[Any], str]
) -> Iterator[tuple[list[str], Iterator[tuple[str, ...]]]]:
    """Columns, and rows as text, of a content or a path.

    Raises UnusableInput, what pyarrow raises of a damaged file, and ImportError where there is no pyarrow.
    """
    from pyarrow import BufferReader, parquet

    def opened() -> Any:
        return BufferReader(source) if isinstance(source, bytes) else source

    with parquet.ParquetFile(opened()) as file:
        schema, said = file.schema_arrow, file.metadata
        check_columns(said.num_columns)
        _check_types(schema)
        _check_sizes(said, most_rows, most_bytes)
        texts = [field.name for field in schema if _is_text(field.type)]
        # A text that repeats stands once in the file: kept so, the longest is known before any is repeated.
        with parquet.ParquetFile(opened(), metadata=said, read_dictionary=texts) as unrepeated:
            yield [str(name) for name in schema.names], _rows(file, unrepeated, as_text)


def _rows(file: Any, unrepeated: Any, as_text: Callable[[Any], str]) -> Iterator[tuple[str, ...]]:
    for group in range(file.num_row_groups):
        if not file.metadata.row_group(group).num_rows:
            continue
        first = next(iter(unrepeated.iter_batches(1, row_groups=[group], use_threads=False)))
        longest = max(_longest(column) for column in first.columns)
        size = max(1, min(BATCH_ROWS, BATCH_BYTES // (longest + 1)))
        for batch in file.iter_batches(size, row_groups=[group], use_threads=False):
            yield from zip(*([as_text(value) for value in _values(column)] for column in batch.columns), strict=True)


def _values(column: Any) -> list[Any]:
    """As Python has them; a short float as the shortest decimal that means it: 0.33, not 0.33000001311302185."""
    values: list[Any] = column.to_pylist()
    if str(column.type) not in ("float", "halffloat"):
        return values
    short = np.float32 if str(column.type) == "float" else np.float16
    return [None if value is None else float(str(short(value))) for value in values]


def _longest(column: Any) -> int:
    """Bytes of the longest text that a column of a row group may repeat."""
    import pyarrow.compute

    if not hasattr(column, "dictionary"):
        return 0
    return pyarrow.compute.max(pyarrow.compute.binary_length(column.dictionary)).as_py() or 0


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _check_types(schema: Any) -> None:
    """Texts, numbers, dates: lists and tables in a cell are no value, and unpack to anything."""
    from pyarrow import types

    for field in schema:
        kind = field.type.value_type if types.is_dictionary(field.type) else field.type
        if not (_is_text(kind) or types.is_null(kind) or types.is_primitive(kind) or types.is_decimal(kind)):
            raise UnusableInput(
                f"columns must hold texts, numbers or dates, got {field.name} of type {field.type}; write it as text"
            )


def _check_sizes(said: Any, most_rows: int, most_bytes: int) -> None:
    groups = said.num_row_groups
    if said.num_rows > most_rows:
        raise UnusableInput(f"a table of this kind may have at most {most_rows} rows, got {said.num_rows}; split it")
    if groups > MOST_GROUPS:
        raise UnusableInput(f"a Parquet file may have at most {MOST_GROUPS} row groups, got {groups}; write it again")
    sizes = [said.row_group(group).total_byte_size for group in range(groups)]
    for what, most, size in (
        ("a row group of a Parquet file", MOST_GROUP_BYTES, max(sizes, default=0)),
        ("a table of this kind", most_bytes, sum(sizes)),
    ):
        if size > most:
            raise UnusableInput(f"{what} may unpack to at most {most} bytes, got {size}; write it in smaller ones")
