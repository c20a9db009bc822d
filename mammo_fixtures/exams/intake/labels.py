"""Labels of exams from a table of one's own, matched without writing what identifies anyone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.manifest_rows import Row, check_columns_known, read_rows
from mammo_fixtures.exams.view import SIDES

KEYS = ("exam_id", "folder", "study_uid", "accession")
"""Columns of which a table has one: it says which exam a row is about."""
_IDENTIFYING = re.compile(r"patient|name|birth|dob|mrn|ssn|address|phone|accession|uid", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class Labels:
    """What a table says of breasts, by key and side; side is empty where a row speaks of a whole exam."""

    file: str
    key: str = ""
    columns: tuple[str, ...] = ()
    """Columns that are written to the manifest."""
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    used: dict[int, str] = field(default_factory=dict)
    """Study that a row was first found for, by the row's number."""

    def of(self, keys: Mapping[str, Sequence[str]], side: str) -> dict[str, str]:
        """The columns of a breast, empty where nothing is said; `keys` has the exam's own values of each key."""
        for value in keys.get(self.key, ()):
            found = self.rows.get((value, side)) or self.rows.get((value, ""))
            if found is not None:
                study = "".join(keys.get("study_uid", ()))
                several = self.used.setdefault(found.number, study) != study
                if several and self.key == "folder" and found.get("malignant") == "1":
                    raise UnusableInput(
                        f"{found.origin}: the folder of a malignant breast must hold one exam, got several; name the "
                        "exam's own folder, or say which exam by study_uid or accession"
                    )
                return {column: found.get(column) for column in self.columns}
        return {}

    @property
    def unused(self) -> list[int]:
        """Numbers of rows that no exam was found for."""
        return sorted(row.number for row in self.rows.values() if row.number not in self.used)


def read_labels(path: Path) -> Labels:
    """A table `.csv`, `.csv.gz` or `.parquet` with one key column, `side`, `malignant`, and further ones as strata.

    Raises UnusableInput, in one line that names file and row, and never the key's value.
    """
    columns, rows = read_rows(path)
    keys = [column for column in columns if column in KEYS]
    if len(keys) != 1:
        raise UnusableInput(
            f"{path.name}: one column must say which exam a row is about, {', '.join(KEYS)}; got "
            f"{' and '.join(keys) or 'none of them'}; keep one"
        )
    if "malignant" not in columns:
        raise UnusableInput(f"{path.name}: it needs the column malignant, got {', '.join(columns)}; add it")
    check_columns_known(path.name, columns, ("side", "malignant", "subgroup", "density"))
    copied = tuple(column for column in columns if column not in (keys[0], "side"))
    revealing = [column for column in copied if _IDENTIFYING.search(column)]
    if revealing:
        raise UnusableInput(
            f"{path.name}: columns are copied to the manifest, so none may identify a patient, got {revealing[0]!r}; "
            "remove it"
        )
    labels = Labels(file=path.name, key=keys[0], columns=copied)
    for row in rows:
        _take(labels, row)
    return labels


def _take(labels: Labels, row: Row) -> None:
    value, side = row.get(labels.key), row.get("side")
    if labels.key == "folder":
        value = value.replace("\\", "/").strip("/")
    if not value:
        raise UnusableInput(f"{row.origin}: {labels.key} must not be empty; fill it in")
    if side not in (*SIDES, ""):
        raise UnusableInput(f"{row.origin}: side must be L, R or empty for both, got {side!r}")
    if row.get("malignant") not in ("1", "0", ""):
        raise UnusableInput(f"{row.origin}: malignant must be 1, 0 or empty, got {row.get('malignant')!r}")
    if not side and row.get("malignant") == "1":
        raise UnusableInput(f"{row.origin}: a malignant breast needs its side, got none; add L or R")
    for of_side in {side, ""} if side else {"", *SIDES}:
        other = labels.rows.get((value, of_side))
        differs = next((c for c in labels.columns if other is not None and other.get(c) != row.get(c)), None)
        if other is not None and differs is not None:
            raise UnusableInput(
                f"{row.origin}: rows of one breast must agree in {differs}, got {row.get(differs)!r} here and "
                f"{other.get(differs)!r} in row {other.number}; correct one of them"
            )
    labels.rows.setdefault((value, side), row)
