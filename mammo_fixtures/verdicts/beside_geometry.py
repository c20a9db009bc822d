"""What is told beside a geometric result: its resampling control, and how much stayed in the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.perturbations.resampling_control import CONTROL, CONTROLS
from mammo_fixtures.perturbations.share_kept import BREAST, ENOUGH, REGION
from mammo_fixtures.scoring.score_table import Condition, ScoreTable
from mammo_fixtures.verdicts.curve import curve, question_of
from mammo_fixtures.verdicts.sentence import figure_text
from mammo_fixtures.verdicts.subgroups import ALL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mammo_fixtures.verdicts.curve import Curve

_CONTROLLED = tuple(record.name.removesuffix(CONTROL) for record in CONTROLS)


def controls_of(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """The resampling controls of those conditions that interpolate."""
    return tuple(
        Condition(f"{c.perturbation}{CONTROL}", c.severity) for c in conditions if c.perturbation in _CONTROLLED
    )


def resampling_control_of(table: ScoreTable, drawn: Curve) -> dict[float, dict[str, Any]]:
    """By severity: what the control lost, and what the perturbation lost on the very breasts of the control.

    Empty for what has no control, and where a table has no scores of it.
    """
    control = f"{drawn.perturbation}{CONTROL}"
    severities = table.severities(control)
    if drawn.perturbation not in _CONTROLLED or not severities:
        return {}
    scored = np.stack([table.at(Condition(control, severity)) for severity in severities])
    same = table.cut(np.flatnonzero(~np.isnan(scored).all(axis=(0, 2))))
    of_control, own = (curve(same, name, **question_of(drawn)) for name in (control, drawn.perturbation))
    found = {}
    for point in of_control.points[1:]:
        moved = own.at(point.severity)
        found[point.severity] = {
            "drop": point.drop,
            "drop_low": point.drop_low,
            "drop_high": point.drop_high,
            "own_drop": moved.drop if moved else None,
            "positives": point.positives,
            "negatives": point.negatives,
        }
    return found


def share_kept_of(table: ScoreTable, perturbation: str, severity: float) -> dict[str, dict[str, float]]:
    """Median and least share of `breast` and `region` that stays in the image, over the views, and how many lose more
    than 5 %; empty where nothing was noted."""
    notes = table.notes.get(Condition(perturbation, severity), {})
    return {
        what: {
            "median": float(np.median(notes[name])),
            "least": float(min(notes[name])),
            "flagged": sum(share < ENOUGH for share in notes[name]),
            "views": len(notes[name]),
        }
        for what, name in (("breast", BREAST), ("region", REGION))
        if name in notes
    }


def point_fields(table: ScoreTable, drawn: Curve) -> dict[float, dict[str, Any]]:
    """By severity: fields that stand beside a curve's own in curves.json."""
    controls = resampling_control_of(table, drawn)
    fields: dict[float, dict[str, Any]] = {}
    for point in drawn.points[1:]:
        kept = share_kept_of(table, drawn.perturbation, point.severity)
        control = controls.get(point.severity)
        fields[point.severity] = ({"resampling_control": control} if control else {}) | (
            {"share_kept": kept} if kept else {}
        )
    return fields


def lines(table: ScoreTable) -> list[str]:
    """One line a geometric perturbation on its control and one on what stays, then one for each flag."""
    told, flags = [], []
    for name in dict.fromkeys(c.perturbation for c in table.conditions if c.perturbation in PERTURBATIONS.names):
        record, severities = PERTURBATIONS[name], table.severities(name)
        kept = {s: shares for s in severities if (shares := share_kept_of(table, name, s))}
        if kept:
            told.append(f"{name} {_row(kept)} {record.unit}: {_shares(list(kept.values()))} stays in the image")
        flags += [flag for s, shares in kept.items() for flag in _flags(f"{name} {s:g} {record.unit}", shares)]
        controls = resampling_control_of(table, curve(table, name, subgroup=ALL)) if name in _CONTROLLED else {}
        known = {s: found for s, found in controls.items() if found["drop"] is not None}
        if known:
            one = next(iter(known.values()))
            on = f"{one['positives']} malignant and {one['negatives']} other breasts"
            told.append(
                f"{name} {_row(known)} {record.unit}: AUC drop {_figures(known, 'own_drop')}, of its resampling "
                f"control alone {_figures(known, 'drop')} ({on})"
            )
    return told + flags


def _row(by_severity: Iterable[float]) -> str:
    return " ".join(f"{severity:g}" for severity in by_severity)


def _figures(known: dict[float, dict[str, Any]], name: str) -> str:
    return " ".join(figure_text(found[name]) for found in known.values())


def _shares(kept: list[dict[str, dict[str, float]]]) -> str:
    parts = []
    for what, said in (("breast", "of the breast"), ("region", "of the lesion's region")):
        if all(what in shares for shares in kept):
            pairs = " ".join(f"{shares[what]['median']:.2f} ({shares[what]['least']:.2f})" for shares in kept)
            parts.append(f"{said} a median (least) of {pairs}")
    return " and ".join(parts)


def _flags(condition: str, shares: dict[str, dict[str, float]]) -> list[str]:
    said = {"breast": "breast", "region": "lesion's region"}
    return [
        f"{condition}: under {ENOUGH:.0%} of the {said[what]} stays in the image "
        f"({each['flagged']:g} of {each['views']:g} views)"
        for what, each in shares.items()
        if each["flagged"]
    ]
