"""A metric over severity: clean first, with intervals and paired drops."""

from __future__ import annotations

import difflib
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import METRICS, Metric, Sample
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL = "all"
"""The subgroup of every breast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A metric at one severity; figures are None where the breasts are too few for them."""

    severity: float
    value: float | None
    low: float | None
    high: float | None
    drop: float | None
    """Clean minus perturbed, on the same breasts."""
    drop_low: float | None
    drop_high: float | None
    positives: int
    """Malignant breasts of the subgroup."""
    negatives: int
    """All breasts that are not malignant, whatever their subgroup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A metric of one subgroup under one perturbation, over severity."""

    perturbation: str
    unit: str = ""
    metric: str
    subgroup: str
    points: tuple[Point, ...]
    """Clean first, as severity 0, then the severities in the order of the table."""
    confidence: float = 0.95
    unlabelled: int = 0
    """Breasts left out because nobody knows whether they are malignant."""

    @property
    def clean(self) -> Point:
        return self.points[0]

    def at(self, severity: float) -> Point | None:
        """The point at a severity other than clean, if the curve has one."""
        near = (point for point in self.points[1:] if math.isclose(point.severity, severity, rel_tol=1e-9))
        return next(near, None)

    def as_dict(self) -> dict[str, Any]:
        """Plain data as it stands in curves.json."""
        whole = asdict(self)
        return {
            name: whole[name] if name != "points" else list(whole[name])
            for name in ("perturbation", "unit", "metric", "subgroup", "points")
        }


def curve(
    table: ScoreTable,
    perturbation: str,
    *,
    subgroup: str = ALL,
    metric: str = "auc",
    confidence: float = 0.95,
    unit: str = "",
) -> Curve:
    """The metric of a subgroup's malignant breasts against all breasts that are not malignant.

    A breast whose label is not known is left out and counted. Without malignant or without other breasts the curve
    has counts and no values.
    """
    record = metric_named(metric)
    if not 0.5 < confidence < 1.0:
        raise UnusableInput(f"curve: confidence must lie between 0.5 and 1, got {confidence:g}; 0.95 is usual")
    conditions = _conditions(table, perturbation)
    positive = table.malignant == 1
    if subgroup != ALL:
        positive = positive & (table.subgroup == subgroup)
    negative = table.malignant == 0
    positives, negatives = int(positive.sum()), int(negative.sum())
    if positives and negatives:
        used = np.flatnonzero(positive | negative)
        sample = Sample(
            scores=_scores(table, conditions, used),
            malignant=positive[used],
            clusters=table.clusters[used],
        )
        estimates = record.measure(sample, confidence)
        columns: dict[str, list[Any]] = {name: _plain(getattr(estimates, name)) for name in _FIGURES}
    else:
        columns = {name: [None] * len(conditions) for name in _FIGURES}
    return Curve(
        perturbation=perturbation,
        unit=unit,
        metric=metric,
        subgroup=subgroup,
        points=tuple(
            Point(
                severity=float(condition.severity),
                positives=positives,
                negatives=negatives,
                **{name: columns[name][i] for name in _FIGURES},
            )
            for i, condition in enumerate(conditions)
        ),
        confidence=confidence,
        unlabelled=int((table.malignant < 0).sum()),
    )


_FIGURES = ("value", "low", "high", "drop", "drop_low", "drop_high")


def metric_named(name: str, where: str = "curve") -> Metric:
    """The metric's record."""
    for record in METRICS:
        if record.name == name:
            return record
    known = [record.name for record in METRICS]
    raise UnusableInput(f"{where}: metric must be one of {', '.join(known)}, got {name!r}{nearest(name, known)}")


def nearest(name: str, known: list[str]) -> str:
    """`; did you mean 'lowpass'?` where a known name is close."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _conditions(table: ScoreTable, perturbation: str) -> list[Condition]:
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
        from mammo_fixtures.perturbations import PERTURBATIONS

        known = sorted({c.perturbation for c in table.conditions if c != CLEAN} | {p.name for p in PERTURBATIONS})
        if perturbation not in known:
            hint = nearest(perturbation, known) or f"; known are {', '.join(known)}"
            raise UnusableInput(
                f"{source}: perturbation must be in the table or in the catalogue, got {perturbation!r}{hint}"
            )
    return [CLEAN, *(Condition(perturbation, severity) for severity in severities)]


def _scores(table: ScoreTable, conditions: list[Condition], used: NDArray[np.intp]) -> NDArray[np.float64]:
    """Scores (conditions, breasts, readers) of the breasts used, complete."""
    whole = len(used) == len(table.exam_id)
    taken = [table.at(condition) if whole else table.at(condition)[used] for condition in conditions]
    scores = np.stack(taken)
    if np.isnan(scores).any():
        condition, breast, reader = np.argwhere(np.isnan(scores))[0]
        name, severity = conditions[condition]
        raise UnusableInput(
            f"{table.source or 'score table'}: every reader must score every breast under every condition, got no "
            f"score for exam {table.exam_id[used[breast]]}, {table.side[used[breast]]} from reader "
            f"{table.readers[reader]} at {name} {severity:g} ({int(np.isnan(scores).sum())} missing in all); "
            "add the scores or leave that reader out"
        )
    return scores


def _plain(figures: NDArray[np.float64]) -> list[float | None]:
    """Python numbers, None for what could not be estimated."""
    return [None if math.isnan(figure) else float(figure) for figure in figures]
