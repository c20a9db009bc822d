"""The matrix of claims: perturbation, severity and subgroup, each cell with its outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mammo_fixtures.reports.findings import Findings, Plain, catalogue_order, severity_order
from mammo_fixtures.reports.judged_by import Tolerances
from mammo_fixtures.verdicts.subgroups import ALL

KINDS = {
    "clean": "clean, above chance",
    "holds": "holds: may fall by at most the margin",
    "responds": "responds: must fall by at least the margin",
    "responds_more": "responds_more: must fall more than in another subgroup",
    "not_worse": "not_worse: no worse than the baseline by more than the margin",
}
KIND_SIGNS = {"clean": "", "holds": "", "responds": "↓", "responds_more": "⇊", "not_worse": "Δ"}
"""What kind of claim a cell is, before its outcome; `holds` has none, being the most frequent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One subgroup and metric under one perturbation."""

    subgroup: str
    asked: str
    """The metric and its terms; empty where all claims of the report ask the same."""
    cells: tuple[tuple[Plain, ...], ...]
    """Verdicts at each severity; none where nothing is claimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixGroup:
    """One perturbation."""

    perturbation: str
    unit: str
    severities: tuple[float, ...]
    rows: tuple[MatrixRow, ...]


def matrix(findings: Findings, tolerances: Tolerances, subgroups: Sequence[str]) -> list[MatrixGroup]:
    """Perturbations as in the catalogue, severities mild to strong, AUC before other metrics."""
    asked = {str(verdict["test"]): tolerances.asked(verdict) for verdict in findings.verdicts}
    if len(set(asked.values())) == 1:
        asked = dict.fromkeys(asked, "")
    by_name: dict[str, list[Plain]] = {}
    for verdict in findings.verdicts:
        by_name.setdefault(str(verdict["perturbation"]), []).append(verdict)
    return [_group(name, by_name[name], asked, subgroups) for name in catalogue_order(by_name)]


def _group(name: str, verdicts: Sequence[Plain], asked: Mapping[str, str], subgroups: Sequence[str]) -> MatrixGroup:
    severities = severity_order(name, (verdict["severity"] for verdict in verdicts))
    by_row: dict[tuple[int, bool, str], dict[float, list[Plain]]] = {}
    for verdict in verdicts:
        row = (subgroups.index(verdict["subgroup"]), verdict["metric"] != "auc", asked[str(verdict["test"])])
        by_row.setdefault(row, {}).setdefault(verdict["severity"], []).append(verdict)
    rows = [
        MatrixRow(
            subgroup=subgroups[place],
            asked=text,
            cells=tuple(tuple(cells.get(severity, ())) for severity in severities),
        )
        for (place, _, text), cells in sorted(by_row.items())
    ]
    return MatrixGroup(perturbation=name, unit=str(verdicts[0]["unit"]), severities=tuple(severities), rows=tuple(rows))


def subgroups_of(findings: Findings) -> list[str]:
    """Every subgroup of verdicts and curves, all breasts first."""
    named = {str(each["subgroup"]) for each in (*findings.verdicts, *findings.curves)}
    return sorted(named, key=lambda name: (name != ALL, name))


def links(verdicts: Sequence[Plain]) -> Mapping[str, str]:
    """By test, the place in the page where its claim is told."""
    return {str(verdict["test"]): f"claim-{number}" for number, verdict in enumerate(verdicts, 1)}
