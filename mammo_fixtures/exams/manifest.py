"""Cohorts from manifests: one row a view, everything checked before a pixel is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.cohort import Breast, Cohort, Exam
from mammo_fixtures.exams.manifest_rows import (
    Row,
    check_columns_known,
    check_texts,
    hidden_rows,
    read_rows,
    unreachable,
)
from mammo_fixtures.exams.pseudonyms import Pseudonyms
from mammo_fixtures.exams.remote_file import FilePath, RemoteFile, file_at, look_up
from mammo_fixtures.exams.roots import Roots, roots_of
from mammo_fixtures.exams.view import SIDES
from mammo_fixtures.exams.view_file import ViewFile

REQUIRED = ("exam_id", "side", "view", "path")
PER_VIEW = (
    "exam_id",
    "side",
    "view",
    "path",
    "pixel_spacing_mm",
    "intensity_low",
    "intensity_high",
    "noise_gain",
    "roi_path",
)
PER_BREAST = ("malignant", "subgroup", "patient_id")
LABELS = {"1": True, "0": False, "": None}
NOTHING = ("nan", "none", "null", "<na>")
"""What programs write where there is no value; exams of such a patient would be one cluster."""
IMAGE_TYPES = ("", ".dcm", ".dicom", ".ima", ".png")
"""File name endings read; one of digits only is the tail of a DICOM UID. The content decides which it is."""


def read_cohort(path: str | Path, *, allow_outside: Sequence[str] = (), pseudonyms: Pseudonyms | None = None) -> Cohort:
    """The cohort of a manifest, `.csv`, `.csv.gz` or `.parquet`, or `phantoms` for the embedded one.

    What it names must lie in its own folder, or in one of those that `allow_outside` names. It and the files that it
    names may be URLs of any file system that fsspec knows (`s3://site/exams.csv`). Exams stand in the order in which
    the manifest first names them; their pixels are decoded when asked for. With `pseudonyms`, no id of an exam or a
    patient and no path of an image is told to anyone.
    Raises UnusableInput, in one line that names the file and the row (an editor's line number, the header being 1).
    """
    manifest: FilePath
    if str(path) == "phantoms":
        from mammo_fixtures.exams.phantoms import phantom_cohort

        manifest, name = Path(phantom_cohort()), "phantoms"
    else:
        manifest = path if isinstance(path, Path) else file_at(path)
        name = manifest.name.removesuffix(".gz").rsplit(".", 1)[0]
    columns, rows = read_rows(manifest)
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise UnusableInput(
            f"{manifest.name}: a manifest needs the columns {', '.join(REQUIRED)}, {', '.join(missing)} missing; "
            f"got {', '.join(columns)}"
        )
    check_columns_known(manifest.name, columns, PER_VIEW + PER_BREAST)
    for row in rows:
        if row.get("patient_id").lower() in NOTHING:
            raise UnusableInput(
                f"{row.origin}: patient_id must be empty where it is not known, got {row['patient_id']!r}; clear it"
            )
    if pseudonyms is not None:
        rows = hidden_rows(rows, pseudonyms, known_columns=PER_VIEW + PER_BREAST)
    check_texts(manifest.name, columns, rows)
    roots = Roots(manifest=manifest, allowed=roots_of(allow_outside))
    breasts: dict[tuple[str, str], _BreastRows] = {}
    patients: dict[str, Row] = {}
    for row in rows:
        with row.told():
            _add(row, roots, breasts, patients)
    _check_files(manifest, breasts)
    return Cohort(name=name, exams=_exams(breasts), source=str(manifest))


@dataclass(slots=True)
class _BreastRows:
    """The rows of one breast, gathered: the first decides, the others must agree with it."""

    first: Row
    malignant: bool | None
    views: dict[str, ViewFile] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)


def _add(row: Row, roots: Roots, breasts: dict[tuple[str, str], _BreastRows], patients: dict[str, Row]) -> None:
    exam_id, side, position = row["exam_id"], row["side"], row["view"]
    for column in REQUIRED:
        if not row[column]:
            raise UnusableInput(f"{row.origin}: {column} must not be empty; fill it in")
    if side not in SIDES:
        raise UnusableInput(f"{row.origin}: side must be L or R, got {side!r}")
    if position[:2].upper() in ("L-", "R-"):
        raise UnusableInput(f"{row.origin}: view must be the position alone, got {position!r}; side has its own column")
    label = row.get("malignant")
    if label not in LABELS:
        raise UnusableInput(f"{row.origin}: malignant must be 1, 0 or empty, got {label!r}")
    breast = breasts.get((exam_id, side))
    if breast is None:
        breast = breasts[exam_id, side] = _BreastRows(first=row, malignant=LABELS[label])
    else:
        _check_agreement(breast.first, row)
    same = breast.rows.get(position)
    if same is not None:
        raise UnusableInput(
            f"{row.origin}: one row a view, but exam {exam_id}, {side}-{position} already stands in row {same.number}; "
            f"remove one, or name a repeated exposure apart, such as {position}.2"
        )
    patient = patients.setdefault(exam_id, row)
    if patient.get("patient_id") != row.get("patient_id"):
        raise UnusableInput(
            f"{row.origin}: an exam has one patient, but patient_id differs from row {patient.number} "
            f"of exam {exam_id}; correct one of them"
        )
    breast.rows[position] = row
    breast.views[position] = _view_file(row, roots)


def _check_agreement(first: Row, row: Row) -> None:
    """Label, subgroup and strata belong to the breast: its rows agree in every column that is not the view's own."""
    for column, value in row.values.items():
        if column not in PER_VIEW and column != "patient_id" and first.values[column] != value:
            raise UnusableInput(
                f"{row.origin}: rows of one breast must agree in {column}, got {value!r} here and "
                f"{first.values[column]!r} in row {first.number} of exam {row['exam_id']}, {row['side']}; correct "
                f"one of them"
            )


def _view_file(row: Row, roots: Roots) -> ViewFile:
    roi_path = row.get("roi_path")
    return ViewFile(
        exam_id=row["exam_id"],
        side=row["side"],
        position=row["view"],
        path=_named(row["path"], roots, row.origin),
        origin=row.origin,
        pixel_spacing_mm=_spacing(row),
        intensity_low=row.number_or_none("intensity_low"),
        intensity_high=row.number_or_none("intensity_high"),
        noise_gain=row.number_or_none("noise_gain"),
        hidden=row.hidden,
        roi_path=_named(roi_path, roots, row.origin) if roi_path else None,
    )


def _named(text: str, roots: Roots, origin: str) -> FilePath:
    return roots.check(file_at(text, beside=roots.manifest), text, origin)


def _spacing(row: Row) -> tuple[float, float] | None:
    """One length for both directions, or two, between rows and between columns, with a space: `0.07 0.08`."""
    text = row.get("pixel_spacing_mm")
    if not text:
        return None
    try:
        lengths = [float(part) for part in text.split()]
    except ValueError:
        lengths = []
    if len(lengths) not in (1, 2) or not all(0 < length < 100 for length in lengths):
        raise UnusableInput(
            f"{row.origin}: pixel_spacing_mm must be a length in mm, or two with a space (rows, columns), got {text!r}"
        )
    return (lengths[0], lengths[-1])


def _check_files(manifest: FilePath, breasts: Mapping[tuple[str, str], _BreastRows]) -> None:
    """All files must be there; remote ones are asked for their marks on the way."""
    views = [(breast, position) for breast in breasts.values() for position in breast.views]
    named = [file for breast, position in views for file in _files(breast.views[position])]
    remote = look_up(file for file in named if isinstance(file, RemoteFile))
    absent: list[tuple[Row, str]] = []
    for breast, position in views:
        view, row = breast.views[position], breast.rows[position]
        suffix = view.path.suffix.lower()
        if suffix not in IMAGE_TYPES and not suffix[1:].isdigit():
            raise UnusableInput(
                f"{row.origin}: an image must be DICOM (.dcm) or PNG, got another ending; export it as one of these"
            )
        for needed in _files(view):
            found = remote[needed] if isinstance(needed, RemoteFile) else _is_file(needed)
            if isinstance(found, OSError) and not isinstance(found, FileNotFoundError):
                raise unreachable(row.origin, row.shown(str(needed)), found, told=not row.hidden) from found
            if found is False or isinstance(found, OSError):
                absent.append((row, "path" if needed is view.path else "roi_path"))
        if remote:
            breast.views[position] = replace(
                view, path=_marked(view.path, remote), roi_path=view.roi_path and _marked(view.roi_path, remote)
            )
    if absent:
        row, column = min(absent, key=lambda one: one[0].number)
        more = f" (and {len(absent) - 1} more)" if len(absent) > 1 else ""
        raise UnusableInput(
            f"{row.origin}: the file that {column} names must exist, but does not{more}; paths are relative to "
            f"{manifest.name}"
        )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than any file's, a folder that may not be entered
        return False


def _files(view: ViewFile) -> list[FilePath]:
    return [view.path] if view.roi_path is None else [view.path, view.roi_path]


def _marked(file: FilePath, remote: Mapping[RemoteFile, RemoteFile | OSError]) -> FilePath:
    found = remote.get(file) if isinstance(file, RemoteFile) else None
    return found if isinstance(found, RemoteFile) else file


def _exams(breasts: Mapping[tuple[str, str], _BreastRows]) -> tuple[Exam, ...]:
    exams: dict[str, list[Breast]] = {}
    for (exam_id, side), gathered in breasts.items():
        breast = Breast(
            exam_id=exam_id,
            side=side,
            views=tuple(gathered.views.values()),
            malignant=gathered.malignant,
            subgroup=gathered.first.get("subgroup"),
            patient_id=gathered.first.get("patient_id"),
            strata={name: value for name, value in gathered.first.values.items() if name not in PER_VIEW + PER_BREAST},
        )
        exams.setdefault(exam_id, []).append(breast)
    return tuple(Exam(exam_id=exam_id, breasts=tuple(members)) for exam_id, members in exams.items())
