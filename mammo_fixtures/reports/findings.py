"""What a report is about: all of a run as plain data, in an order that the same scores always give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.verdicts import Tolerance

Plain = Mapping[str, Any]
"""Numbers and text by name, as they stand in JSON."""

DEMONSTRATION = (
    "The phantoms and the reference classifier are demonstrations: they show that the tool works and say nothing of "
    "any clinical product."
)
CATALOGUE = frozenset(record.name for record in PERTURBATIONS)
"""What claims are about; scores under others stand beside them."""
SIGNS = {"held": "✓", "broken": "✕", "inconclusive": "?", "not_run": "–"}
"""An outcome without colour."""
WORST_FIRST = ("broken", "not_run", "inconclusive", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One image of the report, as a file's bytes."""

    label: str
    data: bytes
    width: int
    height: int
    kind: str = "webp"
    description: str = ""
    """What someone is told who does not see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Pictures that belong side by side, with what they show."""

    title: str
    of: str
    """The perturbation they are about, or empty."""
    panels: tuple[tuple[Picture, ...], ...]
    """Each a view and its detail, or one picture."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """Pictures of one kind, or why there are none."""

    rows: tuple[Row, ...] = ()
    missing: tuple[str, ...] = ()
    """What is not drawn, each with its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that a report tells."""

    header: Plain
    verdicts: Sequence[Plain]
    curves: Sequence[Plain] = ()
    beside: Sequence[Plain] = ()
    """What is drawn beside a curve: a stored snapshot, the baseline, human readers."""
    ends: Mapping[str, Plain] = field(default_factory=dict)
    """By test: `outcome` passed, failed or skipped, and the first line of its `message`."""
    selected: int = 0
    """Claims that were to be judged."""
    stopped: str = ""
    """Why the run ended before its end, or empty."""
    moved: Sequence[Plain] = ()
    """Breasts whose score moved most."""
    notes: Sequence[str] = ()
    tolerances: Sequence[Tolerance] = ()
    tolerances_file: tuple[str, str] = ("", "")
    """Name and text."""
    seen: Gallery = Gallery()
    before_after: Gallery = Gallery()
    maps: Gallery = Gallery()

    def sorted(self) -> Findings:
        """The same whatever the order of tests and workers."""
        return replace(
            self,
            verdicts=sorted(self.verdicts, key=lambda verdict: str(verdict["test"])),
            curves=sorted(self.curves, key=curve_key),
            beside=sorted(self.beside, key=lambda each: (*curve_key(each), each["kind"])),
            ends=dict(sorted(self.ends.items())),
            notes=sorted(set(self.notes)),
        )

    @property
    def demonstration(self) -> str:
        """A notice where the run shows nothing but that the tool works."""
        about = (self.header.get("classifier"), self.header.get("cohort"))
        return DEMONSTRATION if {"reference", "phantoms"} & set(about) else ""

    @property
    def judged(self) -> list[Plain]:
        """Verdicts on claims; the clean metric has verdicts too, and is no claim of the tolerances."""
        return [verdict for verdict in self.verdicts if verdict["claim"] != "clean"]

    @property
    def failures(self) -> dict[str, Plain]:
        """Failed tests that left no verdict: the contract, snapshots, errors."""
        known = {verdict["test"] for verdict in self.verdicts}
        return {test: end for test, end in self.ends.items() if end["outcome"] == "failed" and test not in known}

    def accepted(self, verdict: Plain) -> bool:
        """Whether its test passed, or was allowed not to run."""
        end = self.ends.get(str(verdict["test"]))
        return bool(end["outcome"] != "failed" if end else verdict["outcome"] == "held")

    @property
    def passed(self) -> bool:
        """Whether nothing failed, stopped or was left out."""
        some = bool(self.verdicts) or any(end["outcome"] == "passed" for end in self.ends.values())
        complete = some and not self.stopped and len(self.judged) >= self.selected
        return complete and not self.failures and all(map(self.accepted, self.verdicts))


def ends_of(verdicts: Sequence[Plain]) -> tuple[str, str]:
    """What stands in the columns `clean` and `perturbed`: a claim against a baseline has two releases there."""
    kinds = {verdict["claim"] == "not_worse" for verdict in verdicts}
    if kinds == {True}:
        return "baseline", "candidate"
    return ("clean or baseline", "perturbed or candidate") if True in kinds else ("clean", "perturbed")


def curve_key(of: Plain) -> tuple[str, str, str, str]:
    """Perturbation, subgroup, metric and terms: what a curve, and what is drawn beside it, is about."""
    return str(of["perturbation"]), str(of["subgroup"]), str(of["metric"]), terms_text(of)


def terms_text(of: Plain) -> str:
    """What a curve was asked for beside its metric, in words; empty where that is the default."""
    parts = [f"at {of['operating_point']}"] if of.get("operating_point") else []
    parts += [] if of.get("prevalence") is None else [f"prevalence {of['prevalence']:g}"]
    parts += [f"{of['readers']} readers"] if of.get("readers", "fixed") != "fixed" else []
    return ", ".join(parts)


def severity_order(perturbation: str, severities: Iterable[float]) -> list[float]:
    """Mild to strong, as the record's ladder goes; clean, which is 0, is not among them."""
    falling = any(record.falling for record in PERTURBATIONS.every if record.name == perturbation)
    return sorted(set(severities) - {0.0} if perturbation != "clean" else set(severities), reverse=falling)


def catalogue_order(perturbations: Iterable[str]) -> list[str]:
    """As in the catalogue, clean first."""
    names = PERTURBATIONS.names
    return sorted(set(perturbations), key=lambda name: (name != "clean", names.index(name) if name in names else 1e9))
