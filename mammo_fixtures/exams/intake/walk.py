"""Every file below a folder, its header read, sorted into views and what is left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.intake.header import Header, NoHeader, read_header
from mammo_fixtures.exams.intake.screening import left_out
from mammo_fixtures.exams.manifest import IMAGE_TYPES


@dataclass(slots=True, kw_only=True)
class Found:
    """What a folder holds."""

    views: list[Header] = field(default_factory=list)
    excluded: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason of every file that is no view of the manifest."""
    densities: dict[str, str] = field(default_factory=dict)
    """Breast composition by Study Instance UID, from structured reports."""

    @property
    def files(self) -> int:
        return len(self.views) + len(self.excluded)


def walk(folder: Path, keep: frozenset[str], tell: Callable[[int], None] = lambda count: None) -> Found:
    """Read the header of every file; `tell` is told how many have been read. Links to folders are not followed."""
    if not folder.is_dir():
        raise UnusableInput(f"the folder must exist, got {str(folder)!r}; check the path")
    found = Found()
    seen: dict[str, str] = {}
    for number, path in enumerate(_files(folder), 1):
        name = path.relative_to(folder).as_posix()
        tell(number)
        if path.name == "DICOMDIR":
            found.excluded.append((name, "no image"))
            continue
        try:
            header = read_header(path, name)
        except NoHeader as reason:
            found.excluded.append((name, str(reason)))
            continue
        if header.density and header.study:
            found.densities[header.study] = header.density
        reason_text = left_out(header, keep) or _unnamed(path)
        if not reason_text and header.instance in seen:
            reason_text = f"duplicate: {seen[header.instance]}"
        if reason_text:
            found.excluded.append((name, reason_text))
            continue
        if header.instance:
            seen[header.instance] = name
        found.views.append(header)
    return found


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(root, name) for name in sorted(names))


def _unnamed(path: Path) -> str:
    """A manifest takes files by their ending; so does this."""
    suffix = path.suffix.lower()
    return "" if suffix in IMAGE_TYPES or suffix[1:].isdigit() else f"file name: ends in {suffix}, rename it to .dcm"
