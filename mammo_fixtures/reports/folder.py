"""The folder of a report: every file of it, and all of them once more as evidence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mammo_fixtures.reports.badge import badge
from mammo_fixtures.reports.bill_of_materials import NAME, bill_of_materials
from mammo_fixtures.reports.evidence import evidence
from mammo_fixtures.reports.findings import Findings
from mammo_fixtures.reports.html import html
from mammo_fixtures.reports.json_files import json_files, schemas
from mammo_fixtures.reports.markdown import markdown
from mammo_fixtures.whole_file import write_whole


def write_report(folder: Path, findings: Findings, *, more: Mapping[str, Path] | None = None) -> None:
    """Write report.html, report.md, badge.svg, the JSON files, `more` files by name, and evidence.zip of them all."""
    findings = findings.sorted()
    contents = json_files(header=findings.header, verdicts=findings.verdicts, curves=findings.curves)
    contents |= {
        "report.html": html(findings).encode(),
        "report.md": markdown(findings).encode(),
        "badge.svg": badge(findings).encode(),
    }
    contents |= {name: path.read_bytes() for name, path in (more or {}).items() if path.exists()}
    name, text = findings.tolerances_file
    also = schemas() | {NAME: bill_of_materials()} | ({"tolerances.toml": text.encode()} if name else {})
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in (contents | {"evidence.zip": evidence(contents | also)}).items():
        write_whole(folder / file, content)
