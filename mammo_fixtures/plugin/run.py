"""One run of the gate: its settings, what was selected, and what came of it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mammo_fixtures.exams.pseudonyms import Pseudonyms, read_key
from mammo_fixtures.plugin.beside_claims import with_those_beside
from mammo_fixtures.plugin.devices import Numbers
from mammo_fixtures.plugin.missing_subgroups import relied_on
from mammo_fixtures.plugin.run_folder import hold, let_go, make_folder, sweep
from mammo_fixtures.plugin.settings import Settings, read_settings
from mammo_fixtures.reports.headline import accepted_lines
from mammo_fixtures.scoring.score_table import Condition
from mammo_fixtures.verdicts import Tolerance, read_tolerances
from mammo_fixtures.verdicts.claim import Claim, plan

if TYPE_CHECKING:
    from mammo_fixtures.plugin.view_checks import Look

VERDICT = "mammo_verdict"
CURVE = "mammo_curve"
BESIDE = "mammo_beside"
_SNAPSHOT_DIFFERS = "assert [+ received] == [- snapshot]"
_NO_SNAPSHOT = "does not exist!"
_FIGURES = ("outcome", "clean", "perturbed", "drop", "low", "high", "margin", "positives", "negatives")


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """State of a pytest session, the same class in controller and workers."""

    settings: Settings
    tolerances: tuple[Tolerance, ...]
    pseudonyms: Pseudonyms | None = None
    """In place of every id that is written or shown; None where ids are used as they are."""
    worker: dict[str, Any] | None = None
    """What the controller told this worker; None in the controller and without xdist."""
    pass_name: str = field(default_factory=lambda: uuid.uuid4().hex)
    folder: Path = field(default_factory=make_folder)
    """Of this run alone, shared by its workers; removed at its end."""
    held: int | None = None
    """What keeps the folder from being swept."""
    conditions: tuple[Condition, ...] = ()
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    beside: list[dict[str, Any]] = field(default_factory=list)
    """What a report draws beside curves."""
    ends: dict[str, dict[str, str]] = field(default_factory=dict)
    """By test: how it ended, and the first line of its message."""
    _taken: set[tuple[str, object]] = field(default_factory=set)
    """What was gathered from reports, as it stood there."""
    header: dict[str, Any] = field(default_factory=dict)
    """Where the scores came from; filled once they are there."""
    effort: dict[str, float] = field(default_factory=dict)
    """Scores of the pass, those of them that were in the store, and its seconds; empty where none was made."""
    remarks: dict[str, None] = field(default_factory=dict)
    """Lines for the summary, each once."""
    flags: Counter[str] = field(default_factory=Counter)
    """Views by what is out of the ordinary with a condition on them; workers' counts add up."""
    order: dict[str, int] = field(default_factory=dict)
    """Places of the tests by name, as they were collected; workers end them in any order."""
    claims_selected: int = 0
    """Those that tolerances judge."""
    claims_of_scores: int = 0
    """With curves, clean claims, checks of the contract and tests of the user's own: whatever asks for scores."""
    relied_on: dict[str, int] = field(default_factory=dict)
    """Claims that must be judged, by the subgroups that they name."""
    cancels: tuple[str, ...] = ()
    """Perturbations that the classifier declares to undo exactly: under them scores are those of the clean views."""
    planned_workers: int = 1
    """Of `-n`, where the run is only planned."""
    numbers: Numbers = field(default_factory=Numbers)
    """Of the workers, in the controller."""
    looked_at: list[Look] = field(default_factory=list)
    """What the contract's checks saw of the views that they decoded."""

    @classmethod
    def begin(cls, config: pytest.Config) -> Run:
        settings = read_settings(config, claims_folder(config))
        tolerances = read_tolerances(settings.tolerances) if settings.tolerances.exists() else ()
        key = os.environ.get("MAMMO_ID_KEY", "")
        pseudonyms = read_key(settings.id_key, key) if settings.hash_ids else None
        told = getattr(config, "workerinput", {}).get("mammo")
        if told is None:
            sweep()
            run = cls(settings=settings, tolerances=tolerances, pseudonyms=pseudonyms)
            run.held = hold(run.folder)
            return run
        return cls(
            settings=settings,
            tolerances=tolerances,
            pseudonyms=pseudonyms,
            worker=told,
            pass_name=told["pass_name"],
            folder=Path(told["folder"]),
            held=hold(Path(told["folder"])),
        )

    @property
    def number(self) -> int | None:
        """Of this worker among those that live; None in the controller and without xdist."""
        return None if self.worker is None else self.worker["number"]

    @property
    def store(self) -> Path:
        """The store's file; the run's own where none is kept."""
        return self.settings.store or self.folder / "scores.sqlite"

    @property
    def unkept_store(self) -> Path:
        """Where scores of a classifier without fingerprint are shared between workers."""
        return self.folder / "unkept.sqlite"

    def owner(self, worker: str) -> str:
        """How a worker of this run signs what it works on."""
        return f"{worker} of {self.pass_name}"

    @property
    def scores_file(self) -> Path:
        return self.folder / "scores.csv.gz"

    @property
    def moved_file(self) -> Path:
        """Breasts whose score moved most, as JSON."""
        return self.folder / "moved.json"

    @property
    def pictures_file(self) -> Path:
        """Pictures for the report, as JSON."""
        return self.folder / "pictures.json"

    @property
    def size_file(self) -> Path:
        """The number of exams, which workers know."""
        return self.folder / "exams"

    @property
    def stage_file(self) -> Path:
        """How far what comes before the first exam is: its name, done and wanted."""
        return self.folder / "stage"

    @property
    def early_file(self) -> Path:
        """What is told before anything is scored, a line each; workers know it."""
        return self.folder / "early.txt"

    @property
    def fields_file(self) -> Path:
        """Fields that were fitted for this run."""
        return self.folder / "universal.safetensors"

    @property
    def hung_file(self) -> Path:
        """What a process of this run wrote when its classifier did not answer."""
        return self.folder / "hung.txt"

    @property
    def fourier_map_file(self) -> Path:
        return self.folder / "fourier_map.json"

    def select(self, items: Sequence[pytest.Item]) -> None:
        """Derive the conditions that the selected tests need."""
        selected = [claim for claim in map(claim_of, items) if claim is not None]
        self.claims_selected = sum(claim.tolerance is not None for claim in selected)
        self.claims_of_scores = sum(map(asks_for_scores, items))
        self.relied_on = relied_on(selected, self.tolerances, strict=self.settings.strict)
        self.keep_order([item.nodeid for item in items])
        self.conditions = with_those_beside(plan(selected), self.settings.fourier_map)

    def keep_order(self, ids: Sequence[str]) -> None:
        """As collected by this process or, under xdist, by its workers, who all collect the same."""
        for place, nodeid in enumerate(ids):
            self.order.setdefault(_test_name(nodeid), place)

    @property
    def verdicts_in_order(self) -> list[dict[str, Any]]:
        """The verdicts in the order of their tests, whoever ran them."""
        return sorted(self.verdicts, key=lambda verdict: self.order.get(verdict["test"], len(self.order)))

    def take(self, report: pytest.TestReport) -> None:
        """Gather how tests ended, and the verdicts and curves that they left in their reports, from workers too."""
        if report.when == "call" or not report.passed:
            test = _test_name(report.nodeid)
            if self.ends.get(test, {}).get("outcome") != "failed":
                self.ends[test] = {"outcome": report.outcome, "message": _first_line(report)}
        if report.when != "call":
            return
        gathered = {VERDICT: self.verdicts, CURVE: self.curves, BESIDE: self.beside}
        for name, value in report.user_properties:
            # A test that is run again, as by pytest-rerunfailures, reports what it left before once more.
            if name in gathered and (name, value) not in self._taken:
                self._taken.add((name, value))
                gathered[name].append(json.loads(str(value)))

    @property
    def judged_nothing(self) -> bool:
        """Whether all that was selected was skipped; what is not judged has not passed."""
        skipped = all(end["outcome"] == "skipped" for end in self.ends.values())
        return bool(self.ends) and skipped and not self.verdicts

    def stated(self) -> list[str]:
        """What people should know beside the verdicts, a line each."""
        flags = (f"{flag} ({views} {'view' if views == 1 else 'views'})" for flag, views in self.flags.items())
        return [*flags, *self.remarks, *accepted_lines(self.verdicts_in_order, self.ends)]

    def note(self, output: dict[str, Any]) -> None:
        """Take over what a worker found out."""
        self.header = self.header or output["header"]
        self.effort = max(self.effort, output["effort"], key=lambda effort: effort.get("seconds", 0.0))
        self.remarks.update(dict.fromkeys(output["remarks"]))
        self.flags.update(output["flags"])
        self.claims_selected = max(self.claims_selected, output["claims_selected"])

    def told(self) -> dict[str, Any]:
        """What a worker tells the controller, as plain data."""
        return {
            "header": self.header,
            "effort": self.effort,
            "remarks": list(self.remarks),
            "flags": dict(self.flags),
            "claims_selected": self.claims_selected,
        }

    def end(self) -> None:
        if self.worker is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        let_go(self.held)


RUN = pytest.StashKey[Run]()


def run_of(config: pytest.Config) -> Run:
    """The run of a pytest session."""
    return config.stash[RUN]


def claim_of(item: pytest.Item) -> Claim | None:
    """The claim that a collected test makes, if it makes one."""
    claim = getattr(item, "callspec", None) and item.callspec.params.get("claim")  # type: ignore[attr-defined]
    return claim if isinstance(claim, Claim) else None


def asks_for_scores(item: pytest.Item) -> bool:
    """Whether a test has the cohort scored; a check of the contract says so in its own signature."""
    check = getattr(item, "callspec", None) and item.callspec.params.get("check")  # type: ignore[attr-defined]
    return (
        claim_of(item) is not None
        or "scores" in getattr(item, "fixturenames", ())
        or "scores" in getattr(check, "__annotations__", ())
    )


def claims_folder(config: pytest.Config) -> Path:
    """The folder of the claims: of this checkout, else of the installed suite."""
    here = config.rootpath / "robustness_tests"
    if (here / "tolerances.toml").is_file():
        return here
    spec = importlib.util.find_spec("robustness_tests")
    return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else here


def _test_name(nodeid: str) -> str:
    """A test without its file."""
    return nodeid.partition("::")[2] or nodeid


def figures(verdict: dict[str, Any]) -> list[tuple[str, object]]:
    """A verdict as properties of its JUnit case: the figures one by one, then all of it as JSON."""
    return [(f"mammo_{name}", verdict[name]) for name in _FIGURES] + [(VERDICT, json.dumps(verdict))]


def _first_line(report: pytest.TestReport) -> str:
    """What a failed or skipped test says, without its trace."""
    if isinstance(report.longrepr, tuple):  # of a skipped test: file, line, reason
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = [line.strip() for line in str(crash.message if crash else report.longrepr or "").strip().splitlines()]
    if len(lines) > 1 and lines[0].endswith(_SNAPSHOT_DIFFERS):  # how it differs is told below, syrupy's line first
        told = [line for line in lines[1:] if not line.endswith(_NO_SNAPSHOT)]
        return (told or lines[1:])[0]
    return lines[0] if lines else ""
