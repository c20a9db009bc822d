"""Verdicts as sentences: one form for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mammo_fixtures.verdicts.curve import ALL, metric_named

if TYPE_CHECKING:
    from mammo_fixtures.verdicts.curve import Curve, Point
    from mammo_fixtures.verdicts.tolerance import Tolerance


def sentence(curve: Curve, point: Point, tolerance: Tolerance, *, outcome: str, because: str) -> str:
    """A verdict that was reached: what moved, by how much, against what, on how many breasts, and what to do."""
    margin = f"a margin of {tolerance.margin:.3f}"
    if tolerance.claim == "responds":
        margin = f"a required drop of {tolerance.margin:.3f}"
    parts = [
        f"{_subject(curve)} {_moved(curve.clean, point)} at {_condition(curve, point.severity)}: "
        f"drop {_bounded(point.drop, point.drop_low, point.drop_high)} against {margin} ({_counts(curve)})."
    ]
    if outcome == "inconclusive":
        parts.append(f"Inconclusive: {because}.")
    if outcome == "broken" and tolerance.claim == "responds":
        parts.append("It keeps what readers lose there, so it uses what they cannot see.")
    if outcome != "held":
        parts.append(_look_closer(curve))
    return " ".join(parts)


def not_run_sentence(curve: Curve, tolerance: Tolerance, severity: float, *, reason: str) -> str:
    """A verdict that was not reached, why, and how to allow it."""
    return (
        f"{_subject(curve)} at {_condition(curve, severity)} was not judged: {reason} ({_counts(curve)}). "
        f'Mend that, or allow it with not_run = "allow" ({tolerance.where}).'
    )


def clean_sentence(curve: Curve, chance: float, *, outcome: str, reason: str) -> str:
    """The clean metric against chance."""
    clean = curve.clean
    if outcome == "not_run":
        return f"Clean {_subject(curve)} was not judged: {reason} ({_counts(curve)}). Add such breasts to the cohort."
    figures = f"{_bounded(clean.value, clean.low, clean.high)} against chance at {chance:g} ({_counts(curve)})"
    remedy = {
        "held": "",
        "inconclusive": " It may be chance: add malignant breasts.",
        "broken": " The score points the wrong way: check the labels and the sign of the score.",
    }[outcome]
    if remedy:
        remedy += " Look closer: pytest -k contract --mammo-report=out/"
    return f"Clean {_subject(curve)} is {figures}.{remedy}"


def severity_text(severity: float) -> str:
    """A severity as people write it: `0.50`, `2`, `0.005`.

    >>> [severity_text(s) for s in (0.5, 2.0, 0.005)]
    ['0.50', '2', '0.005']
    """
    if severity == round(severity):
        return f"{severity:.0f}"
    return f"{severity:.2f}" if severity == round(severity, 2) else f"{severity:g}"


def _subject(curve: Curve) -> str:
    return f"{metric_named(curve.metric).title} of {'all breasts' if curve.subgroup == ALL else curve.subgroup}"


def _condition(curve: Curve, severity: float) -> str:
    return " ".join(filter(None, (curve.perturbation, severity_text(severity), curve.unit)))


def _moved(clean: Point, point: Point) -> str:
    """`fell 0.910 → 0.840`."""
    assert clean.value is not None
    assert point.value is not None
    before, after = f"{clean.value:.3f}", f"{point.value:.3f}"
    if before == after:
        return f"stayed at {after}"
    return f"{'fell' if point.value < clean.value else 'rose'} {before} → {after}"


def _bounded(value: float | None, low: float | None, high: float | None) -> str:
    """`0.070 [0.041, 0.099]`; a drop that rounds to nothing has no sign."""
    texts = ["–" if figure is None else f"{figure:.3f}" for figure in (value, low, high)]
    texts = ["0.000" if text == "-0.000" else text for text in texts]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _counts(curve: Curve) -> str:
    counts = f"n = {curve.clean.positives} malignant, {curve.clean.negatives} not"
    return f"{counts}, {curve.unlabelled} of unknown label left out" if curve.unlabelled else counts


def _look_closer(curve: Curve) -> str:
    names = curve.perturbation if curve.subgroup == ALL else f"{curve.perturbation} and {curve.subgroup}"
    return f'Look closer: pytest -k "{names}" --mammo-report=out/'
