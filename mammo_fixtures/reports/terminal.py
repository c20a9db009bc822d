"""The table of verdicts for a terminal."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence

from mammo_fixtures.reports.findings import Plain, ends_of
from mammo_fixtures.reports.headline import accepted_unheld
from mammo_fixtures.reports.judged_by import claim_id
from mammo_fixtures.verdicts import OUTCOMES
from mammo_fixtures.verdicts.sentence import bounded, figure_text

_WIDEST = 1000
"""Rich cuts figures where a table does not fit; a terminal wraps them, which loses nothing."""

_RULE = "─"


def verdict_table(verdicts: Sequence[Plain], *, encoding: str = "utf-8") -> str:
    """One row a claim: clean, perturbed, drop with bounds, margin, outcome. Plain text, as wide as it needs.

    A terminal whose encoding has no line gets hyphens: pytest would write each sign of the rule as an escape.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("claim", *ends_of(verdicts), "drop and bounds", "margin", "malignant/not", "outcome"):
        table.add_column(heading, justify="left" if heading in ("claim", "outcome") else "right", no_wrap=True)
    for v in verdicts:
        clean_claim = v["claim"] == "clean"
        table.add_row(
            _escape(_claim(v)),
            figure_text(v["clean"]),
            "" if clean_claim else figure_text(v["perturbed"]),
            "" if clean_claim else _escape(bounded(v["drop"], v["low"], v["high"])),
            "" if v["margin"] is None else f"{v['margin']:g}",
            f"{v['positives']}/{v['negatives']}",
            v["outcome"].replace("_", " "),
        )
    out = io.StringIO()
    Console(file=out, width=_WIDEST, color_system=None, legacy_windows=False).print(table)
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines())
    return text if _RULE.encode(encoding, "ignore") else text.replace(_RULE, "-")


def counts_line(verdicts: Sequence[Plain], *, selected: int, ends: Mapping[str, Plain] | None = None) -> str:
    """How many claims ended how, as a report counts them; those never judged; and apart the clean AUCs.

    `ends` says how tests ended: what was not held and did not fail is told as accepted.
    """
    claims = [v for v in verdicts if v["claim"] != "clean"]
    clean = [v for v in verdicts if v["claim"] == "clean"]
    parts = _counted(claims, ends or {}, OUTCOMES)
    if len(claims) < selected:
        parts.append(f"{selected - len(claims)} never judged")
    beside = _counted(clean, ends or {}, [name for name in OUTCOMES if any(v["outcome"] == name for v in clean)])
    return f"claims: {', '.join(parts)}" + (f"; clean AUC: {', '.join(beside)}" if beside else "")


def _counted(verdicts: Sequence[Plain], ends: Mapping[str, Plain], outcomes: Sequence[str]) -> list[str]:
    """`3 not run (2 accepted)`."""
    all_of = Counter(v["outcome"] for v in verdicts)
    accepted = Counter(v["outcome"] for v in accepted_unheld(verdicts, ends))
    said = []
    for name in outcomes:
        some = "" if accepted[name] == all_of[name] else f"{accepted[name]} "
        said.append(f"{all_of[name]} {name.replace('_', ' ')}" + (f" ({some}accepted)" if accepted[name] else ""))
    return said


def _claim(verdict: Plain) -> str:
    """`holds lowpass-0.50mm-all-auc`, as the test's id has it, so that it can be typed after -k."""
    return f"{verdict['claim']} {claim_id(verdict)}"


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
