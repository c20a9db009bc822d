"""Perturbations of which views a score is made from: nothing happens to any pixel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.keyed import Key
from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from torch import Tensor


def missing_view(pixels: Tensor, *, views: float, out: Tensor | None = None) -> Tensor:
    """One view of each breast withheld, of the same position where both have it, keyed on the exam.

    A view-level classifier scores the remaining views; at exam level the withheld ones are all background.
    """
    raise _of_exams("missing_view")


def view_swap(pixels: Tensor, *, exchanges: float, out: Tensor | None = None) -> Tensor:
    """Left and right, or CC and MLO, exchanged in what an exam-level classifier gets, keyed on the exam.

    The score follows the images: where left and right changed places, a breast's score is the one given in its images'
    new place. So a classifier that treats both places alike keeps its scores.
    """
    raise _of_exams("view_swap")


def withheld_position(positions: Iterable[str], exam_id: str, seed: int) -> str:
    """The position that is missing, empty where there are fewer than two."""
    known = sorted(set(positions))
    if len(known) < 2:
        return ""
    return known[Key(exam_id=exam_id, side="", position="", seed=seed).digest("missing view") % len(known)]


def exchange(names: Iterable[str], exam_id: str, seed: int) -> dict[str, str]:
    """For each view, `L-CC`, the one whose images come in its place; empty where none can be exchanged."""
    known = sorted(set(names))
    positions = sorted({name[2:] for name in known})
    ways = [{name: ("R" if name[0] == "L" else "L") + name[1:] for name in known}]
    if len(positions) == 2:
        ways.append({name: name[:2] + positions[1 - positions.index(name[2:])] for name in known})
    possible = [way for way in ways if set(way.values()) == set(known)]
    if not possible:
        return {}
    return possible[Key(exam_id=exam_id, side="", position="", seed=seed).digest("view swap") % len(possible)]


def _of_exams(name: str) -> UnusableInput:
    return UnusableInput(f"{name}: changes an exam, got one view; score a cohort with score(...)")


MISSING_VIEW = Perturbation(
    name="missing_view",
    apply=missing_view,
    parameter="views",
    unit="view withheld",
    unit_label="view",
    decimals=0,
    severities=(1,),
    valid=(1, 1),
    nothing=0.0,
    set="extended",
    ladder="set",
    keyed=True,
    needs="exam",
    source="Exams reach a classifier with a view missing, not sent or refused for its quality.",
)

VIEW_SWAP = Perturbation(
    name="view_swap",
    apply=view_swap,
    parameter="exchanges",
    unit="exchange",
    unit_label="swap",
    decimals=0,
    severities=(1,),
    valid=(1, 1),
    nothing=0.0,
    set="extended",
    ladder="set",
    keyed=True,
    may_cancel=True,
    needs="exam",
    source="Laterality or view position entered wrongly at the modality.",
)
