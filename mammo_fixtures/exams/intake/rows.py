"""The rows of a manifest from the views that a folder holds, under names that identify no one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.intake.header import Header
from mammo_fixtures.exams.intake.labels import Labels
from mammo_fixtures.exams.intake.screening import is_for_processing, position
from mammo_fixtures.exams.intake.walk import Found

NAMES = ("digest", "folder", "accession")
"""What an exam is called by: a digest of its Study Instance UID, its folder, or, only when asked, its number."""
_DIGITS = 12


@dataclass(slots=True, kw_only=True)
class Manifest:
    """The rows, and what a person should know of them."""

    columns: tuple[str, ...]
    rows: list[dict[str, str]] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    """Breasts without a label, as `exam, side`."""
    repeated: list[str] = field(default_factory=list)
    """Views of which an exam has several."""
    incomplete: list[str] = field(default_factory=list)
    """Exams without four views."""


def digest_of(study: str) -> str:
    """What an exam is called where nothing else is asked for: the same in every run, and telling nobody's name."""
    return hashlib.sha256(f"mammo-robustness exam {study}".encode()).hexdigest()[:_DIGITS]


def manifest_of(found: Found, labels: Labels | None, names: str = "digest") -> Manifest:
    """One row a view, exams and views in a stable order. Moves what another image replaces to the excluded."""
    exams: dict[str, list[Header]] = {}
    for header in found.views:
        exams.setdefault(header.study, []).append(header)
    for study in [study for study, headers in exams.items() if _of_several(headers)]:
        reason = "contradictory patient: its study holds images of another Patient ID"
        found.excluded += [(header.path, reason) for header in exams.pop(study)]
    called = {study: _called(headers, names) for study, headers in exams.items()}
    _check_distinct(called, names)
    patients = _patients(exams)
    copied = tuple(c for c in (labels.columns if labels else ()) if c not in ("malignant", "subgroup", "density"))
    columns = ("exam_id", "side", "view", "path", "malignant", "subgroup", "patient_id", "density", "manufacturer")
    manifest = Manifest(columns=(*columns, "implant", *copied))
    for study in sorted(exams, key=lambda each: called[each]):
        _add(manifest, found, labels, called[study], patients[study], exams[study])
    out = {path for path, _ in found.excluded}
    found.views = [header for header in found.views if header.path not in out]
    return manifest


def _add(
    manifest: Manifest, found: Found, labels: Labels | None, exam_id: str, patient: str, headers: list[Header]
) -> None:
    keys = {
        "exam_id": [exam_id, digest_of(headers[0].study)],
        "study_uid": [headers[0].study],
        "accession": [headers[0].accession] if headers[0].accession else [],
        "folder": _folders(headers),
    }
    views = _views(found, exam_id, headers, manifest.repeated)
    if {name.split(".")[0] for name in views} != {"L-CC", "L-MLO", "R-CC", "R-MLO"}:
        manifest.incomplete.append(exam_id)
    makers = {header.manufacturer for header in headers}
    for side in ("L", "R"):
        own = {name: header for name, header in views.items() if name[0] == side}
        if not own:
            continue
        label = labels.of(keys, side) if labels else {}
        if not label.get("malignant"):
            manifest.unlabelled.append(f"{exam_id}, {side}")
        about = {
            "patient_id": patient,
            "density": found.densities.get(headers[0].study, ""),
            "manufacturer": "several" if len(makers) > 1 else "".join(makers),
            "implant": str(int(any(header.implant for header in own.values()))),
        }
        about |= {column: value for column, value in label.items() if value or column != "density"}
        for name, header in own.items():
            manifest.rows.append({"exam_id": exam_id, "side": side, "view": name[2:], "path": header.path} | about)


def _views(found: Found, exam_id: str, headers: list[Header], repeated: list[str]) -> dict[str, Header]:
    """The exam's images by view: presentation images before raw ones, repeated exposures as CC.2."""
    views: dict[str, Header] = {}
    by_view: dict[str, list[Header]] = {}
    for header in sorted(headers, key=lambda each: (each.number, each.path)):
        by_view.setdefault(f"{header.side}-{position(header)}", []).append(header)
    for name in sorted(by_view):
        shown = [each for each in by_view[name] if not is_for_processing(each)]
        for raw in by_view[name] if shown else []:
            if is_for_processing(raw):
                found.excluded.append((raw.path, "for processing: beside the image for presentation"))
        taken = shown or by_view[name]
        if len(taken) > 1:
            repeated.append(f"{exam_id}, {name}")
        views |= {name if not i else f"{name}.{i + 1}": each for i, each in enumerate(taken)}
    return views


def _called(headers: list[Header], names: str) -> str:
    if names == "digest":
        return digest_of(headers[0].study)
    if names == "folder":
        return headers[0].path.rpartition("/")[0] or digest_of(headers[0].study)
    if not headers[0].accession:
        raise UnusableInput(
            f"{headers[0].path}: an exam called by its Accession Number (0008,0050) must have one, got none; use "
            "--exam-id=digest"
        )
    return headers[0].accession


def _check_distinct(called: Mapping[str, str], names: str) -> None:
    seen: dict[str, str] = {}
    for study, name in called.items():
        if seen.setdefault(name, study) != study:
            what = f"folder {name!r} holds" if names == "folder" else f"{names} names"
            raise UnusableInput(f"each exam needs a name of its own, but one {what} two studies; use --exam-id=digest")


def _patients(exams: Mapping[str, list[Header]]) -> dict[str, str]:
    """What each exam's patient is called: as her first exam. A digest of Patient ID could be guessed back."""
    first: dict[str, str] = {}
    for study, headers in exams.items():
        patient = headers[0].patient
        if patient:
            first[patient] = min(first.get(patient, "~"), digest_of(study))
    return {study: f"p{first.get(headers[0].patient, digest_of(study))}" for study, headers in exams.items()}


def _of_several(headers: list[Header]) -> bool:
    """Whether Patient IDs differ within a study, as where study UIDs were given out twice; issuers may be left out."""
    return len({header.patient.partition("|")[2] for header in headers if header.patient}) > 1


def _folders(headers: list[Header]) -> list[str]:
    """Folders that hold all of an exam's images, the innermost first."""
    shared = [set(_parents(header.path)) for header in headers]
    return sorted(set.intersection(*shared), key=len, reverse=True)


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:i]) for i in range(1, len(parts) + 1)]
