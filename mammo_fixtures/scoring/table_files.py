"""Score tables as files: CSV, compressed CSV and Parquet, checked row by row."""

from __future__ import annotations

import csv
import gzip
import io
import math
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable

REQUIRED = ("exam_id", "side", "malignant", "subgroup", "perturbation", "severity", "reader", "score")
_LABELS = {"0": 0, "1": 1, "": -1}


def read_score_table(path: Path) -> ScoreTable:
    """The table in a file, validated; see DESIGN of the columns in the README's "your scores"."""
    if not path.is_file():
        raise UnusableInput(f"score table {path}: no such file; give an existing .csv, .csv.gz or .parquet")
    try:
        columns, rows = _parquet_rows(path) if path.suffix == ".parquet" else _csv_rows(path)
        missing = [name for name in REQUIRED if name not in columns]
        if missing:
            raise UnusableInput(
                f"score table {path.name}: column {missing[0]!r} is missing; it has {', '.join(columns)}"
            )
        doubled = [name for name in columns if columns.count(name) > 1]
        if doubled:
            raise UnusableInput(f"score table {path.name}: column {doubled[0]!r} appears twice; keep one")
        gathered = _Gathered(file=path.name, columns=columns)
        gathered.take(rows)
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnusableInput(f"score table {path.name}: not a readable UTF-8 CSV file: {error}") from error
    return gathered.table(source=str(path))


def _csv_rows(path: Path) -> tuple[list[str], Iterator[tuple[int, Sequence[str]]]]:
    binary: IO[bytes] = gzip.open(path) if path.name.endswith(".gz") else path.open("rb")  # type: ignore[assignment]
    reader = csv.reader(io.TextIOWrapper(binary, encoding="utf-8-sig", newline=""), strict=True)
    header = next(reader, [])
    if not header:
        raise UnusableInput(f"score table {path.name}: the file is empty; a header row is needed")

    def rows() -> Iterator[tuple[int, Sequence[str]]]:
        with binary:
            for row in reader:
                if row:
                    yield reader.line_num, row

    return [name.strip() for name in header], rows()


def _parquet_rows(path: Path) -> tuple[list[str], Iterator[tuple[int, Sequence[str]]]]:
    try:
        from pyarrow import parquet  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise UnusableInput(f"score table {path.name}: Parquet needs pyarrow; pip install 'mammo-robustness[parquet]'") from None
    try:
        file = parquet.ParquetFile(path)
    except (OSError, ValueError) as error:
        raise UnusableInput(f"score table {path.name}: not a readable Parquet file: {error}") from error
    columns = list(file.schema_arrow.names)

    def rows() -> Iterator[tuple[int, Sequence[str]]]:
        number = 1
        for batch in file.iter_batches():
            lists = [["" if v is None else v if isinstance(v, str) else repr(v) for v in c.to_pylist()] for c in batch.columns]
            for row in zip(*lists, strict=True):
                number += 1
                yield number, row

    return columns, rows()


@dataclass(slots=True, kw_only=True)
class _Gathered:
    """Rows on their way to columns."""

    file: str
    columns: list[str]
    breasts: dict[tuple[str, str], int] = field(default_factory=dict)
    declared: list[tuple[str, ...]] = field(default_factory=list)
    conditions: dict[tuple[str, str], int] = field(default_factory=dict)
    readers: dict[str, int] = field(default_factory=dict)
    cells: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    """Scores by breast for each condition and reader."""

    def take(self, rows: Iterator[tuple[int, Sequence[str]]]) -> None:
        at = {name: self.columns.index(name) for name in REQUIRED}
        exam, side, score = at["exam_id"], at["side"], at["score"]
        perturbation, severity, reader = at["perturbation"], at["severity"], at["reader"]
        same = [i for i, name in enumerate(self.columns) if i not in (exam, side, score, perturbation, severity, reader)]
        width = len(self.columns)
        for line, row in rows:
            if len(row) != width:
                raise self.bad(line, f"a row must have {width} fields, got {len(row)}")
            breast = self.breasts.get((row[exam], row[side]))
            about = tuple([row[i] for i in same])
            if breast is None:
                breast = self._new_breast(line, row[exam], row[side], about, same)
            elif self.declared[breast] != about:
                raise self._disagreement(line, row[exam], row[side], self.declared[breast], about, same)
            condition = self.conditions.get((row[perturbation], row[severity]))
            if condition is None:
                condition = self._new_condition(line, row[perturbation], row[severity])
            who = self.readers.setdefault(row[reader], len(self.readers))
            column = self.cells.get((condition, who))
            if column is None:
                column = self.cells[condition, who] = []
            if len(column) <= breast:
                column.extend([math.nan] * (breast + 1 - len(column)))
            text = row[score]
            if not text:
                continue
            try:
                value = float(text)
            except ValueError:
                raise self.bad(line, f"score must be a number or empty, got {text!r}") from None
            if not math.isfinite(value):
                raise self.bad(line, f"score must be finite or empty, got {text!r}")
            if column[breast] == column[breast]:
                raise self.bad(
                    line,
                    f"exam {row[exam]}, {row[side]} has two scores for {row[perturbation]} {row[severity]}, "
                    f"reader {row[reader]!r}; keep one",
                )
            column[breast] = value

    def bad(self, line: int, what: str) -> UnusableInput:
        return UnusableInput(f"score table {self.file}, row {line}: {what}")

    def _new_breast(self, line: int, exam: str, side: str, about: tuple[str, ...], same: list[int]) -> int:
        names = [self.columns[i] for i in same]
        if not exam:
            raise self.bad(line, "exam_id is empty; every breast needs its exam's id")
        if side not in ("L", "R"):
            raise self.bad(line, f"side must be L or R, got {side!r}")
        label = about[names.index("malignant")]
        if label not in _LABELS:
            raise self.bad(line, f"malignant must be 0, 1 or empty, got {label!r}")
        self.declared.append(about)
        return self.breasts.setdefault((exam, side), len(self.breasts))

    def _new_condition(self, line: int, perturbation: str, severity: str) -> int:
        try:
            value = float(severity)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.bad(line, f"severity must be a finite number, got {severity!r}")
        if not perturbation or (perturbation == CLEAN.perturbation and value != CLEAN.severity):
            raise self.bad(line, f"perturbation must be named, and clean has severity 0, got {perturbation!r} {severity!r}")
        for (other, text), known in self.conditions.items():
            if other == perturbation and float(text) == value:
                # The same number written another way, 0.5 and 0.50.
                self.conditions[perturbation, severity] = known
                return known
        number = len({*self.conditions.values()})
        self.conditions[perturbation, severity] = number
        return number

    def _disagreement(
        self, line: int, exam: str, side: str, before: tuple[str, ...], now: tuple[str, ...], same: list[int]
    ) -> UnusableInput:
        which = next(i for i, (a, b) in enumerate(zip(before, now, strict=True)) if a != b)
        return self.bad(
            line,
            f"exam {exam}, {side}: {self.columns[same[which]]} must be the same in all rows of a breast, "
            f"got {now[which]!r} after {before[which]!r}",
        )

    def table(self, *, source: str) -> ScoreTable:
        conditions: dict[int, Condition] = {}
        for (perturbation, severity), number in self.conditions.items():
            conditions.setdefault(number, Condition(perturbation, float(severity)))
        if CLEAN not in conditions.values():
            raise UnusableInput(
                f"score table {self.file}: no clean scores; add rows with perturbation 'clean' and severity 0"
            )
        # Clean first, the rest as met, each ladder mild to strong as written.
        order = sorted(conditions, key=lambda number: conditions[number] != CLEAN)
        scores = np.full((len(order), len(self.breasts), len(self.readers)), np.nan)
        for (condition, who), column in self.cells.items():
            scores[order.index(condition), : len(column), who] = column
        names = [name for name in self.columns if name in ("malignant", "subgroup") or name not in REQUIRED]
        about = {name: [entry[i] for entry in self.declared] for i, name in enumerate(names)}
        texts = {name: np.array(values, dtype=np.str_) for name, values in about.items() if name != "malignant"}
        subgroup = texts.pop("subgroup")
        patient = texts.pop("patient_id", np.zeros(len(subgroup), dtype="<U1"))
        return ScoreTable(
            conditions=tuple(conditions[number] for number in order),
            readers=tuple(self.readers),
            scores=scores,
            exam_id=np.array([exam for exam, _ in self.breasts], dtype=np.str_),
            side=np.array([side for _, side in self.breasts], dtype=np.str_),
            malignant=np.array([_LABELS[label] for label in about["malignant"]], dtype=np.int8),
            subgroup=subgroup,
            patient_id=patient,
            strata=texts,
            source=source,
        )


def write_score_table(table: ScoreTable, path: Path) -> None:
    """Write every score there is, one row each; the file appears whole or not at all."""
    strata = {name: column.tolist() for name, column in table.strata.items()}
    header = [*REQUIRED, "patient_id", *strata]
    label = {1: "1", 0: "0", -1: ""}
    about = list(
        zip(
            table.exam_id.tolist(),
            table.side.tolist(),
            [label[int(m)] for m in table.malignant],
            table.subgroup.tolist(),
            table.patient_id.tolist(),
            *strata.values(),
            strict=True,
        )
    )

    def rows() -> Iterator[list[str]]:
        for c, condition in enumerate(table.conditions):
            severity = format(condition.severity, ".12g")
            for r, reader in enumerate(table.readers):
                for (exam, side, malignant, subgroup, *more), score in zip(about, table.scores[c, :, r].tolist(), strict=True):
                    if score == score:
                        yield [exam, side, malignant, subgroup, condition.perturbation, severity, reader, repr(score), *more]

    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    if path.suffix == ".parquet":
        import pyarrow  # type: ignore[import-not-found, import-untyped, unused-ignore]
        from pyarrow import parquet

        columns = list(zip(*rows(), strict=True)) or [()] * len(header)
        parquet.write_table(pyarrow.table(dict(zip(header, map(list, columns), strict=True))), partial)
    else:
        with partial.open("wb") as raw:
            # No time stamp and no name in the gzip header: the same scores give the same bytes.
            binary = gzip.GzipFile("", "wb", 6, raw, mtime=0) if path.name.endswith(".gz") else raw
            with io.TextIOWrapper(binary, encoding="utf-8", newline="") as text:  # type: ignore[type-var]
                writer = csv.writer(text, lineterminator="\n")
                writer.writerow(header)
                writer.writerows(rows())
    os.replace(partial, path)
