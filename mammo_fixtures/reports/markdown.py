"""report.md: the report for a CI's job summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mammo_fixtures.errors import printable
from mammo_fixtures.reports.findings import SIGNS, WORST_FIRST, Findings, Plain, ends_of
from mammo_fixtures.reports.headline import headline
from mammo_fixtures.reports.judged_by import claim_id
from mammo_fixtures.reports.ladder import about, broken_texts, mean_text
from mammo_fixtures.verdicts.sentence import bounded, figure_text

MOST_ROWS = 300
"""GitHub takes a megabyte of summary; a row is a few hundred bytes."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&$:-])")


def markdown(findings: Findings) -> str:
    """Headline, claims that were not held as sentences, all claims as a table, curves in one number, provenance."""
    found = headline(findings)
    lines = ["# Robustness of the classifier", "", f"**{text(found.sentence)}**", ""]
    worst = sorted(findings.verdicts, key=lambda v: (WORST_FIRST.index(v["outcome"]), str(v["test"])))
    lines += _sentences([v for v in worst if v["outcome"] != "held"], findings)
    lines += _failures(findings)
    if worst:
        lines += ["## Claims", "", *_table(worst[:MOST_ROWS])]
        if len(worst) > MOST_ROWS:
            lines += ["", f"{len(worst) - MOST_ROWS} more stand in verdicts.json and report.html."]
        lines.append("")
    lines += _curves(findings.curves)
    if findings.notes:
        lines += ["## Notes", "", *(f"- {text(note)}" for note in findings.notes), ""]
    lines += ["## Provenance", "", *(f"- {text(name)}: {text(value)}" for name, value in provenance(findings.header))]
    return "\n".join([*lines, *(["", text(findings.demonstration)] if findings.demonstration else [])]) + "\n"


def provenance(header: Plain) -> list[tuple[str, str]]:
    """The header as names and texts; what is nested is written out."""
    rows = []
    for name, value in header.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {each}" for key, each in value.items())
        elif isinstance(value, list | tuple):
            value = ", ".join(map(str, value))
        if value not in (None, ""):
            rows.append((name.replace("_", " "), str(value)))
    return rows


def text(value: object) -> str:
    """Text from a file as it stands there: nothing of it is taken for Markdown or HTML, and it stays in its line."""
    return _SPECIAL.sub(r"\\\1", printable(" ".join(str(value).split()))).replace("\\<", "&lt;").replace("\\&", "&amp;")


def _sentences(verdicts: Sequence[Plain], findings: Findings) -> list[str]:
    if not verdicts:
        return []
    shown = [
        f"- {SIGNS[v['outcome']]} {v['outcome'].replace('_', ' ')}"
        f"{', accepted by its tolerance' if findings.accepted(v) else ''}: {text(v['sentence'])}"
        for v in verdicts[:MOST_ROWS]
    ]
    return ["## Not held", "", *shown, ""]


def _failures(findings: Findings) -> list[str]:
    if not findings.failures:
        return []
    shown = [f"- {text(test)}: {text(end['message'])}" for test, end in list(findings.failures.items())[:MOST_ROWS]]
    return ["## Other tests that failed", "", *shown, ""]


def _table(verdicts: Sequence[Plain]) -> list[str]:
    clean, perturbed = ends_of(verdicts)
    rows = [
        f"| outcome | claim | {clean} | {perturbed} | drop | margin | malignant/not |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for v in verdicts:
        cells = (
            f"{SIGNS[v['outcome']]} {v['outcome'].replace('_', ' ')}",
            text(f"{v['claim']} {claim_id(v)}"),
            figure_text(v["clean"]),
            figure_text(v["perturbed"]),
            bounded(v["drop"], v["low"], v["high"]) if v["claim"] != "clean" else "",
            "" if v["margin"] is None else f"{v['margin']:g}",
            f"{v['positives']}/{v['negatives']}",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _curves(curves: Sequence[Plain]) -> list[str]:
    """Each curve in one number: charts and values stand in report.html."""
    shown = [curve for curve in curves if mean_text(curve)]
    if not shown:
        return []
    rows = ["| curve | mean over the ladder, and drop from clean | margins |", "|---|---|---|"]
    rows += [
        f"| {text(about(curve))} | {mean_text(curve)} | {text('; '.join(broken_texts(curve)))} |"
        for curve in shown[:MOST_ROWS]
    ]
    if len(shown) > MOST_ROWS:
        rows += ["", f"{len(shown) - MOST_ROWS} more stand in curves.json and report.html."]
    return ["## Curves", "", *rows, ""]
