"""Curves as charts: what is drawn for each subgroup, and what a person reads off at each severity."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mammo_fixtures.metrics import Metric
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.reports.chart_axes import LEFT, RIGHT, WIDTH, Across, Up
from mammo_fixtures.reports.chart_limits import VIEWS, Limit, limits_of
from mammo_fixtures.reports.findings import SIGNS, Findings, Plain, catalogue_order, curve_key, severity_order
from mammo_fixtures.reports.judged_by import Tolerances
from mammo_fixtures.reports.ladder import broken_texts, mean_text
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.sentence import bounded, figure_text

_WORD = 48
"""Units across that a word at a line's end takes, with some room beside it."""
BESIDE = {"snapshot": "stored snapshot", "baseline": "baseline", "people": "human readers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A point of a line."""

    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLimit:
    """A margin at a severity: what lies `below` or above it misses the claim."""

    x: float
    y: float
    below: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve in one view: paths as SVG has them."""

    kind: str
    """`own`, or what it is drawn beside it."""
    path: str
    band: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One subgroup of a chart."""

    subgroup: str
    lines: dict[str, list[Line]]
    """By view, the subgroup's own first."""
    limits: dict[str, list[DrawnLimit]]
    outcomes: list[tuple[float, str]]
    """x and outcome of each verdict."""
    readings: list[list[str]]
    """At each severity, what is there: the subgroup's own figures, then a line for each thing beside it."""
    in_one_number: list[str]
    """Mean over the ladder, then where each margin is first broken; empty where the curve does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A perturbation and a metric, over severity, for each subgroup."""

    perturbation: str
    unit: str
    metric: Metric
    terms: str
    across: Across
    up: dict[str, Up]
    series: tuple[Series, ...]

    @property
    def meaning(self) -> str:
        """What the perturbation does and what its severity counts, for who does not know its name."""
        record = next((each for each in PERTURBATIONS.every if each.name == self.perturbation), None)
        if record is None:
            return ""
        does = (record.apply.__doc__ or "").strip().partition("\n")[0]
        return f"{does} Severity: {record.severity_in_words}."

    @property
    def chance_on_left(self) -> bool:
        """Whether the word "chance" has more room at the left end of its line than at the right one."""
        assert self.metric.chance is not None
        level, middle = self.up["value"].y(self.metric.chance), (self.across.x(self.across.severities[-1]) + LEFT) / 2
        marks = [mark for series in self.series for line in series.lines["value"] for mark in line.marks]

        def room(end: float) -> float:
            beside = [abs(mark.y - level) for mark in marks if abs(mark.x - end) <= min(_WORD, abs(middle - end))]
            return min(beside, default=math.inf)

        return room(LEFT) >= room(WIDTH - RIGHT)

    @property
    def labels(self) -> list[str]:
        """Of the severities, clean first."""
        return ["clean" if severity == 0.0 else f"{severity:g}" for severity in self.across.severities]


def charts(findings: Findings, tolerances: Tolerances, subgroups: Sequence[str]) -> list[Chart]:
    """One for each perturbation, metric and terms, in the order of the catalogue."""
    groups: dict[tuple[str, str, str], list[Plain]] = {}
    for curve in findings.curves:
        perturbation, _, metric, terms = curve_key(curve)
        groups.setdefault((perturbation, metric, terms), []).append(curve)
    order = catalogue_order(perturbation for perturbation, _, _ in groups)
    keys = sorted(groups, key=lambda key: (order.index(key[0]), key[1] != "auc", key[1:]))
    return [_chart(sorted(groups[k], key=lambda c: subgroups.index(c["subgroup"])), findings, tolerances) for k in keys]


def _chart(curves: list[Plain], findings: Findings, tolerances: Tolerances) -> Chart:
    first = curves[0]
    metric = metric_named(str(first["metric"]))
    keys = {curve_key(curve) for curve in curves}
    beside = [each for each in findings.beside if curve_key(each) in keys]
    verdicts = [v for v in findings.verdicts if tolerances.curve_of(v) in keys]
    points = [point for each in (*curves, *beside) for point in each["points"]]
    across = Across(severities=[0.0, *severity_order(first["perturbation"], (p["severity"] for p in points))])
    of_curve = [[v for v in verdicts if tolerances.curve_of(v) == curve_key(curve)] for curve in curves]
    limits = [limits_of(curve, judged, metric) for curve, judged in zip(curves, of_curve, strict=True)]
    reached = {view: [limit.figure for each in limits for limit in each[view]] for view in VIEWS}
    up = {
        "value": Up.over(
            [*reached["value"], *_figures(points, "value", "low", "high")], least=metric.low, most=metric.high
        ),
        "drop": Up.over([0.0, *reached["drop"], *_figures(points, "drop", "drop_low", "drop_high")]),
    }
    return Chart(
        perturbation=str(first["perturbation"]),
        unit=str(first["unit"]),
        metric=metric,
        terms=curve_key(first)[3],
        across=across,
        up=up,
        series=tuple(
            _series(curve, [each for each in beside if curve_key(each) == curve_key(curve)], judged, each, across, up)
            for curve, judged, each in zip(curves, of_curve, limits, strict=True)
        ),
    )


def _series(
    curve: Plain,
    beside: list[Plain],
    verdicts: list[Plain],
    limits: dict[str, list[Limit]],
    across: Across,
    up: dict[str, Up],
) -> Series:
    lines = {
        "value": [_line(each, "value", "low", "high", across, up["value"]) for each in (curve, *beside)],
        "drop": [_line(curve, "drop", "drop_low", "drop_high", across, up["drop"])],
    }
    return Series(
        subgroup=str(curve["subgroup"]),
        lines=lines,
        limits={view: [_drawn(limit, across, up[view]) for limit in limits[view]] for view in VIEWS},
        outcomes=[(across.x(v["severity"]), v["outcome"]) for v in verdicts if v["severity"] in across.severities],
        readings=[_reading(severity, curve, beside, verdicts) for severity in across.severities],
        in_one_number=[mean, *broken_texts(curve)] if (mean := mean_text(curve)) else [],
    )


def _drawn(limit: Limit, across: Across, up: Up) -> DrawnLimit:
    return DrawnLimit(x=across.x(limit.severity), y=up.y(limit.figure), below=limit.below)


def _line(curve: Plain, value: str, low: str, high: str, across: Across, up: Up) -> Line:
    known = [p for p in curve["points"] if p.get(value) is not None]
    marks = tuple(Mark(x=across.x(p["severity"]), y=up.y(p[value])) for p in known)
    banded = [p for p in known if p.get(low) is not None and p.get(high) is not None]
    there = [f"{across.x(p['severity'])} {up.y(p[high])}" for p in banded]
    back = [f"{across.x(p['severity'])} {up.y(p[low])}" for p in reversed(banded)]
    return Line(
        kind=str(curve.get("kind", "own")),
        path="M" + "L".join(f"{mark.x} {mark.y}" for mark in marks) if marks else "",
        band="M" + "L".join((*there, *back)) + "Z" if banded else "",
        marks=marks,
    )


def _reading(severity: float, curve: Plain, beside: list[Plain], verdicts: list[Plain]) -> list[str]:
    point = next((p for p in curve["points"] if p["severity"] == severity), None)
    if point is None:
        own = "not computed here"
    else:
        own = bounded(point["value"], point["low"], point["high"])
        if severity != 0.0 and point["drop"] is not None:
            own += f", drop {bounded(point['drop'], point['drop_low'], point['drop_high'])}"
        own += f", {point['positives']} malignant, {point['negatives']} not"
    judged = [
        f"{SIGNS[v['outcome']]} {v['claim']} {v['outcome'].replace('_', ' ')}, margin {v['margin']:g}"
        for v in verdicts
        if v["severity"] == severity
    ]
    others = [
        f"{each['name']}: {figure_text(p['value']) if p['low'] is None else bounded(p['value'], p['low'], p['high'])}"
        for each in beside
        for p in each["points"]
        if p["severity"] == severity
    ]
    return [own, *judged, *_of_geometry(point or {}), *others]


def _of_geometry(point: Plain) -> list[str]:
    """What interpolation alone loses, and what stays in the image."""
    told = []
    control = point.get("resampling_control")
    if control:
        drop = bounded(control["drop"], control["drop_low"], control["drop_high"])
        told.append(f"resampling control: interpolation alone, drop {drop}")
    for what, name in (("breast", "breast"), ("region", "lesion's region")):
        kept = point.get("share_kept", {}).get(what)
        if kept:
            told.append(f"of the {name} stays in the image: median {kept['median']:.0%}, least {kept['least']:.0%}")
    return told


def _figures(points: Sequence[Plain], *names: str) -> Iterable[float]:
    return itertools.chain.from_iterable(
        (float(point[name]) for name in names if point.get(name) is not None) for point in points
    )
