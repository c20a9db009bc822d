"""A tolerance: what a metric may lose, or must lose, under a perturbation, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import READERS, Metric, OperatingPoint
from mammo_fixtures.metrics.operating_point import DEFAULT
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.score_table import CLEAN
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.spelling import nearest
from mammo_fixtures.verdicts.subgroups import ALL

CLAIMS = ("holds", "responds", "responds_more", "not_worse")
MAY_LOSE = ("holds", "not_worse")
"""Claims with a margin that may be lost; the others have one that must be."""
_CHOICES = {
    "claim": CLAIMS,
    "readers": READERS,
    "inconclusive": ("fail", "warn"),
    "not_run": ("fail", "allow"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What may happen to a metric of a subgroup under a perturbation.

    `holds`: it may fall by at most the margin. `responds`: it must fall by at least the margin, because a classifier
    that keeps it there uses what readers cannot see. `responds_more`: it must fall by at least the margin more than in
    the subgroup `than`. `not_worse`: a candidate may be worse than its baseline by at most the margin.
    """

    claim: str
    perturbation: str
    severities: tuple[float, ...] = ()
    """Empty: the ladder."""
    up_to: float | None = None
    """In place of `severities`: those of the ladder up to this one, mildest first."""
    subgroup: str = ALL
    """Malignant breasts of this kind, or of a stratum (`density=d`), or of a crossing (`masses & density=d`)."""
    than: str = ""
    """Of `responds_more`: the subgroup that must lose less."""
    metric: str = "auc"
    margin: float
    reason: str
    confidence: float = 0.95
    """Of the two-sided interval whose bounds are held against the margin."""
    operating_point: str = DEFAULT.text
    """Of metrics of decisions: what calls a breast positive, set on the clean scores."""
    prevalence: float | None = None
    """Share of malignant breasts that figures are to be for; that of the sample where nothing is said."""
    readers: str = "fixed"
    """`random` takes the readers for a sample of others."""
    inconclusive: str = "fail"
    """`warn` lets an inconclusive claim pass with a line in the summary."""
    not_run: str = "fail"
    """`allow` lets a claim that could not be judged be skipped with its reason."""
    where: str = "tolerance"
    """Where it was read, as messages name it: `tolerances.toml, table 3`."""

    @property
    def judged_severities(self) -> tuple[float, ...]:
        """Those stated, else the ladder's."""
        return self.severities or PERTURBATIONS[self.perturbation].severities

    def __post_init__(self) -> None:
        self._check_words()
        metric = metric_named(self.metric, where=self.where)
        self._check_margin(metric)
        self._check_metric(metric)
        if self.readers != "fixed" and self.claim == "not_worse":
            remedy = "; readers of two releases are not the same ones, leave it out"
            raise self._refused("readers", "of not_worse must be 'fixed'", self.readers, remedy)
        object.__setattr__(self, "operating_point", OperatingPoint.parse(self.operating_point, self.where).text)
        if self.perturbation == CLEAN.perturbation and fixed_when_clean(self.metric, self.operating_point):
            # A claim that no score could break is no claim.
            rule = "must be one that clean scores decide where perturbation is 'clean'"
            raise self._refused("metric", rule, self.metric, "; it is the same of all, name auc")
        if self.prevalence is not None and not 0.0 < self.prevalence < 1.0:
            raise self._refused(
                "prevalence", "must lie between 0 and 1", self.prevalence, "; screening has about 0.005"
            )
        if not 0.5 < self.confidence < 1.0:
            raise self._refused("confidence", "must lie between 0.5 and 1", self.confidence, "; 0.95 is usual")
        if not all(map(math.isfinite, self.severities)) or len(set(self.severities)) != len(self.severities):
            raise self._refused("severities", "must be different finite numbers", list(self.severities), "")

    def _check_words(self) -> None:
        for key, known in _CHOICES.items():
            got = getattr(self, key)
            if got not in known:
                raise self._refused(key, f"must be {' or '.join(map(repr, known))}", got, nearest(got, list(known)))
        for key in ("perturbation", "subgroup", "reason"):
            if not getattr(self, key).strip():
                remedy = "; say why this margin is right" if key == "reason" else "; name one"
                raise self._refused(key, "must not be empty", getattr(self, key), remedy)
        if (self.claim == "responds_more") != bool(self.than.strip()):
            rule = "must name the other subgroup in a responds_more claim, and stand in no other"
            raise self._refused("than", rule, self.than, "")
        if self.than == self.subgroup:
            raise self._refused("than", "must be another subgroup than the claim's own", self.than, "; name the other")

    def _check_margin(self, metric: Metric) -> None:
        largest = metric.high - metric.low if math.isfinite(metric.high) else math.inf
        if not 0.0 < self.margin <= min(largest, 1.0) and not (math.isinf(largest) and 0.0 < self.margin < math.inf):
            range_text = "be above 0" if math.isinf(largest) else "lie in (0, 1]"
            remedy = f"; {self.margin:g} per cent are {self.margin / 100:g}" if 1.0 < self.margin <= 100.0 else ""
            raise self._refused("margin", f"must {range_text}, a difference of the metric", self.margin, remedy)

    def _check_metric(self, metric: Metric) -> None:
        """That one subgroup can lose more than another by it, where that is the claim."""
        if self.than and metric.better == "steady":
            raise self._refused("metric", "of responds_more must be one that can get worse", self.metric, "")
        if self.than and metric.name == "specificity" and not self.operating_point.strip().startswith("sensitivity"):
            # It is of the breasts that both subgroups are set against, so that the difference is 0 whatever they lose.
            rule = "of responds_more must be one in which subgroups can differ"
            raise self._refused("metric", rule, self.metric, "; name sensitivity")

    def _refused(self, key: str, rule: str, got: object, remedy: str) -> UnusableInput:
        return UnusableInput(f"{self.where}: {key} {rule}, got {got!r}{remedy}")


def fixed_when_clean(metric: str, operating_point: str) -> bool:
    """Whether a metric of clean scores is the same whatever they are: by definition, or by the operating point."""
    record = metric_named(metric)
    by_choice = "operating_point" in record.needs and operating_point.startswith(record.name)
    return by_choice or record.when_clean is not None
