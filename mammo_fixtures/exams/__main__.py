"""`python -m mammo_fixtures.exams DIR --labels=labels.csv -o site.csv`: a manifest from a folder of DICOM files."""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.intake.labels import Labels, read_labels
from mammo_fixtures.exams.intake.rows import NAMES, Manifest, manifest_of
from mammo_fixtures.exams.intake.screening import KEEPABLE
from mammo_fixtures.exams.intake.walk import Found, walk
from mammo_fixtures.exams.manifest import read_cohort
from mammo_fixtures.exams.patients import shared_patient_said
from mammo_fixtures.exams.roots import outside_said

_SHOWN = 5
_TELL_SECONDS = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m mammo_fixtures.exams", description=__doc__.partition(": ")[2])
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of DICOM files, however nested")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="site.csv", help="the manifest to write")
    parser.add_argument("--labels", type=Path, metavar="labels.csv", help="malignant, subgroup … by exam and side")
    parser.add_argument(
        "--exam-id", choices=NAMES, default="digest", help="what exams are called [digest of the Study Instance UID]"
    )
    parser.add_argument(
        "--keep", action="append", default=[], choices=KEEPABLE, help="do not leave such images out (repeatable)"
    )
    parser.add_argument("--force", action="store_true", help="overwrite a manifest that is there already")
    given = parser.parse_args(arguments)
    try:
        return _run(given)
    except UnusableInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _run(given: argparse.Namespace) -> int:
    output: Path = given.output
    if output.suffix != ".csv":
        raise UnusableInput(f"the manifest must be called .csv, got {output.name!r}")
    if output.exists() and not given.force:
        raise UnusableInput(f"{output.name} is there already and may have been edited; remove it, or give --force")
    if not output.parent.is_dir():
        raise UnusableInput(f"the manifest's folder must exist, got {str(output.parent)!r}; make it first")
    labels = read_labels(given.labels) if given.labels else None
    found = walk(given.folder, frozenset(given.keep), _teller())
    manifest = manifest_of(found, labels, given.exam_id)
    _write(output.with_suffix(".excluded.csv"), ("path", "reason"), sorted(found.excluded))
    if manifest.rows:
        start = os.path.relpath(given.folder, output.parent)
        cells = [{**row, "path": Path(start, row["path"]).as_posix()} for row in manifest.rows]
        _write(output, manifest.columns, [[row.get(c, "") for c in manifest.columns] for row in cells])
    print("\n".join(_summary(found, manifest, labels, given)))
    if not manifest.rows:
        raise UnusableInput(
            f"the folder must hold screening mammograms, got none in {found.files} files; "
            f"{output.with_suffix('.excluded.csv').name} says why"
        )
    read_cohort(output, allow_outside=[str(given.folder)])
    return 0


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _summary(found: Found, manifest: Manifest, labels: Labels | None, given: argparse.Namespace) -> list[str]:
    """What a person reads: counts, what was left out, and what to look at."""
    rows = manifest.rows
    exams, patients = ({row[name] for row in rows} for name in ("exam_id", "patient_id"))
    breasts = {(row["exam_id"], row["side"]): row.get("malignant", "") for row in rows}
    counts = {"exam": len(exams), "patient": len(patients)}
    counted = ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for what, count in counts.items())
    held = f"{len(rows)} views of {len(breasts)} breasts, {counted}"
    lines = [f"{found.files} files: {held}"]
    reasons = Counter(reason.split(":")[0] for _, reason in found.excluded)
    if reasons:
        lines.append(f"left out: {', '.join(f'{count} {reason}' for reason, count in reasons.most_common())}")
        lines.append(f"each with its reason: {given.output.with_suffix('.excluded.csv')}")
    spacings = Counter(header.spacing_mm for header in found.views if header.spacing_mm)
    lines.append(f"pixel spacing: {', '.join(f'{mm[0]:g} mm ({count})' for mm, count in spacings.most_common())}")
    if labels is not None:
        values = Counter(breasts.values())
        lines.append(f"labels: {values['1']} malignant, {values['0']} not")
        if labels.unused:
            lines.append(_some(f"rows of {labels.file} that no exam was found for", map(str, labels.unused)))
        lines += [_some("breasts without a label", manifest.unlabelled)] if manifest.unlabelled else []
    lines += [_some("exams without four views", manifest.incomplete)] if manifest.incomplete else []
    if said := shared_patient_said((row["exam_id"], row["patient_id"]) for row in rows):
        lines.append(f"look at patients: {said}")
    lines += [_some("views taken more than once, all kept", manifest.repeated)] if manifest.repeated else []
    if given.exam_id != "digest":
        lines.append(f"exams are called by their {given.exam_id}: look whether that names a patient")
    if not rows:
        return lines
    return [*lines, f"written: {given.output}", *outside_said(given.folder, given.output)]


def _some(what: str, names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return f"{what}: {len(every)} ({'; '.join(every[:_SHOWN])}{more})"


def _teller() -> Callable[[int], None]:
    """A line that counts, on a terminal."""
    last = [time.monotonic()]

    def tell(count: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - last[0] > _TELL_SECONDS:
            last[0] = time.monotonic()
            print(f"\r{count} headers read", end="\r", file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
