"""Curve snapshots: small readable files, compared within a tolerance and not rewritten within it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from mammo_fixtures.verdicts.snapshot_text import StoredCurve, compare, same


class CurveSnapshot(SingleFileSnapshotExtension):
    """A curve as a text file of its own."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    def serialize(self, data: Any, **_: Any) -> str:
        if not isinstance(data, StoredCurve):
            raise TypeError(f"a curve snapshot holds a StoredCurve, got {type(data).__name__}")
        return data.text()

    def matches(self, *, serialized_data: Any, snapshot_data: Any) -> bool:
        return same(now=str(serialized_data), stored=str(snapshot_data))

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:
        yield from compare(now=str(serialized_data), stored=str(snapshot_data))
