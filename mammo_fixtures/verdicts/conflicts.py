"""Tolerances that do not go together: made twice, never to be met together, or not to be told apart by their ids."""

from __future__ import annotations

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.verdicts.id_text import slug
from mammo_fixtures.verdicts.subgroups import ALL
from mammo_fixtures.verdicts.tolerance import Tolerance


def refuse_conflicts(tolerances: tuple[Tolerance, ...]) -> None:
    """Raises UnusableInput for the first that there is."""
    _refuse_duplicates(tolerances)
    _refuse_contradictions(tolerances)
    _refuse_names_alike(tolerances)


def _refuse_duplicates(tolerances: tuple[Tolerance, ...]) -> None:
    """Two tables for one claim would give two tests of one id, and the laxer one might be read."""
    seen: dict[tuple[object, ...], str] = {}
    for t in tolerances:
        for severity in t.judged_severities:
            # Ids are lower case, so names that differ in case only would meet in one id.
            groups = (t.subgroup.lower(), t.than.lower())
            claim = (t.claim, t.perturbation, severity, *groups, t.metric, t.operating_point, t.prevalence, t.readers)
            if claim in seen:
                raise UnusableInput(
                    f"{t.where}: a claim may be made once, got {t.claim} for {t.perturbation} {severity:g}, "
                    f"{t.subgroup}, {t.metric} again after {seen[claim]}; leave that severity out of one of them"
                )
            seen[claim] = t.where


def _refuse_contradictions(tolerances: tuple[Tolerance, ...]) -> None:
    """A loss that may not exceed one margin and must reach a larger one: no classifier could pass."""
    may_lose: dict[tuple[object, ...], Tolerance] = {}
    for claim in ("holds", "responds"):
        for t in tolerances:
            if t.claim != claim:
                continue
            for severity in t.judged_severities:
                about = (t.perturbation, severity, t.subgroup, t.metric, t.operating_point, t.prevalence, t.readers)
                if claim == "holds":
                    may_lose[about] = t
                elif (other := may_lose.get(about)) and other.margin <= t.margin:
                    raise UnusableInput(
                        f"{t.where}: a loss that must reach {t.margin:g} must be allowed, got holds within "
                        f"{other.margin:g} for {t.perturbation} {severity:g}, {t.subgroup}, {t.metric} in "
                        f"{other.where}; leave that severity out of one of them"
                    )


def _refuse_names_alike(tolerances: tuple[Tolerance, ...]) -> None:
    """Two subgroups that one id stands for: `-k` could not tell them apart, and only one would have a curve."""
    seen = {slug(ALL): (ALL, "every cohort, all of its breasts")}
    for t in tolerances:
        for name in filter(None, (t.subgroup, t.than)):
            other, where = seen.setdefault(slug(name), (name, t.where))
            if other != name:
                raise UnusableInput(
                    f"{t.where}: subgroups must differ in what test ids keep of them (letters a to z in lower case, "
                    f"digits, _ and .), got {name!r} beside {other!r} of {where}, both {slug(name)!r}; rename one, "
                    "where breasts are labelled too"
                )
