"""Rows of a score table on their way to columns, each one checked."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.limits import LONGEST_TEXT
from mammo_fixtures.scoring.score_table import CLEAN, COLUMNS, Condition, ScoreTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ONE_LINE = ("exam_id", "patient_id", "subgroup", "perturbation", "reader")
_LABELS = {"0": 0, "1": 1, "": -1}
MOST_NAMES = 4096
"""Conditions, or readers, of a table."""
MOST_UNFILLED = 2**24
UNFILLED = 100
"""Cells without a score that a table may have, and how many for each row where those are more: cells take memory."""


@dataclass(slots=True, kw_only=True)
class GatheredRows:
    """What the rows taken so far say of breasts, conditions and readers."""

    file: str
    columns: list[str]
    breasts: dict[tuple[str, str], int] = field(default_factory=dict)
    declared: list[tuple[str, ...]] = field(default_factory=list)
    """What the first row of each breast says in the columns that all its rows must repeat."""
    conditions: dict[tuple[str, str], int] = field(default_factory=dict)
    """Numbers of the conditions by their text: a number written in two ways has two entries."""
    values: dict[tuple[str, float], int] = field(default_factory=dict)
    """The same numbers, by the number that a text is."""
    readers: dict[str, int] = field(default_factory=dict)
    unfilled: int = 0
    cells: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    """Scores by breast for each condition and reader."""

    def take(self, rows: Iterator[tuple[int, Sequence[str]]]) -> None:
        """Take rows, each with the line where it begins. Written for a million breasts: little is done a row."""
        at = {name: self.columns.index(name) for name in COLUMNS}
        exam, side, score = at["exam_id"], at["side"], at["score"]
        perturbation, severity, reader = at["perturbation"], at["severity"], at["reader"]
        same = [
            i for i, name in enumerate(self.columns) if i not in (exam, side, score, perturbation, severity, reader)
        ]
        width = len(self.columns)
        for line, row in rows:
            if len(row) != width:
                raise self._bad(line, f"a row must have {width} fields as the header has, got {len(row)}")
            breast = self.breasts.get((row[exam], row[side]))
            about = tuple([row[i] for i in same])
            if breast is None:
                breast = self._new_breast(line, row[exam], row[side], about, same)
            elif self.declared[breast] != about:
                raise self._disagreement(line, row[exam], row[side], self.declared[breast], about, same)
            condition = self.conditions.get((row[perturbation], row[severity]))
            if condition is None:
                condition = self._new_condition(line, row[perturbation], row[severity])
            who = self.readers.get(row[reader])
            if who is None:
                who = self._new_reader(line, row[reader])
            column = self.cells.get((condition, who))
            if column is None:
                column = self.cells[condition, who] = []
            if len(column) <= breast:
                if len(column) < breast:
                    self.unfilled += breast - len(column)
                    self._check_unfilled(self.unfilled, line, f"score table {self.file}, row {line}: ")
                column.extend([math.nan] * (breast + 1 - len(column)))
            text = row[score]
            if not text:
                continue
            value = _number(text)
            if value is None:
                raise self._bad(line, f"score must be a finite number, or empty where there is none, got {text!r}")
            if column[breast] == column[breast]:
                raise self._bad(
                    line,
                    f"a breast has one score for each condition and reader, but exam {row[exam]}, {row[side]} has a "
                    f"second one for {row[perturbation]} {row[severity]}, reader {row[reader]!r}; keep one",
                )
            column[breast] = value

    def table(self, *, source: str) -> ScoreTable:
        """The rows as columns: clean first, the other conditions, breasts and readers as first met."""
        if not self.breasts:
            raise UnusableInput(f"score table {self.file}: it needs at least one row below its header, got none")
        conditions: dict[int, Condition] = {}
        for (perturbation, severity), number in self.values.items():
            conditions[number] = Condition(perturbation, severity)
        if CLEAN not in conditions.values():
            raise UnusableInput(
                f"score table {self.file}: it needs clean scores, to compare with, got only "
                f"{', '.join(dict.fromkeys(c.perturbation for c in conditions.values()))}; "
                "add rows with perturbation 'clean' and severity 0"
            )
        order = sorted(conditions, key=lambda number: conditions[number] != CLEAN)
        cells = len(order) * len(self.breasts) * len(self.readers)
        filled = sum(len(column) for column in self.cells.values()) - self.unfilled
        self._check_unfilled(cells - filled, filled, f"score table {self.file}: ")
        scores = np.full((len(order), len(self.breasts), len(self.readers)), np.nan)
        for (condition, who), column in self.cells.items():
            scores[order.index(condition), : len(column), who] = column
        names = [name for name in self.columns if name in ("malignant", "subgroup") or name not in COLUMNS]
        about = {name: [entry[i] for entry in self.declared] for i, name in enumerate(names)}
        texts = {name: self._column(name, values) for name, values in about.items() if name != "malignant"}
        subgroup = texts.pop("subgroup")
        patient_id = texts.pop("patient_id", np.zeros(len(subgroup), dtype="<U1"))
        return ScoreTable(
            conditions=tuple(conditions[number] for number in order),
            readers=tuple(self.readers),
            scores=scores,
            exam_id=self._column("exam_id", [exam for exam, _ in self.breasts]),
            side=np.array([side for _, side in self.breasts], dtype=np.str_),
            malignant=np.array([_LABELS[label] for label in about["malignant"]], dtype=np.int8),
            subgroup=subgroup,
            patient_id=patient_id,
            strata=texts,
            source=source,
        )

    def _column(self, name: str, texts: list[str]) -> NDArray[np.str_]:
        """Texts as NumPy has them, all as wide as the longest."""
        longest, letters = max(map(len, texts)), sum(map(len, texts))
        if longest * len(texts) > max(MOST_UNFILLED * 4, UNFILLED * (letters + len(texts))):
            raise UnusableInput(
                f"score table {self.file}: texts of a column must be of like length, got {name} of up to {longest} "
                f"letters in {len(texts)} breasts that have {letters} letters in all; shorten the longest"
            )
        return np.array(texts, dtype=np.str_)

    def _check_unfilled(self, unfilled: int, rows: int, where: str) -> None:
        if unfilled > max(MOST_UNFILLED, UNFILLED * rows):
            raise UnusableInput(
                f"{where}a table must hold scores for one in {UNFILLED} of its breasts × conditions × readers, got "
                f"{len(self.breasts)} × {len(self.values)} × {len(self.readers)} and {unfilled} of them empty; split it"
            )

    def _bad(self, line: int, what: str) -> UnusableInput:
        return UnusableInput(f"score table {self.file}, row {line}: {what}")

    def _new_breast(self, line: int, exam: str, side: str, about: tuple[str, ...], same: list[int]) -> int:
        if not exam:
            raise self._bad(line, "exam_id must not be empty; every breast needs its exam's id")
        if side not in ("L", "R"):
            raise self._bad(line, f"side must be L or R, got {side!r}")
        label = about[[self.columns[i] for i in same].index("malignant")]
        if label not in _LABELS:
            raise self._bad(line, f"malignant must be 0, 1 or empty, got {label!r}")
        for name, text in (("exam_id", exam), *((self.columns[i], row) for i, row in zip(same, about, strict=True))):
            self._check_text(line, name, text)
        self.declared.append(about)
        return self.breasts.setdefault((exam, side), len(self.breasts))

    def _new_reader(self, line: int, reader: str) -> int:
        self._check_text(line, "reader", reader)
        self._check_count(line, "readers", self.readers)
        return self.readers.setdefault(reader, len(self.readers))

    def _new_condition(self, line: int, perturbation: str, severity: str) -> int:
        value = _number(severity)
        if value is None:
            raise self._bad(line, f"severity must be a finite number, got {severity!r}")
        if not perturbation:
            raise self._bad(line, "perturbation must not be empty; clean rows have perturbation 'clean'")
        self._check_text(line, "perturbation", perturbation)
        if perturbation == CLEAN.perturbation and value != CLEAN.severity:
            raise self._bad(line, f"severity of clean rows must be 0, got {severity!r}")
        # The same number written another way, 0.5 and 0.50, is the same condition.
        self._check_count(line, "conditions", self.conditions)
        number = self.values.setdefault((perturbation, value), len(self.values))
        self.conditions[perturbation, severity] = number
        return number

    def _check_count(self, line: int, what: str, known: Sized) -> None:
        if len(known) >= MOST_NAMES:
            raise self._bad(line, f"a table may have at most {MOST_NAMES} {what}, got more; split it")

    def _check_text(self, line: int, column: str, text: str) -> None:
        """' clean' is not 'clean': rows with one would be judged apart, or not at all.

        NumPy drops zero bytes at the end of a text, so that two exams would become one.
        """
        if "\0" in text:
            raise self._bad(line, f"{column} must not hold a zero byte, got {text!r}; remove it")
        if len(text) > LONGEST_TEXT:
            raise self._bad(line, f"{column} may have at most {LONGEST_TEXT} letters, got {len(text)}; shorten it")
        if text != text.strip():
            raise self._bad(line, f"{column} must not begin or end with a space, got {text!r}; remove it")
        if not re.sub(r"[\t\r\n]", "", text).isprintable() or (column in _ONE_LINE and not text.isprintable()):
            raise self._bad(line, f"{column} must be printable text, got {text!r}; correct it there")

    def _disagreement(
        self, line: int, exam: str, side: str, before: tuple[str, ...], now: tuple[str, ...], same: list[int]
    ) -> UnusableInput:
        which = next(i for i, (a, b) in enumerate(zip(before, now, strict=True)) if a != b)
        return self._bad(
            line,
            f"exam {exam}, {side}: {self.columns[same[which]]} must be the same in all rows of a breast, "
            f"got {now[which]!r} after {before[which]!r}",
        )


def _number(text: str) -> float | None:
    """The finite number that a text is, else None; Python's own `1_000` is no number in a table."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None
