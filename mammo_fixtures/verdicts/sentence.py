"""Verdicts as sentences: one form for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mammo_fixtures.scoring.score_table import CLEAN
from mammo_fixtures.verdicts.basis import counts, subject
from mammo_fixtures.verdicts.id_text import slug
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.subgroups import ALL, crossed

if TYPE_CHECKING:
    from mammo_fixtures.verdicts.curve import Curve, Point
    from mammo_fixtures.verdicts.tolerance import Tolerance

_CHANGES = {"larger": ("drop", 1.0), "smaller": ("rise", -1.0), "steady": ("change", -1.0)}
"""What the movement of a metric is called, and its sign against clean minus perturbed."""


def sentence(curve: Curve, point: Point, tolerance: Tolerance, *, outcome: str, because: str) -> str:
    """A verdict that was reached: what moved, by how much, against what, on how many breasts, and what to do."""
    against = " against the baseline" if tolerance.claim == "not_worse" else ""
    parts = [
        f"{subject(curve)} {_moved(curve, point)}{against} at {condition_text(curve, point.severity)}: "
        f"{change_text(curve, point)} against {margin_text(curve, tolerance)} ({counts(curve, point)})."
    ]
    if outcome == "inconclusive":
        parts.append(f"Inconclusive: {because}.")
    if outcome == "broken" and tolerance.claim == "responds":
        parts.append("It keeps what readers lose there, so it uses what they cannot see.")
    if outcome != "held":
        parts.append(look_closer(curve))
    return " ".join(parts)


def not_run_sentence(curve: Curve, tolerance: Tolerance, severity: float, *, reason: str) -> str:
    """A verdict that was not reached, why, and how to allow it."""
    point = curve.at(severity)
    return (
        f"{subject(curve)} at {condition_text(curve, severity)} was not judged: {reason} ({counts(curve, point)}). "
        f'Mend that, or allow it with not_run = "allow" ({tolerance.where}).'
    )


def clean_sentence(curve: Curve, chance: float, *, outcome: str, reason: str) -> str:
    """The clean metric against chance."""
    clean = curve.clean
    if outcome == "not_run":
        return (
            f"Clean {subject(curve)} was not judged: {reason} ({counts(curve, clean)}). Add such breasts to the cohort."
        )
    figures = f"{bounded(clean.value, clean.low, clean.high)} against chance at {chance:g} ({counts(curve, clean)})"
    remedy = {
        "held": "",
        "inconclusive": " It may be chance: add malignant breasts, and check that labels and exams belong together.",
        "broken": " The score points the wrong way: check the labels and the sign of the score.",
    }[outcome]
    if remedy:
        remedy += " Look closer: the same command with -k contract --mammo-report=out/"
    return f"Clean {subject(curve)} is {figures}.{remedy}"


def severity_text(severity: float) -> str:
    """A severity as people write it: `0.50`, `2`, `0.005`.

    >>> [severity_text(s) for s in (0.5, 2.0, 0.005)]
    ['0.50', '2', '0.005']
    """
    if severity == round(severity):
        return f"{severity:.0f}"
    return f"{severity:.2f}" if severity == round(severity, 2) else f"{severity:g}"


def condition_text(curve: Curve, severity: float) -> str:
    """`lowpass 0.50 mm`, or `clean`."""
    if curve.perturbation == CLEAN.perturbation:
        return curve.perturbation
    return " ".join(filter(None, (curve.perturbation, severity_text(severity), curve.unit)))


def change_text(curve: Curve, point: Point) -> str:
    """`drop 0.070 [0.041, 0.099]`, or `rise` where less is better, or `change`."""
    name, sign = _CHANGES[metric_named(curve.metric).better]
    return f"{name} {signed(point, sign)}"


def signed(point: Point, sign: float) -> str:
    """A point's drop with its bounds, or with −1 its rise."""
    figures = [None if f is None else sign * f for f in (point.drop, point.drop_low, point.drop_high)]
    low, high = figures[1:] if sign > 0 else (figures[2], figures[1])
    return bounded(figures[0], low, high)


def margin_text(curve: Curve, tolerance: Tolerance) -> str:
    """`a margin of 0.050`, or what is required."""
    if tolerance.claim == "responds":
        return f"a required {_CHANGES[metric_named(curve.metric).better][0]} of {tolerance.margin:.3f}"
    return f"a margin of {tolerance.margin:.3f}"


def bounded(value: float | None, low: float | None, high: float | None) -> str:
    """`0.070 [0.041, 0.099]`."""
    return f"{figure_text(value)} [{figure_text(low)}, {figure_text(high)}]"


def figure_text(figure: float | None) -> str:
    """`0.070`; a drop that rounds to nothing has no sign."""
    text = "–" if figure is None else f"{figure:.3f}"
    return "0.000" if text == "-0.000" else text


def look_closer(curve: Curve) -> str:
    """What shows more, added to the command that was typed: its scores, its classifier, and it may not be `pytest`."""
    names = [slug(value) for _, value in crossed(curve.subgroup)] if curve.subgroup != ALL else []
    return f'Look closer: the same command with -k "{" and ".join([curve.perturbation, *names])}" --mammo-report=out/'


def _moved(curve: Curve, point: Point) -> str:
    """`fell 0.910 → 0.840`, from the clean value of the same breasts."""
    start = curve.clean_beside(point)
    assert start is not None
    assert point.value is not None
    before, after = f"{start:.3f}", f"{point.value:.3f}"
    if before == after:
        return f"stayed at {after}"
    return f"{'fell' if point.value < start else 'rose'} {before} → {after}"
