"""Claims: what one test is about, its id, and the conditions it needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mammo_fixtures.metrics.operating_point import DEFAULT
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.score_table import CLEAN, Condition
from mammo_fixtures.verdicts.id_text import slug
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.subgroups import ALL
from mammo_fixtures.verdicts.tolerance import Tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One perturbation, severity, subgroup and metric, judged by a tolerance; or a whole curve, judged by none."""

    perturbation: str
    severity: float | None = None
    """None for a curve: the whole ladder."""
    subgroup: str
    metric: str
    tolerance: Tolerance | None = None
    operating_point: str = DEFAULT.text
    prevalence: float | None = None
    readers: str = "fixed"
    accepted: tuple[str, ...] = ("held",)
    """Outcomes with which the test passes."""

    def __repr__(self) -> str:
        return f"<claim {self.id}>"

    @property
    def id(self) -> str:
        """`lowpass-0.50mm-soft_tissue_lesions-auc`: made for `-k` and for file names."""
        parts = [self.perturbation]
        if self.severity is not None and self.perturbation != CLEAN.perturbation:
            parts.append(PERTURBATIONS[self.perturbation].label(self.severity))
        than = ("than", slug(self.tolerance.than)) if self.tolerance and self.tolerance.than else ()
        return "-".join((*parts, slug(self.subgroup), *than, self.metric, *self._terms))

    @property
    def _terms(self) -> tuple[str, ...]:
        """What is asked for beside the metric's name, where it is not the default."""
        terms = []
        if "operating_point" in metric_named(self.metric).needs and self.operating_point != DEFAULT.text:
            terms.append(slug(self.operating_point.replace(">=", "_").replace(">", "_")))
        if self.prevalence is not None:
            terms.append(f"prevalence_{self.prevalence:g}")
        if self.readers != "fixed":
            terms.append(f"{self.readers}_readers")
        return tuple(terms)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        if self.perturbation == CLEAN.perturbation:
            return (CLEAN,)
        severities = PERTURBATIONS[self.perturbation].severities if self.severity is None else (self.severity,)
        parts = PERTURBATIONS.parts(self.perturbation)
        return (CLEAN, *(Condition(part, severity) for part in parts for severity in severities))

    @property
    def set(self) -> str:
        """`core` or `extended`, as the perturbation's record says."""
        return "core" if self.perturbation == CLEAN.perturbation else PERTURBATIONS[self.perturbation].set


def judged_claims(tolerances: Iterable[Tolerance], kind: str, *, strict: bool = False) -> list[Claim]:
    """One claim for each severity of each tolerance of a kind.

    `strict` takes `inconclusive = "warn"` for `"fail"`.
    """
    return [
        Claim(
            perturbation=tolerance.perturbation,
            severity=severity,
            subgroup=tolerance.subgroup,
            metric=tolerance.metric,
            tolerance=tolerance,
            operating_point=tolerance.operating_point,
            prevalence=tolerance.prevalence,
            readers=tolerance.readers,
            accepted=("held", "inconclusive") if tolerance.inconclusive == "warn" and not strict else ("held",),
        )
        for tolerance in tolerances
        if tolerance.claim == kind
        for severity in tolerance.judged_severities
    ]


def curve_claims(tolerances: Sequence[Tolerance]) -> list[Claim]:
    """A curve for every perturbation that a tolerance names, for all breasts and for each subgroup that one names.

    Of AUC, and of what else tolerances ask for, where they ask for it. Extended perturbations are drawn without being
    named, because asking for the extended set asks for all of it; in the core gate, what no tolerance is about is not
    computed.
    """
    named = {tolerance.perturbation for tolerance in tolerances}
    named |= {record.name for record in PERTURBATIONS if record.set == "extended"}
    usual = [
        Claim(perturbation=record.name, subgroup=subgroup, metric="auc")
        for record in PERTURBATIONS.every
        if record.name in named
        for subgroup in _subgroups(tolerances)
    ]
    more = [
        Claim(
            perturbation=t.perturbation,
            subgroup=subgroup,
            metric=t.metric,
            operating_point=t.operating_point if "operating_point" in metric_named(t.metric).needs else DEFAULT.text,
            prevalence=t.prevalence,
            readers=t.readers,
        )
        for t in tolerances
        if t.perturbation != CLEAN.perturbation
        for subgroup in filter(None, (t.subgroup, t.than))
    ]
    return list({claim.id: claim for claim in (*usual, *more)}.values())


def clean_claims(tolerances: Sequence[Tolerance]) -> list[Claim]:
    """The clean score of all breasts and of each subgroup that a tolerance names."""
    return [
        Claim(perturbation=CLEAN.perturbation, severity=0.0, subgroup=subgroup, metric="auc")
        for subgroup in _subgroups(tolerances)
    ]


def may_stay_unjudged(claim: Claim, tolerances: Sequence[Tolerance]) -> bool:
    """Whether a claim may stay unjudged: its tolerance says so, or all that name the subgroup of a clean score do.

    The clean score of all breasts together is always asked for.
    """
    if claim.tolerance is not None:
        return claim.tolerance.not_run == "allow"
    naming = [t for t in tolerances if claim.subgroup in (t.subgroup, t.than)]
    return claim.subgroup != ALL and bool(naming) and all(t.not_run == "allow" for t in naming)


def plan(claims: Iterable[Claim]) -> tuple[Condition, ...]:
    """Every condition that the claims need, once: clean first, then by catalogue, each ladder mild to strong."""
    needed = {condition for claim in claims for condition in claim.conditions} - {CLEAN}

    def place(condition: Condition) -> tuple[int, float]:
        record = PERTURBATIONS[condition.perturbation]
        return PERTURBATIONS.place(record.name), -condition.severity if record.falling else condition.severity

    return (CLEAN, *sorted(needed, key=place))


def _subgroups(tolerances: Sequence[Tolerance]) -> list[str]:
    named = {subgroup for t in tolerances for subgroup in (t.subgroup, t.than) if subgroup}
    return list(dict.fromkeys([ALL, *sorted(named)]))
