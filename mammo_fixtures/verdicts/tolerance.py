"""A tolerance: what a metric may lose, or must lose, under a perturbation, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.verdicts.curve import ALL, metric_named, nearest

CLAIMS = ("holds", "responds")
_CHOICES = {"claim": CLAIMS, "inconclusive": ("fail", "warn"), "not_run": ("fail", "allow")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What may happen to a metric of a subgroup under a perturbation.

    `holds`: it may fall by at most the margin. `responds`: it must fall by at least the margin, because a classifier
    that keeps it there uses what readers cannot see.
    """

    claim: str
    perturbation: str
    severities: tuple[float, ...] = ()
    """Empty: the ladder."""
    subgroup: str = ALL
    metric: str = "auc"
    margin: float
    reason: str
    confidence: float = 0.95
    """Of the two-sided interval whose bounds are held against the margin."""
    inconclusive: str = "fail"
    """`warn` lets an inconclusive claim pass with a line in the summary."""
    not_run: str = "fail"
    """`allow` lets a claim that could not be judged be skipped with its reason."""
    where: str = "tolerance"
    """Where it was read, as messages name it: `tolerances.toml, table 3`."""

    def __post_init__(self) -> None:
        for key, known in _CHOICES.items():
            got = getattr(self, key)
            if got not in known:
                raise self._refused(key, f"must be {' or '.join(map(repr, known))}", got, nearest(got, list(known)))
        for key in ("perturbation", "subgroup", "reason"):
            if not getattr(self, key).strip():
                remedy = "; say why this margin is right" if key == "reason" else "; name one"
                raise self._refused(key, "must not be empty", getattr(self, key), remedy)
        metric_named(self.metric, where=self.where)
        if not 0.0 < self.margin <= 1.0:
            raise self._refused("margin", "must lie in (0, 1], a difference of the metric", self.margin, "")
        if not 0.5 < self.confidence < 1.0:
            raise self._refused("confidence", "must lie between 0.5 and 1", self.confidence, "; 0.95 is usual")
        if not all(map(math.isfinite, self.severities)) or len(set(self.severities)) != len(self.severities):
            raise self._refused("severities", "must be different finite numbers", list(self.severities), "")

    def _refused(self, key: str, rule: str, got: object, remedy: str) -> UnusableInput:
        return UnusableInput(f"{self.where}: {key} {rule}, got {got!r}{remedy}")
