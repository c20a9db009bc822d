"""Contract checks on views as they are declared, on a sample of the cohort spread over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from mammo_fixtures.exams import Cohort, View, chest_wall_side
from mammo_fixtures.exams.plausibility import exchanged_sides, range_doubt
from mammo_fixtures.perturbations.breast_mask import background_value
from mammo_fixtures.plugin.run import Run

EXAMS_LOOKED_AT = 8
_BACKGROUND_SHARE = 0.05
"""Of an image; with less of it, where the breast lies is not told from its pixels."""
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one view looks like beside what is declared of it."""

    name: str
    exam_id: str
    side: str
    range_doubt: str
    background: float
    """Percent of the image that has the background's value."""
    declared: str
    """Image side of the chest wall as the file says, or empty."""
    found: str
    """As the pixels show it, or empty."""

    @classmethod
    def at(cls, view: View) -> Look:
        background = float((view.pixels == background_value(view.pixels)).mean())
        return cls(
            name=view.name,
            exam_id=view.exam_id,
            side=view.side,
            range_doubt=range_doubt(view),
            background=100 * background,
            declared=view.chest_wall,
            found=chest_wall_side(view.pixels) if background > _BACKGROUND_SHARE else "",
        )


def views_use_their_declared_intensity_range(cohort: Cohort, mammo_run: Run) -> None:
    """Fails where most do not; notes those that do not."""
    looks = _sample(cohort, mammo_run)
    doubts = {look.name: look.range_doubt for look in looks if look.range_doubt}
    _tell(mammo_run, "declared intensity range in doubt", doubts, len(looks))
    bare = {
        look.name: f"{look.background:.2g}% of it has the value taken for background"
        for look in looks
        if look.background <= 100 * _BACKGROUND_SHARE
    }
    _tell(mammo_run, "no background of one value, so that all of the image is perturbed as breast,", bare, len(looks))
    assert 2 * len(doubts) <= len(looks), (
        f"views must use their declared intensity range, {len(doubts)} of {len(looks)} looked at do not: "
        f"{_listed(doubts)}; correct intensity_low and intensity_high, or Bits Stored"
    )


def breasts_lie_on_their_declared_side(cohort: Cohort, mammo_run: Run) -> None:
    """Fails where most do not; notes those that do not, and exams whose sides look exchanged."""
    looks = _sample(cohort, mammo_run)
    declared = [look for look in looks if look.declared]
    doubts = {
        look.name: f"its breast lies on the {look.found}, declared on the {look.declared}"
        for look in declared
        if look.found not in ("", look.declared)
    }
    _tell(mammo_run, "declared chest wall in doubt", doubts, len(declared))
    exams = list(dict.fromkeys(look.exam_id for look in looks if not look.declared))
    exchanged = {
        f"exam {exam}": "L lies on the right, R on the left"
        for exam in exams
        if exchanged_sides({look.side: look.found for look in looks if look.exam_id == exam})
    }
    _tell(mammo_run, "sides exchanged, or images mirrored,", exchanged, len(exams))
    if not declared:
        pytest.skip("no file declares its chest wall; exams whose sides look exchanged stand in the notes")
    assert 2 * len(doubts) <= len(declared), (
        f"breasts must lie on the side that their files declare, {len(doubts)} of {len(declared)} looked at do not: "
        f"{_listed(doubts)}; correct Patient Orientation (0020,0020), or do not mirror pixels without it"
    )


def _sample(cohort: Cohort, run: Run) -> list[Look]:
    """One view of each breast of some exams, decoded once in each process."""
    if not run.looked_at:
        step = max(1, len(cohort) // EXAMS_LOOKED_AT)
        exams = cohort.exams[::step][:EXAMS_LOOKED_AT]
        run.looked_at.extend(Look.at(breast.views[0].read()) for exam in exams for breast in exam.breasts)
    return run.looked_at


def _tell(run: Run, what: str, doubts: Mapping[str, str], among: int) -> None:
    if doubts:
        run.remarks[f"{what} in {len(doubts)} of {among} looked at: {_listed(doubts)}"] = None


def _listed(doubts: Mapping[str, str]) -> str:
    more = f" and {len(doubts) - _SHOWN} more" if len(doubts) > _SHOWN else ""
    return "; ".join(f"{name}: {said}" for name, said in list(doubts.items())[:_SHOWN]) + more
