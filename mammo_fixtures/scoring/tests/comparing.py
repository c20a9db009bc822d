"""Looking at tables and stores from outside."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np

from mammo_fixtures import ScoreTable


def same(one: ScoreTable, other: ScoreTable) -> bool:
    """Whether two tables have the same scores, to the last bit, of the same cohort."""
    return (
        one.conditions == other.conditions
        and np.array_equal(one.scores, other.scores)
        and one.fingerprint == other.fingerprint
    )


def by_hand(path: Path, statement: str, *values: object) -> list[Any]:
    """Run a statement on a store's file behind its back."""
    connection = sqlite3.connect(path)
    with connection:
        rows = connection.execute(statement, values).fetchall()
    connection.close()
    return rows
