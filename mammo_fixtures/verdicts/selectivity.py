"""Selectivity: that one subgroup loses more than another, as readers do where only one of them needs detail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mammo_fixtures.metrics import OperatingPoint, Terms
from mammo_fixtures.metrics.contrast import Contrast, drop_contrast
from mammo_fixtures.verdicts.averaging import averaged
from mammo_fixtures.verdicts.basis import counts
from mammo_fixtures.verdicts.curve import Curve, Point, curve, plain, question_of
from mammo_fixtures.verdicts.judge import FEWEST_READERS, find, not_judged, not_run, verdict_on
from mammo_fixtures.verdicts.sampling import are_probabilities, chosen, conditions_of, metric_named, sampled
from mammo_fixtures.verdicts.sentence import condition_text, look_closer, signed

if TYPE_CHECKING:
    from mammo_fixtures.scoring.score_table import ScoreTable
    from mammo_fixtures.verdicts.tolerance import Tolerance
    from mammo_fixtures.verdicts.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectivity:
    """What a subgroup loses beyond another, over severity."""

    more: Curve
    """The subgroup's curve, with the difference of the two drops in place of its own drop."""
    one: Curve
    """The subgroup's own curve."""
    than: Curve


def selectivity(table: ScoreTable, tolerance: Tolerance, *, unit: str = "") -> Selectivity:
    """Drop of the tolerance's subgroup less that of `than`, from the same patients and other breasts."""
    asked = question_of(tolerance) | {"unit": unit}
    table = averaged(table, tolerance.perturbation)
    one = curve(table, tolerance.perturbation, **asked)
    than = curve(table, tolerance.perturbation, **(asked | {"subgroup": tolerance.than}))
    if not (one.positives and than.positives and one.negatives):
        return Selectivity(more=one, one=one, than=than)
    record = metric_named(tolerance.metric)
    conditions = conditions_of(table, tolerance.perturbation)
    own = sampled(table, conditions, chosen(table, tolerance.subgroup))
    others = sampled(table, conditions, chosen(table, tolerance.than))
    terms = Terms(
        confidence=tolerance.confidence,
        operating_point=OperatingPoint.parse(tolerance.operating_point),
        prevalence=tolerance.prevalence,
        readers=tolerance.readers,
        probabilities=are_probabilities(table, record),
    )
    difference, _, _ = drop_contrast(record, own, others, terms)
    return Selectivity(more=with_difference(one, than, difference), one=one, than=than)


def with_difference(one: Curve, than: Curve, difference: Contrast) -> Curve:
    """The subgroup's curve with the difference of the two drops in place of its own."""
    points = [one.clean]
    for place, point in enumerate(one.points[1:], 1):
        known = point.drop is not None and than.points[place].drop is not None
        points.append(
            replace(
                point,
                drop=float(difference.value[place]) if known else None,
                drop_low=plain(difference.low[place]),
                drop_high=plain(difference.high[place]),
                reader_variance=plain(difference.reader_variance[place]),
            )
        )
    return replace(one, points=tuple(points))


def judge_more(pair: Selectivity, tolerance: Tolerance, severity: float, *, test: str = "") -> Verdict:
    """Held when the lower bound of the difference is at least the margin, broken when the upper one is below it."""
    point, other = pair.more.at(severity), pair.than.at(severity)
    reason = not_judged(pair.more, point, tolerance)
    if not reason:
        fewest = metric_named(tolerance.metric).fewest
        if other is None or other.drop_low is None or other.positives < fewest:
            there = other.positives if other else 0
            reason = f"{there} malignant breasts in {tolerance.than} are too few, at least {fewest} are needed"
    random = tolerance.readers == "random" and point is not None and point.readers >= FEWEST_READERS
    if random and point and point.drop is not None and point.reader_variance is None:
        both = f"{tolerance.subgroup} and {tolerance.than}"
        reason = f"fewer than {FEWEST_READERS} readers scored both {both}, so none stand for others"
    if reason or point is None or other is None:
        return not_run(pair.more, tolerance, severity, reason=reason, test=test)
    outcome, because = find(pair.more, point, tolerance)
    return verdict_on(
        pair.more,
        tolerance,
        severity,
        outcome=outcome,
        sentence=_sentence(pair, point, other, tolerance, outcome=outcome, because=because),
        test=test,
    )


def _sentence(
    pair: Selectivity, point: Point, other: Point, tolerance: Tolerance, *, outcome: str, because: str
) -> str:
    record = metric_named(tolerance.metric)
    sign, word = (1.0, "fell") if record.better == "larger" else (-1.0, "rose")
    own = pair.one.at(point.severity)
    assert own is not None
    lost = [sign * (p.drop or 0.0) for p in (own, other)]
    text = (
        f"{record.title} {word} by {lost[0]:.3f} in {tolerance.subgroup} and by {lost[1]:.3f} in {tolerance.than} at "
        f"{condition_text(pair.more, point.severity)}: difference {signed(point, sign)} against a required "
        f"difference of {tolerance.margin:.3f} ({counts(pair.more, point)}; {other.positives} malignant in "
        f"{tolerance.than})."
    )
    if outcome == "inconclusive":
        text += f" Inconclusive: {because}."
    if outcome == "broken":
        text += f" It loses as much where readers lose nothing, or keeps {tolerance.subgroup} by what they cannot see."
    return text if outcome == "held" else f"{text} {look_closer(pair.more)}"
