"""Subgroups of breasts: by kind of lesion, by any stratum, and crossings of these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.verdicts.spelling import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mammo_fixtures.exams import Breast
    from mammo_fixtures.scoring.score_table import ScoreTable

ALL = "all"
"""The subgroup of every breast."""
_LISTED = 8
"""Names that a message lists, of those there are."""


def crossed(subgroup: str) -> list[tuple[str, str]]:
    """Column and value of each part of a subgroup's name.

    A breast has one subgroup: parts without a column that follow each other are one name with ` & ` in it.

    >>> crossed("masses & density=d")
    [('subgroup', 'masses'), ('density', 'd')]
    >>> crossed("masses & calcifications")
    [('subgroup', 'masses & calcifications')]
    """
    found: list[tuple[str, str]] = []
    follows = False
    for part in (part.strip() for part in subgroup.split(" & ")):
        column, sign, value = part.partition("=")
        if sign:
            found.append((column.strip(), value.strip()))
        elif follows:
            found[-1] = ("subgroup", f"{found[-1][1]} & {part}")
        elif part != ALL:
            found.append(("subgroup", part))
        follows = not sign and (follows or part != ALL)
    return found


def absent(malignant: Mapping[str, Iterable[str]], subgroup: str) -> str:
    """What of a subgroup's name no malignant breast has, and what there is instead; empty where each part is there.

    `malignant` has, by column, what the malignant breasts have. A column that is not there has nothing.
    """
    for column, value in crossed(subgroup):
        known = sorted({str(name) for name in malignant.get(column, ())} - {""})
        if value not in known:
            hint = nearest(value, known) or f"; there are {', '.join(known[:_LISTED])}" * bool(known)
            return f"none has {column} {value!r}{hint}"
    return ""


def belongs(breast: Breast, subgroup: str) -> bool:
    """Whether a breast is one of a subgroup, a stratum or a crossing."""
    return all(breast.columns.get(column) == value for column, value in crossed(subgroup))


def members(table: ScoreTable, subgroup: str) -> NDArray[np.bool_]:
    """Which breasts (breasts,) belong to a subgroup."""
    inside = np.ones(len(table.exam_id), dtype=np.bool_)
    columns = table.columns
    for column, value in crossed(subgroup):
        if column not in columns:
            hint = nearest(column, list(columns)) or f"; it has {', '.join(columns)}"
            hint = "; a crossing is written with spaces: masses & density=d" if "&" in column else hint
            raise UnusableInput(
                f"{table.source or 'score table'}: a stratum must be a column of the table, got {column!r}{hint}"
            )
        inside &= columns[column] == value
    return inside
