"""A metric over severity: clean first, with intervals and paired drops."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mammo_fixtures.metrics import Estimates, OperatingPoint, Terms, measure
from mammo_fixtures.metrics.operating_point import DEFAULT
from mammo_fixtures.verdicts.averaging import averaged
from mammo_fixtures.verdicts.sampling import are_probabilities, chosen, conditions_of, metric_named, sampled
from mammo_fixtures.verdicts.subgroups import ALL, absent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mammo_fixtures.scoring.score_table import ScoreTable
    from mammo_fixtures.verdicts.tolerance import Tolerance

QUESTION = ("subgroup", "metric", "confidence", "operating_point", "prevalence", "readers")
"""What a curve is asked for of a perturbation, as `curve`, curves and tolerances name it."""

_FIGURES = ("value", "low", "high", "drop", "drop_low", "drop_high")
_POINT = ("severity", *_FIGURES, "positives", "negatives")


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
    """Malignant breasts of the subgroup that count here: those with a score when clean and at this severity."""
    negatives: int
    """Breasts that are not malignant, whatever their subgroup, that count here."""
    readers: int = 0
    """Readers who scored both kinds of breast; 0 where nothing was measured."""
    unpaired: bool = False
    """Where no reader scored the same breasts clean and here, so the two stand each for itself."""
    reader_variance: float | None = None
    """Of random readers: variance of the drop between readers, as estimated; chance may make it negative."""


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
    operating_point: str = DEFAULT.text
    prevalence: float | None = None
    readers: str = "fixed"
    positives: int = 0
    """Malignant breasts of the subgroup, with and without a score."""
    negatives: int = 0
    absent: str = ""
    """What of the subgroup's name no malignant breast has; empty where some are in it."""

    @property
    def clean(self) -> Point:
        return self.points[0]

    def at(self, severity: float) -> Point | None:
        """The point at a severity other than clean, if the curve has one."""
        near = (point for point in self.points[1:] if math.isclose(point.severity, severity, rel_tol=1e-9))
        return next(near, None)

    def clean_beside(self, point: Point | None) -> float | None:
        """The clean value of the breasts that a point is about, so that it less the point's value is the drop."""
        clean = self.clean
        if point is None or clean.value is None or point.value is None or point.drop is None:
            return clean.value
        same = (point.positives, point.negatives, point.unpaired) == (clean.positives, clean.negatives, False)
        return clean.value if same else point.value + point.drop

    def as_dict(self) -> dict[str, Any]:
        """Plain data as it stands in curves.json; what decides the figures stands there where it is not the default."""
        whole = asdict(self)
        plain = {name: whole[name] for name in ("perturbation", "unit", "metric", "subgroup")}
        needs = metric_named(self.metric).needs
        plain |= {"operating_point": self.operating_point} if "operating_point" in needs else {}
        plain |= {"prevalence": self.prevalence} if self.prevalence is not None else {}
        plain |= {"readers": self.readers} if self.readers != "fixed" else {}
        return plain | {"points": [{name: point[name] for name in _POINT} for point in whole["points"]]}


def curve(
    table: ScoreTable,
    perturbation: str,
    *,
    subgroup: str = ALL,
    metric: str = "auc",
    confidence: float = 0.95,
    unit: str = "",
    operating_point: str = DEFAULT.text,
    prevalence: float | None = None,
    readers: str = "fixed",
) -> Curve:
    """The metric of a subgroup's malignant breasts against all breasts that are not malignant.

    `subgroup` names lesions (`masses`), a stratum (`density=d`) or a crossing (`masses & density=d`). A breast whose
    label is not known is left out and counted. A missing score means that this reader gave none: each severity is
    judged on what it shares with clean. Without malignant or without other breasts the curve has counts and no values.
    """
    record = metric_named(metric)
    point = OperatingPoint.parse(operating_point)
    table = averaged(table, perturbation)
    conditions = conditions_of(table, perturbation)
    terms = Terms(
        confidence=confidence,
        operating_point=point,
        prevalence=prevalence,
        readers=readers,
        probabilities=are_probabilities(table, record),
    )
    breasts = chosen(table, subgroup)
    estimates = None
    if breasts.positives and breasts.negatives:
        estimates = measure(record, sampled(table, conditions, breasts), terms)
    return Curve(
        perturbation=perturbation,
        unit=unit,
        metric=metric,
        subgroup=subgroup,
        points=tuple(
            point_of(estimates, i, float(condition.severity))
            if estimates is not None
            else empty_point(float(condition.severity), breasts.positives, breasts.negatives)
            for i, condition in enumerate(conditions)
        ),
        confidence=confidence,
        unlabelled=int((table.malignant < 0).sum()),
        operating_point=point.text,
        prevalence=prevalence,
        readers=readers,
        positives=breasts.positives,
        negatives=breasts.negatives,
        absent="" if breasts.positives else absent(_of_malignant(table), subgroup),
    )


def question_of(asked: Curve | Tolerance) -> dict[str, Any]:
    """What to give `curve` so that another table, or another part of this one, answers the same."""
    return {name: getattr(asked, name) for name in QUESTION}


def _of_malignant(table: ScoreTable) -> dict[str, NDArray[np.str_]]:
    return {name: column[table.malignant == 1] for name, column in table.columns.items()}


def point_of(estimates: Estimates, place: int, severity: float) -> Point:
    """The estimates at one place as plain numbers, None for what could not be estimated."""
    return Point(
        severity=severity,
        **{name: plain(getattr(estimates, name)[place]) for name in _FIGURES},
        positives=int(estimates.positives[place]),
        negatives=int(estimates.negatives[place]),
        readers=int(estimates.readers[place]),
        unpaired=bool(estimates.unpaired[place]),
        reader_variance=plain(estimates.reader_variance[place]),
    )


def empty_point(severity: float, positives: int, negatives: int) -> Point:
    """Counts without values."""
    return Point(
        severity=severity,
        value=None,
        low=None,
        high=None,
        drop=None,
        drop_low=None,
        drop_high=None,
        positives=positives,
        negatives=negatives,
    )


def plain(figure: float) -> float | None:
    """None for NaN, which is no JSON."""
    return None if math.isnan(figure) else float(figure)
