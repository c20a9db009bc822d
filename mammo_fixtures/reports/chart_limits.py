"""Margins of claims in a chart: where they lie as values and as drops, and on which side a claim is missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mammo_fixtures.metrics import Metric
from mammo_fixtures.reports.findings import Plain

VIEWS = ("value", "drop")
"""A metric itself, and its paired drop from clean, which is what verdicts hold against a margin."""
_DIRECTIONS = {"larger": (1.0,), "smaller": (-1.0,), "steady": (1.0, -1.0)}
"""Signs of the drop (clean less perturbed) that is for the worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a tolerance allows at a severity: the figures beyond it are `below` or above it."""

    severity: float
    figure: float
    below: bool


def limits_of(curve: Plain, verdicts: Sequence[Plain], metric: Metric) -> dict[str, list[Limit]]:
    """By view, the margins of verdicts on a curve, where it has figures for them."""
    at = {point["severity"]: point for point in curve["points"]}
    limits: dict[str, list[Limit]] = {view: [] for view in VIEWS}
    for verdict in verdicts:
        point = at.get(verdict["severity"])
        if point is None or point["value"] is None or point["drop"] is None:
            continue
        # From the clean value of the same breasts, which may be fewer than those that have a clean score.
        clean = point["value"] + point["drop"]
        for direction in _DIRECTIONS[metric.better]:
            drop = direction * verdict["margin"]
            smaller_misses = (direction > 0) == (verdict["claim"] == "holds")
            limits["drop"].append(Limit(severity=verdict["severity"], figure=drop, below=not smaller_misses))
            if metric.low <= clean - drop <= metric.high:
                value = Limit(severity=verdict["severity"], figure=clean - drop, below=smaller_misses)
                limits["value"].append(value)
    return limits
