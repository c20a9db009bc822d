"""Holds a curve against a tolerance."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import Metric
from mammo_fixtures.verdicts.curve import QUESTION, Curve, Point
from mammo_fixtures.verdicts.decidability import FEWEST_JUDGED, deciding_number, needed_to_hold
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.sentence import clean_sentence, not_run_sentence, sentence
from mammo_fixtures.verdicts.tolerance import MAY_LOSE, Tolerance
from mammo_fixtures.verdicts.verdict import Verdict


class Finding(NamedTuple):
    """An outcome, and why where it is inconclusive."""

    outcome: str
    because: str = ""


def judge(curve: Curve, tolerance: Tolerance) -> tuple[Verdict, ...]:
    """One verdict for each severity of the tolerance; for each of the curve where the tolerance names none."""
    severities = tolerance.severities or tuple(point.severity for point in curve.points[1:])
    return tuple(judge_severity(curve, tolerance, severity) for severity in severities)


def judge_severity(curve: Curve, tolerance: Tolerance, severity: float, *, test: str = "") -> Verdict:
    """The verdict at one severity.

    `holds` is held when the upper bound of the drop is at most the margin and broken when the lower bound exceeds it;
    `responds` is held when the lower bound is at least the margin and broken when the upper bound is below it. Where
    less is better it is the rise that counts, and where nothing should change, a change either way.
    """
    _same_question(curve, tolerance)
    point = curve.at(severity)
    reason = not_judged(curve, point, tolerance)
    if reason or point is None:
        return not_run(curve, tolerance, severity, reason=reason, test=test)
    outcome, because = find(curve, point, tolerance)
    text = sentence(curve, point, tolerance, outcome=outcome, because=because)
    return verdict_on(curve, tolerance, severity, outcome=outcome, sentence=text, test=test)


def find(curve: Curve, point: Point, tolerance: Tolerance) -> Finding:
    """The outcome of a claim whose figures are there, and why it is inconclusive."""
    worse = _for_the_worse(metric_named(curve.metric), point)
    return _holds(curve, worse, tolerance) if tolerance.claim in MAY_LOSE else _responds(worse, tolerance)


def _for_the_worse(metric: Metric, point: Point) -> Point:
    """The point with what was lost as its drop, whichever way is for the worse."""
    assert point.drop is not None
    assert point.drop_low is not None
    assert point.drop_high is not None
    if metric.better == "larger":
        return point
    if metric.better == "smaller":
        return replace(point, drop=-point.drop, drop_low=-point.drop_high, drop_high=-point.drop_low)
    return replace(
        point,
        drop=abs(point.drop),
        drop_low=max(point.drop_low, -point.drop_high, 0.0),
        drop_high=max(abs(point.drop_low), abs(point.drop_high)),
    )


def judge_clean(curve: Curve, *, test: str = "") -> Verdict:
    """Whether the clean metric is better than chance, before any perturbation is blamed."""
    clean, chance = curve.clean, metric_named(curve.metric).chance
    if chance is None:
        raise UnusableInput(f"clean: metric must be one that has a value at chance, got {curve.metric!r}; judge auc")
    if reason := _too_few(curve, clean, FEWEST_JUDGED):
        outcome = "not_run"
    elif clean.low is None or clean.high is None:
        outcome, reason = "not_run", _NO_INTERVAL
    else:
        outcome = "held" if clean.low > chance else "broken" if clean.high < chance else "inconclusive"
    return Verdict(
        test=test,
        claim="clean",
        perturbation="clean",
        severity=0.0,
        unit="",
        subgroup=curve.subgroup,
        metric=curve.metric,
        clean=clean.value,
        perturbed=None,
        drop=None,
        low=clean.low,
        high=clean.high,
        margin=None,
        confidence=curve.confidence,
        outcome=outcome,
        positives=clean.positives,
        negatives=clean.negatives,
        sentence=clean_sentence(curve, chance, outcome=outcome, reason=reason),
    )


def not_run(curve: Curve, tolerance: Tolerance, severity: float, *, reason: str, test: str = "") -> Verdict:
    """The verdict on a claim that could not be judged. Not run is not passed."""
    text = not_run_sentence(curve, tolerance, severity, reason=reason)
    return verdict_on(curve, tolerance, severity, outcome="not_run", sentence=text, test=test)


FEWEST_READERS = 2
_NO_INTERVAL = (
    "breasts that are not malignant come from fewer than two patients, so there is no interval; where one patient_id "
    "stands for all of them, leave it empty"
)


def not_judged(curve: Curve, point: Point | None, tolerance: Tolerance) -> str:
    """Why a claim cannot be judged, or an empty text."""
    clean, metric = curve.clean, metric_named(curve.metric)
    if point is None:
        have = ", ".join(f"{p.severity:g}" for p in curve.points[1:])
        return f"the scores hold no such severity, {f'only {have}' if have else f'and none of {curve.perturbation}'}"
    if not point.positives and not point.negatives and curve.positives and curve.negatives:
        both = (
            "in both releases"
            if tolerance.claim == "not_worse"
            else "from one reader both when clean and at this severity"
        )
        return f"no breast has a score {both}"
    needed = metric.fewest
    if tolerance.claim in MAY_LOSE:
        needed = max(needed, needed_to_hold(clean.value, metric.chance, tolerance.margin))
    if reason := _too_few(curve, point, needed, metric.fewest):
        return reason
    if curve.readers == "random" and point.readers < FEWEST_READERS:
        return f"{point.readers} reader is too few to speak for others, at least {FEWEST_READERS} are needed"
    if point.value is None and clean.positives:
        return f"the {metric.title} cannot be computed from these scores"
    if clean.low is None or point.drop_low is None or point.drop_high is None:
        return _NO_INTERVAL
    return (
        _nothing_to_hold(clean, metric, tolerance)
        if tolerance.claim in MAY_LOSE
        else _nothing_to_lose(clean, metric, tolerance)
    )


def _nothing_to_hold(clean: Point, metric: Metric, tolerance: Tolerance) -> str:
    """Why what may lose a margin has none to lose, or an empty text."""
    whose = "clean" if tolerance.claim == "holds" else "baseline's"
    assert clean.low is not None
    if metric.chance is not None and clean.low <= metric.chance:
        return (
            f"the {whose} {metric.title} is not above chance, its lower bound is {clean.low:.3f} and must exceed "
            f"{metric.chance:g}, so there is nothing to hold"
        )
    # A claim that no score could break is no claim: tied scores may leave an operating point without a positive.
    if clean.value is not None and metric.better == "larger" and clean.value - metric.low <= tolerance.margin:
        return (
            f"the {whose} {metric.title} is {clean.value:.3f} and cannot fall by more than the margin "
            f"{tolerance.margin:.3f}, so there is nothing to hold"
        )
    return ""


def _nothing_to_lose(clean: Point, metric: Metric, tolerance: Tolerance) -> str:
    """Why what must lose a margin cannot, or an empty text."""
    assert clean.low is not None
    if metric.chance is None or clean.low - tolerance.margin > metric.chance:
        return ""
    return (
        f"clean {metric.title} too low: its lower bound {clean.low:.3f} less the margin {tolerance.margin:.3f} "
        f"must exceed {metric.chance:g}, or there is too little to lose"
    )


def _too_few(curve: Curve, point: Point, needed: int, fewest: int = FEWEST_JUDGED) -> str:
    if point.positives < fewest:
        said = f"{point.positives} malignant breasts are too few, at least {needed} are needed"
        return f"{said}; {curve.absent}" if curve.absent else said
    if not point.negatives:
        return "there is no breast that is not malignant, and malignant ones are set against those"
    return ""


def _holds(curve: Curve, point: Point, tolerance: Tolerance) -> Finding:
    needed = needed_to_hold(curve.clean.value, metric_named(curve.metric).chance, tolerance.margin)
    if point.positives < needed:
        return Finding(
            "inconclusive",
            f"{point.positives} malignant breasts are too few for this margin, at least {needed} are needed",
        )
    assert point.drop_low is not None
    assert point.drop_high is not None
    if point.drop_high <= tolerance.margin:
        return Finding("held")
    if point.drop_low > tolerance.margin:
        return Finding("broken")
    return Finding("inconclusive", deciding_number(point, tolerance.margin, least=needed))


def _responds(point: Point, tolerance: Tolerance) -> Finding:
    assert point.drop_low is not None
    assert point.drop_high is not None
    if point.drop_low >= tolerance.margin:
        return Finding("held")
    if point.drop_high < tolerance.margin:
        return Finding("broken")
    return Finding("inconclusive", deciding_number(point, tolerance.margin, least=FEWEST_JUDGED))


def verdict_on(
    curve: Curve, tolerance: Tolerance, severity: float, *, outcome: str, sentence: str, test: str
) -> Verdict:
    """The figures of a curve at a severity with what came of them."""
    point = curve.at(severity)
    counted = point or curve.clean
    return Verdict(
        test=test,
        claim=tolerance.claim,
        perturbation=tolerance.perturbation,
        severity=float(severity),
        unit=curve.unit,
        subgroup=tolerance.subgroup,
        metric=tolerance.metric,
        clean=curve.clean_beside(point),
        perturbed=point.value if point else None,
        drop=point.drop if point else None,
        low=point.drop_low if point else None,
        high=point.drop_high if point else None,
        margin=tolerance.margin,
        confidence=tolerance.confidence,
        outcome=outcome,
        positives=counted.positives,
        negatives=counted.negatives,
        sentence=sentence,
    )


def _same_question(curve: Curve, tolerance: Tolerance) -> None:
    """A tolerance held against another curve would give a verdict that nobody asked for."""
    for name in ("perturbation", *QUESTION):
        asked, got = getattr(tolerance, name), getattr(curve, name)
        if asked != got:
            raise UnusableInput(
                f"{tolerance.where}: the curve must have the tolerance's {name} {asked!r}, got {got!r}; "
                f"draw it with curve(table, …, {name}={asked!r})"
            )
