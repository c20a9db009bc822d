"""report.html: one page that needs nothing else, and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

from mammo_fixtures import __version__
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.reports import chart_axes
from mammo_fixtures.reports.chart_limits import VIEWS
from mammo_fixtures.reports.charts import BESIDE, Chart, charts
from mammo_fixtures.reports.findings import SIGNS, WORST_FIRST, Findings, Picture
from mammo_fixtures.reports.headline import accepted_unheld, headline
from mammo_fixtures.reports.judged_by import Tolerances, claim_id
from mammo_fixtures.reports.markdown import provenance
from mammo_fixtures.reports.matrix import KIND_SIGNS, KINDS, links, matrix, subgroups_of
from mammo_fixtures.verdicts.sentence import figure_text, severity_text

_TEMPLATES = "mammo_fixtures.reports"


def html(findings: Findings) -> str:
    """The page; every text that came from a file is escaped."""
    page: str = _environment().get_template("report.html.j2").render(_content(findings))
    return page


def _content(findings: Findings) -> dict[str, Any]:
    tolerances = Tolerances.of(findings.tolerances)
    subgroups = subgroups_of(findings)
    drawn = charts(findings, tolerances, subgroups)
    css, js = _file("report.css"), _file("report.js")
    return {
        "version": __version__,
        "css": css,
        "js": js,
        "css_hash": _hash(css),
        "js_hash": _hash(js),
        "head": headline(findings),
        "signs": SIGNS,
        "subgroups": subgroups,
        "readings": _json([_readings(chart, subgroups) for chart in drawn]),
        **_about(findings),
        **_of_matrix(findings, tolerances, subgroups),
        **_of_curves(drawn, findings),
        **_of_claims(findings, tolerances),
        "seen": findings.seen,
        "before_after": findings.before_after,
        "maps": findings.maps,
        "moved": findings.moved,
        "units": {record.name: record.unit for record in PERTURBATIONS},
        "notes": findings.notes,
        "provenance": provenance(findings.header),
        "tolerances_name": findings.tolerances_file[0],
        "tolerances_text": findings.tolerances_file[1],
    }


def _about(findings: Findings) -> dict[str, Any]:
    header = findings.header
    classifier, cohort = str(header.get("classifier", "")), str(header.get("cohort", ""))
    counted = f"{header['exams']} exams, {header['views']} views" if "exams" in header else ""
    on = ", ".join(filter(None, (f"cohort {cohort}" if cohort else "", counted)))
    contents = [
        ("matrix", "At a glance"),
        ("curves", "Curves"),
        ("claims", "Claims"),
        ("seen", "What the classifier saw"),
        ("moved", "Scores that moved most"),
        *([("maps", "Spatial frequencies")] if findings.maps.rows or findings.maps.missing else []),
        *([("notes", "Notes")] if findings.notes else []),
        ("reading", "How to read this"),
        ("provenance", "Provenance"),
    ]
    return {
        "subject": _subject(classifier, str(header.get("scores", ""))),
        "on": on,
        "contents": contents,
        "demonstration": findings.demonstration,
    }


def _subject(classifier: str, scores: str) -> str:
    if scores:
        return f"the scores in {scores}"
    return f"classifier {classifier}" if classifier else "the classifier"


def _of_matrix(findings: Findings, tolerances: Tolerances, subgroups: Sequence[str]) -> dict[str, Any]:
    groups = matrix(findings, tolerances, subgroups)
    used = {verdict["claim"] for verdict in findings.verdicts}
    return {
        "groups": groups,
        "rows_ask": any(row.asked for group in groups for row in group.rows),
        "columns": max((len(group.severities) for group in groups), default=0),
        "kinds": KINDS,
        "kinds_used": [kind for kind in KINDS if kind in used],
        "kind_signs": KIND_SIGNS,
        "accepted": {v["test"] for v in accepted_unheld(findings.verdicts, findings.ends)},
    }


def _of_curves(drawn: list[Chart], findings: Findings) -> dict[str, Any]:
    kinds = {each["kind"] for each in findings.beside}
    confidences = {verdict["confidence"] for verdict in findings.verdicts} or {0.95}
    return {
        "charts": drawn,
        "views": VIEWS,
        "confidence": " or ".join(f"{100 * confidence:g}" for confidence in sorted(confidences)),
        "beside_kinds": [kind for kind in BESIDE if kind in kinds],
        "beside_names": BESIDE,
        "has_limits": any(series.limits["value"] for chart in drawn for series in chart.series),
        "starts": [_start(chart) for chart in drawn],
        "width": chart_axes.WIDTH,
        "height": chart_axes.HEIGHT,
        "left": chart_axes.LEFT,
        "right": chart_axes.RIGHT,
        "top": chart_axes.TOP,
        "bottom": chart_axes.BOTTOM,
    }


def _start(chart: Chart) -> int:
    """The severity that is read off at first: the strongest that was judged."""
    judged = [x for series in chart.series for x, _ in series.outcomes]
    places = [chart.across.x(severity) for severity in chart.across.severities]
    return places.index(max(judged)) if judged else len(places) - 1


def _of_claims(findings: Findings, tolerances: Tolerances) -> dict[str, Any]:
    worst = sorted(findings.verdicts, key=lambda v: WORST_FIRST.index(v["outcome"]))
    counts = Counter(verdict["outcome"] for verdict in worst)
    claims = []
    for verdict in worst:
        tolerance = tolerances.of_verdict(verdict)
        claims.append(
            {
                "verdict": verdict,
                "id": claim_id(verdict),
                "reason": tolerance.reason if tolerance else "",
            }
        )
    return {
        "claims": claims,
        "places": links(worst),
        "outcome_counts": [(name, counts[name]) for name in WORST_FIRST if counts[name]],
        "failures": findings.failures,
    }


def _readings(chart: Chart, subgroups: Sequence[str]) -> dict[str, Any]:
    """What the page's script reads off a chart."""
    unit = f" {chart.unit}" if chart.unit else ""
    return {
        "labels": [label if label == "clean" else f"{label}{unit}" for label in chart.labels],
        "x": [chart.across.x(severity) for severity in chart.across.severities],
        "series": [
            {"subgroup": s.subgroup, "place": subgroups.index(s.subgroup), "readings": s.readings} for s in chart.series
        ],
    }


def _json(content: object) -> str:
    """JSON that ends no script element, whatever its texts are."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(content: str) -> str:
    """As a content security policy names an element: no other script or style may run."""
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _data(picture: Picture) -> str:
    return f"data:image/{picture.kind};base64,{base64.b64encode(picture.data).decode()}"


@cache
def _file(name: str) -> str:
    return files(_TEMPLATES).joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "words": lambda outcome: str(outcome).replace("_", " "),
        "severity": severity_text,
        "number": figure_text,
        "data": _data,
    }
    return environment
