"""From a score table to the sample that a metric measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import METRICS, Metric, Sample
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts.spelling import nearest
from mammo_fixtures.verdicts.subgroups import ALL, members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Chosen(NamedTuple):
    """Breasts of known label: the malignant ones of a subgroup, and all that are not malignant."""

    used: NDArray[np.intp]
    malignant: NDArray[np.bool_]
    positives: int
    negatives: int


def metric_named(name: str, where: str = "curve") -> Metric:
    """The metric's record."""
    for record in METRICS:
        if record.name == name:
            return record
    known = [record.name for record in METRICS]
    raise UnusableInput(f"{where}: metric must be one of {', '.join(known)}, got {name!r}{nearest(name, known)}")


def chosen(table: ScoreTable, subgroup: str) -> Chosen:
    """The breasts that a subgroup's metric is about."""
    positive = table.malignant == 1
    if subgroup != ALL:
        positive = positive & members(table, subgroup)
    negative = table.malignant == 0
    used = np.flatnonzero(positive | negative)
    return Chosen(used, positive[used], int(positive.sum()), int(negative.sum()))


def sampled(table: ScoreTable, conditions: Sequence[Condition], breasts: Chosen) -> Sample:
    """The chosen breasts under some conditions, NaN where a reader gave no score."""
    whole = len(breasts.used) == len(table.exam_id)
    taken = [table.at(condition) if whole else table.at(condition)[breasts.used] for condition in conditions]
    return Sample(scores=np.stack(taken), malignant=breasts.malignant, clusters=table.clusters[breasts.used])


def conditions_of(table: ScoreTable, perturbation: str) -> list[Condition]:
    """Clean, then the severities that the table has of a perturbation; none of a known one is no error."""
    source = table.source or "score table"
    if CLEAN not in table.conditions:
        raise UnusableInput(
            f"{source}: every drop is from clean, got no clean scores; add rows with perturbation clean, severity 0"
        )
    if perturbation == CLEAN.perturbation:
        return [CLEAN]
    severities = table.severities(perturbation)
    if not severities:
        known = sorted({c.perturbation for c in table.conditions if c != CLEAN} | {*PERTURBATIONS.names})
        if perturbation not in known:
            hint = nearest(perturbation, known) or f"; known are {', '.join(known)}"
            raise UnusableInput(
                f"{source}: perturbation must be in the table or in the catalogue, got {perturbation!r}{hint}"
            )
    return [CLEAN, *(Condition(perturbation, severity) for severity in severities)]


def are_probabilities(table: ScoreTable, metric: Metric) -> bool:
    """Whether all scores lie in [0, 1]; a metric of probabilities is refused other scores.

    Only looked at for a metric to which it matters.
    """
    if not {"prevalence", "probabilities"} & metric.needs:
        return True
    with np.errstate(invalid="ignore"):
        outside = (table.scores < 0.0) | (table.scores > 1.0)
    if outside.any() and "probabilities" in metric.needs:
        raise UnusableInput(
            f"{table.source or 'score table'}: {metric.name} needs probabilities, every score in [0, 1], got "
            f"{table.scores[outside][0]:g}; declare score='probability' in the classifier, or leave {metric.name} out"
        )
    return not outside.any()
