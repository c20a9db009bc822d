"""The table of verdicts for a terminal."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

_WIDEST = 1000
"""Rich cuts figures where a table does not fit; a terminal wraps them, which loses nothing."""

OUTCOMES = ("held", "broken", "inconclusive", "not_run")


def verdict_table(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """One row a claim: clean, perturbed, drop with bounds, margin, outcome. Plain text, as wide as it needs."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("claim", "clean", "perturbed", "drop and bounds", "margin", "malignant/not", "outcome"):
        table.add_column(heading, justify="left" if heading in ("claim", "outcome") else "right", no_wrap=True)
    for v in verdicts:
        clean_claim = v["claim"] == "clean"
        bounds = f"[{_number(v['low'])}, {_number(v['high'])}]"
        table.add_row(
            _escape(_claim(v)),
            _number(v["clean"]),
            "" if clean_claim else _number(v["perturbed"]),
            "" if clean_claim else _escape(f"{_number(v['drop'])} {bounds}"),
            "" if v["margin"] is None else f"{v['margin']:g}",
            f"{v['positives']}/{v['negatives']}",
            v["outcome"].replace("_", " "),
        )
    out = io.StringIO()
    Console(file=out, width=_WIDEST, color_system=None, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def counts_line(verdicts: Sequence[Mapping[str, Any]], *, selected: int) -> str:
    """How many claims ended how, as a report counts them; then those never judged, and apart the clean AUCs."""
    claims = Counter(v["outcome"] for v in verdicts if v["claim"] != "clean")
    clean = Counter(v["outcome"] for v in verdicts if v["claim"] == "clean")
    parts = [f"{claims[name]} {name.replace('_', ' ')}" for name in OUTCOMES]
    if claims.total() < selected:
        parts.append(f"{selected - claims.total()} never judged")
    beside = [f"{clean[name]} {name.replace('_', ' ')}" for name in OUTCOMES if clean[name]]
    return f"claims: {', '.join(parts)}" + (f"; clean AUC: {', '.join(beside)}" if beside else "")


def _claim(verdict: Mapping[str, Any]) -> str:
    """`holds lowpass-0.50mm-all-auc`, as the test's id has it, so that it can be typed after -k."""
    _, _, rest = str(verdict["test"]).partition("[")
    return f"{verdict['claim']} {rest.removesuffix(']')}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
