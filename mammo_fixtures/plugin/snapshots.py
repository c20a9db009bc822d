"""Curve snapshots: small readable files, compared within a tolerance and not rewritten within it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from mammo_fixtures.verdicts.snapshot_text import StoredCurve, compare, same

if TYPE_CHECKING:
    from mammo_fixtures.verdicts.claim import Claim


class CurveSnapshot(SingleFileSnapshotExtension):
    """A curve as a text file of its own."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    def serialize(self, data: Any, **_: Any) -> str:
        if not isinstance(data, StoredCurve):
            raise TypeError(f"a curve snapshot holds a StoredCurve, got {type(data).__name__}")
        return data.text()

    def read_snapshot_data_from_location(
        self, *, snapshot_location: str, snapshot_name: str, session_id: str
    ) -> str | None:
        path = Path(snapshot_location)
        # Bytes that are no text are told by the comparison, and an update then writes over them.
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else None

    def matches(self, *, serialized_data: Any, snapshot_data: Any) -> bool:
        return same(now=str(serialized_data), stored=str(snapshot_data))

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:
        yield from compare(now=str(serialized_data), stored=str(snapshot_data))


def file_of(folder: Path, claim: Claim) -> Path:
    """Where syrupy keeps the curve of a claim."""
    return folder / "test_curve" / f"test_curve[{claim.id}].txt"


def orphans(folder: Path | None, claims: Iterable[Claim]) -> list[Path]:
    """Snapshots of a folder that belong to no curve claim."""
    if folder is None:
        return []
    known = {file_of(folder, claim) for claim in claims}
    return [path for path in _stored_files(folder) if path not in known]


def _stored_files(folder: Path) -> list[Path]:
    return sorted((folder / "test_curve").glob("*.txt"))


def stored_in(folder: Path) -> dict[Path, bytes]:
    """The snapshots of a folder as they are now."""
    return {path: path.read_bytes() for path in _stored_files(folder)}


def written_said(before: Mapping[Path, bytes], folder: Path) -> str:
    """How many snapshots workers have written since; syrupy counts those of its own process only."""
    written = sum(before.get(path) != text for path, text in stored_in(folder).items())
    if not written:
        return "no snapshot was written"
    return f"{written} {'snapshot' if written == 1 else 'snapshots'} written to {folder}"
