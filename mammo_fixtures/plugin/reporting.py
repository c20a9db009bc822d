"""The report at the end of a run: by the controller alone, of whatever was judged, also when the run failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mammo_fixtures import __version__
from mammo_fixtures.plugin.beside_claims import write_map
from mammo_fixtures.plugin.run import Run
from mammo_fixtures.reports.findings import Findings, Gallery, Picture, Row
from mammo_fixtures.reports.provenance import digest, versions
from mammo_fixtures.reports.shrunk import from_text

_MAP = "map"
_NOTHING = (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED)


def why_stopped(session: pytest.Session, status: int) -> str:
    """Why tests were left out that were to run, or an empty text."""
    told = session.shouldfail or session.shouldstop
    if isinstance(told, str) and told:
        return told
    if status == pytest.ExitCode.INTERRUPTED:
        return "it was interrupted"
    return "pytest met an internal error" if status == pytest.ExitCode.INTERNAL_ERROR else ""


def write_reports(run: Run, *, stopped: str, status: int) -> bool:
    """Every file of the report, if one is asked for and there is anything to tell; False where that fails.

    The terminal then still has its summary, and says so.
    """
    folder = run.settings.report
    there = run.verdicts or run.curves or run.ends or run.fourier_map_file.exists() or stopped
    if folder is None or status in _NOTHING or not there:
        return True
    from mammo_fixtures.reports.folder import write_report

    try:
        drawn = _fourier_map(run)
        more = {file.name: file for file in (run.scores_file, run.fields_file, *drawn)}
        write_report(folder, _findings(run, stopped), more=more)
    except OSError as error:
        run.remarks[f"--mammo-report={folder}: cannot be written: {error}"] = None
        return False
    run.remarks[f"report written to {folder / 'report.html'}"] = None
    return True


def _findings(run: Run, stopped: str) -> Findings:
    tolerances = run.settings.tolerances
    text = tolerances.read_text(encoding="utf-8") if tolerances.exists() else ""
    pictures = _pictures(run, stopped)
    return Findings(
        header=_header(run, tolerances.name, text, stopped),
        verdicts=run.verdicts,
        curves=run.curves,
        beside=run.beside,
        ends=run.ends,
        selected=run.claims_selected,
        stopped=stopped,
        moved=_read(run.moved_file, []),
        notes=run.stated(),
        tolerances=run.tolerances,
        tolerances_file=(tolerances.name, text) if text else ("", ""),
        seen=pictures["seen"],
        before_after=pictures["before_after"],
        maps=_maps(run.folder / _MAP / "fourier_map.png"),
    )


def _fourier_map(run: Run) -> list[Path]:
    """The files of the Fourier map, where one was asked for."""
    folder = run.folder / _MAP
    folder.mkdir(exist_ok=True)
    write_map(run, folder)
    return sorted(folder.iterdir())


def _maps(path: Path) -> Gallery:
    """The Fourier map as a picture of the page."""
    if not path.exists():
        return Gallery()
    from PIL import Image

    with Image.open(path) as image:
        width, height = image.size
    told = "Fourier sensitivity map; the figures stand in fourier_map.csv"
    picture = Picture(label="", data=path.read_bytes(), width=width, height=height, kind="png", description=told)
    return Gallery(rows=(Row(title="Fourier sensitivity map", of="fourier_map", panels=((picture,),)),))


def _header(run: Run, name: str, text: str, stopped: str) -> dict[str, Any]:
    """What the process that has the scores knows of them, and what decides figures beside them."""
    header = {"version": __version__} | run.header
    header |= {"tolerances": {"file": name, "sha256": digest(text.encode())}} if text else {}
    header |= {"stopped": stopped} if stopped else {}
    return header | {"versions": versions(images=run.settings.scores is None)}


def _pictures(run: Run, stopped: str) -> dict[str, Gallery]:
    if run.pictures_file.exists():
        return from_text(run.pictures_file.read_text(encoding="utf-8"))
    settings = run.settings
    if settings.scores is not None:
        reason = "No pictures: a score table was judged (--mammo-scores), which has no images."
    elif settings.pictures == "none":
        reason = "No pictures: --mammo-pictures=none."
    elif stopped:
        reason = "No pictures: the run ended before they were drawn."
    else:
        reason = "No pictures: no selected test needed scores."
    return {"seen": Gallery(missing=(reason,)), "before_after": Gallery()}


def _read(path: Path, otherwise: Any) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else otherwise
