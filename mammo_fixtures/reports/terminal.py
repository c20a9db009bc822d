"""The table of verdicts for a terminal."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

OUTCOMES = ("held", "broken", "inconclusive", "not_run")


def verdict_table(verdicts: Sequence[Mapping[str, Any]], *, width: int) -> str:
    """One row a claim: clean, perturbed, drop with bounds, margin, outcome. Plain text."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading, justify in (
        ("claim", "left"), ("perturbation", "left"), ("severity", "right"), ("subgroup", "left"), ("metric", "left"),
        ("clean", "right"), ("perturbed", "right"), ("drop [bounds]", "right"), ("margin", "right"),
        ("n", "right"), ("outcome", "left"),
    ):  # fmt: skip
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for v in verdicts:
        clean_claim = v["claim"] == "clean"
        bounds = f"[{_number(v['low'])}, {_number(v['high'])}]"
        table.add_row(
            v["claim"],
            v["perturbation"],
            "" if clean_claim else f"{v['severity']:g} {v['unit']}",
            v["subgroup"],
            v["metric"],
            _number(v["clean"]),
            "" if clean_claim else _number(v["perturbed"]),
            _escape(bounds if clean_claim else f"{_number(v['drop'])} {bounds}"),
            "" if v["margin"] is None else f"{v['margin']:g}",
            f"{v['positives']}/{v['negatives']}",
            v["outcome"].replace("_", " "),
        )
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def counts_line(verdicts: Sequence[Mapping[str, Any]], *, selected: int) -> str:
    """How many claims ended how; those that never came to a verdict are told too."""
    counts = Counter(v["outcome"] for v in verdicts)
    parts = [f"{counts[name]} {name.replace('_', ' ')}" for name in OUTCOMES]
    judged = sum(v["claim"] != "clean" for v in verdicts)
    if judged < selected:
        parts.append(f"{selected - judged} never judged")
    return f"claims: {', '.join(parts)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
