"""`--mammo-power`: whether the tolerances can be decided, for a cohort or for given counts, before or beside a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.score_table import ScoreTable
from mammo_fixtures.verdicts.expectation import ASSUMED_AUC, from_counts, from_scores
from mammo_fixtures.verdicts.power import Expected, needed, power
from mammo_fixtures.verdicts.sentence import severity_text
from mammo_fixtures.verdicts.subgroups import belongs

if TYPE_CHECKING:
    from mammo_fixtures.plugin.run import Run

COHORT = "cohort"
"""What the option means without a value."""
MOST_BREASTS = 1_000_000
"""Of each kind; scores are drawn for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Malignant breasts of each subgroup, other breasts, and the clean AUC that is assumed."""

    positives: int
    negatives: int
    clean: float = ASSUMED_AUC


def parsed(value: str) -> Counts | None:
    """`61:1379`, or `61:1379:0.90` with the clean AUC; None for the cohort at hand."""
    if value == COHORT:
        return None
    parts = value.split(":")
    try:
        counts = Counts(
            positives=int(parts[0]), negatives=int(parts[1]), clean=float(parts[2]) if len(parts) > 2 else ASSUMED_AUC
        )
    except (ValueError, IndexError):
        counts = Counts(positives=0, negatives=0)
    few = 1 <= counts.positives <= MOST_BREASTS and 1 <= counts.negatives <= MOST_BREASTS
    if len(parts) > 3 or not few or not 0.5 < counts.clean < 1.0:
        raise UnusableInput(
            "--mammo-power must stand alone or give malignant and other breasts and, if you like, the clean AUC, as in "
            f"--mammo-power=61:1379:0.90, up to {MOST_BREASTS} each, got {value!r}"
        )
    return counts


def power_lines(run: Run) -> list[str]:
    """A table, one row a claim, and the joint chance."""
    assert run.settings.power is not None
    counts = parsed(run.settings.power)
    if counts is not None:
        expected, negatives = from_counts(run.tolerances, counts.positives, clean=counts.clean), counts.negatives
        source = (
            f"{counts.positives} malignant breasts of each subgroup, {counts.negatives} not, clean AUC {counts.clean:g}"
        )
    elif run.settings.scores is not None:
        table = ScoreTable.read(run.settings.scores, pseudonyms=run.pseudonyms)
        expected, negatives = from_scores(run.tolerances, table), int((table.malignant == 0).sum())
        source = f"counts, clean AUC and scatter of {run.settings.scores.name}"
    else:
        expected, negatives = _from_cohort(run)
        source = f"counts of {run.settings.exams}, clean AUC {ASSUMED_AUC:g} assumed"
    if not expected or not negatives:
        return ["power: no claim of the tolerances has both malignant and other breasts"]
    found = power(expected, negatives=negatives)
    lines = [f"power: chance that an unchanged classifier is held ({source})"]
    for claim, chance in zip(expected, found.chances, strict=True):
        lines.append(_line(claim, chance, needed(claim, negatives=negatives)))
    lines.append(f"power: {found.joint:.2f} joint chance that all {len(expected)} are held")
    left_out = [t for t in run.tolerances if t not in [claim.tolerance for claim in expected]]
    if left_out:
        lines.append(f"power: {len(left_out)} tolerances have no malignant breasts and are not among them")
    return lines


def _line(claim: Expected, chance: float, enough: int | None) -> str:
    tolerance = claim.tolerance
    need = "no number of malignant breasts gives 0.80" if enough is None else f"{enough} malignant breasts for 0.80"
    metric = "" if tolerance.metric == "auc" else f" {tolerance.metric}"
    than = f" than {tolerance.than}" if tolerance.than else ""
    readers = "" if tolerance.readers == "fixed" else f" for any readers like {claim.readers}"
    what = (
        f"{tolerance.claim} {tolerance.perturbation} {severity_text(claim.severity)} {tolerance.subgroup}{than}"
        f"{metric}{readers}"
    )
    return f"  {what}, margin {tolerance.margin:g}: {chance:.2f} with {claim.positives}; {need}"


def _from_cohort(run: Run) -> tuple[list[Expected], int]:
    from mammo_fixtures.exams import read_cohort

    cohort = read_cohort(run.settings.exams, allow_outside=run.settings.allow_outside, pseudonyms=run.pseudonyms)
    breasts = cohort.breasts

    def counted(subgroup: str) -> int:
        return sum(breast.malignant is True and belongs(breast, subgroup) for breast in breasts)

    return from_counts(run.tolerances, counted), sum(breast.malignant is False for breast in breasts)
