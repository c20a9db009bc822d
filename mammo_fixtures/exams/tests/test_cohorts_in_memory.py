"""What cannot be a breast, an exam or a cohort is refused where it is made, also without a manifest."""

from __future__ import annotations

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Breast, Cohort, Exam, View


def breast(side: str, exam_id: str = "7", **given: object) -> Breast:
    pixels = np.full((20, 10), 9, np.uint16)
    view = View.from_array(pixels, pixel_spacing_mm=(0.1, 0.1), side="L", position="CC", exam_id=exam_id)
    return Breast(**{"exam_id": exam_id, "side": side, "views": (view,), **given})


def refused(make: object) -> str:
    with pytest.raises(UnusableInput) as refusal:
        make()
    return str(refusal.value)


def test_a_breast_has_a_side_and_a_view() -> None:
    assert refused(lambda: breast("left")) == "exam 7: side must be L or R, got 'left'"
    assert refused(lambda: breast("R", views=())) == "exam 7, R: a breast needs at least one view, got none"


@pytest.mark.parametrize("sides", [[], ["L", "L"]])
def test_an_exam_has_breasts_of_different_sides(sides: list[str]) -> None:
    said = refused(lambda: Exam(exam_id="7", breasts=tuple(map(breast, sides))))
    assert said == f"exam 7: one or two breasts of different sides, got {sides}"


def test_an_exam_stands_once_in_a_cohort() -> None:
    exams = tuple(Exam(exam_id=number, breasts=(breast("L", number),)) for number in ("1", "2", "1"))
    assert refused(lambda: Cohort(name="mine", exams=exams)) == (
        "exam 1: an exam id may appear once in a cohort, got it twice"
    )


def test_subgroups_are_those_of_malignant_breasts() -> None:
    kinds = (("L", True, "masses"), ("R", False, "cysts"))
    two = tuple(breast(side, malignant=malignant, subgroup=kind) for side, malignant, kind in kinds)
    assert Cohort(name="mine", exams=(Exam(exam_id="7", breasts=two),)).subgroups == ("masses",)
