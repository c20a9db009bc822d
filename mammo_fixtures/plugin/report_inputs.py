"""What only a process that has the scores can tell a report; it leaves that where the controller finds it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.run import Run
from mammo_fixtures.plugin.run_inputs import sweep_of
from mammo_fixtures.plugin.snapshots import file_of
from mammo_fixtures.reports.beside import of_snapshot, of_table
from mammo_fixtures.reports.findings import Gallery
from mammo_fixtures.reports.moved import moved, where_scores_should_stay
from mammo_fixtures.reports.shrunk import as_text
from mammo_fixtures.verdicts.snapshot_text import StoredCurve
from mammo_fixtures.whole_file import write_whole

if TYPE_CHECKING:
    from mammo_fixtures.classifiers import Classifier
    from mammo_fixtures.exams import Cohort
    from mammo_fixtures.scoring.score_table import ScoreTable
    from mammo_fixtures.verdicts.baseline import Releases
    from mammo_fixtures.verdicts.claim import Claim


def drawn_beside(
    run: Run, claim: Claim, now: StoredCurve, releases: Releases | None, people: ScoreTable | None
) -> list[dict[str, Any]]:
    """What the report draws beside a curve: as stored, of the baseline, of human readers."""
    found = []
    stored = _stored(run.settings.snapshots, claim)
    if stored:
        found.append(of_snapshot(now.curve, stored, now.text()))
    if releases is not None:
        found.append(of_table(now.curve, releases.baseline, kind="baseline", name="baseline"))
    if people is not None:
        found.append(of_table(now.curve, people, kind="people", name="human readers"))
    return [each for each in found if each is not None]


def _stored(snapshots: Path | None, claim: Claim) -> str:
    path = file_of(snapshots, claim) if snapshots else None
    return path.read_text(encoding="utf-8", errors="replace") if path is not None and path.is_file() else ""


def keep_moved(run: Run, table: ScoreTable) -> None:
    """The breasts whose score moved most; each process finds the same."""
    conditions = where_scores_should_stay(table, run.tolerances, run.conditions)
    _keep(run.moved_file, json.dumps(moved(table, conditions)).encode())


def _keep(path: Path, content: bytes) -> None:
    """Leave something in the run's folder for whoever writes the report."""
    try:
        write_whole(path, content)
    except OSError as error:
        raise UnusableInput(
            f"temporary folder {path.parent}: must have room for {path.name}, got: {error.strerror}; free space there, "
            "or set TMPDIR to another folder"
        ) from error


def wants_pictures(run: Run) -> bool:
    """Whether this process draws them: those of one process are enough, whoever comes first."""
    settings = run.settings
    if settings.report is None or settings.scores is not None or settings.pictures == "none":
        return False
    try:
        os.close(os.open(run.folder / "pictures.mine", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def keep_pictures(run: Run, cohort: Cohort, classifier: Classifier) -> None:
    """Draw what the classifier saw. Nothing that happens here may undo a gate that was judged."""
    try:
        galleries = _galleries(run, cohort, classifier)
    except Exception as error:
        reason = f"pictures could not be drawn: {type(error).__name__}: {error}"
        galleries = {"seen": Gallery(missing=(reason,)), "before_after": Gallery()}
    _keep(run.pictures_file, as_text(galleries).encode())


def _galleries(run: Run, cohort: Cohort, classifier: Classifier) -> dict[str, Gallery]:
    from mammo_fixtures.perturbations.universal import UniversalFields
    from mammo_fixtures.plugin.devices import device_of
    from mammo_fixtures.plugin.engine_choice import own_device
    from mammo_fixtures.reports.seen import Seen
    from mammo_fixtures.scoring.needs import Needs

    settings = run.settings
    sweep = sweep_of(
        settings,
        classifier,
        device_of(own_device(settings), run.number),
        needs=Needs(cohort=cohort, classifier=classifier, seed=settings.seed),
        fields=UniversalFields.read(run.fields_file) if run.fields_file.exists() else None,
    )
    seen = Seen(cohort=cohort, sweep=sweep, tolerances=run.tolerances)
    listed = json.loads(run.moved_file.read_text(encoding="utf-8")) if run.moved_file.exists() else []
    return {"seen": seen.perturbations(run.conditions), "before_after": seen.before_after(listed)}
