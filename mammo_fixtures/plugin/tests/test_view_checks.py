"""Views declared wrongly are told; what is declared rightly, or says nothing, is not."""

from types import SimpleNamespace

import numpy as np
import pytest

from mammo_fixtures.exams import Breast, Cohort, Exam, View
from mammo_fixtures.exams.plausibility import range_doubt
from mammo_fixtures.plugin.view_checks import (
    breasts_lie_on_their_declared_side,
    views_use_their_declared_intensity_range,
)


def pixels(wall="left", top=0.7):
    """A half disc of tissue at one edge, before a black background."""
    rows, columns = np.mgrid[0:80, 0:60]
    tissue = (rows - 40) ** 2 + columns**2 < 38**2
    values = np.where(tissue, top * (0.6 + 0.4 * np.sin(rows / 3) ** 2 * np.cos(columns / 5) ** 2), 0)
    return values if wall == "left" else values[:, ::-1]


def view(values, side="L", exam_id="1", chest_wall="", intensity_range=(0.0, 1.0)):
    return View.from_array(
        np.ascontiguousarray(values, dtype=np.float64), pixel_spacing_mm=(0.1, 0.1), side=side, position="CC",
        exam_id=exam_id, intensity_range=intensity_range, chest_wall=chest_wall,
    )  # fmt: skip


def cohort(make, exams=4):
    """`make(side, number)` gives a view."""
    return Cohort(
        name="made",
        exams=tuple(
            Exam(
                exam_id=str(number),
                breasts=tuple(Breast(exam_id=str(number), side=s, views=(make(s, number),)) for s in "LR"),
            )
            for number in range(exams)
        ),
    )


def run():
    return SimpleNamespace(looked_at=[], remarks={})


WALL = {"L": "left", "R": "right"}
OTHER = {"L": "right", "R": "left"}


@pytest.mark.parametrize(
    ("stored", "declared", "said"),
    [
        (pixels() * 4095, (0, 65535), "its pixels stay below 0.044 of the range"),
        (pixels(top=1.0) * 4095, (0, 16384), "its pixels stay below 0.25 of the range"),
        # MONOCHROME1 of fewer bits than declared: air, the highest value, is not black once inverted.
        (65535 - pixels() * 4095, (0, 65535), "its pixels stay above 0.96 of the range"),
        (16384 - pixels(top=1.0) * 4095, (0, 16384), "its pixels stay above 0.75 of the range"),
        (pixels() * 16383, (0, 4095), "outside the range"),
        (np.minimum(pixels() * 16383, 4095), (0, 4095), "of what is not background has the brightest value"),
        (pixels() - 0.3, (0, 1), "outside the range"),
        (pixels() * 4095, (0, 4095), ""),
        (pixels(top=1.0) * 255, (0, 255), ""),
        (np.where(pixels() > 0, 0.1 * pixels(), 1.0), (0, 1), ""),
        (np.full((20, 20), 0.5), (0, 1), ""),
    ],
    ids=[
        "12_in_16",
        "12_in_14",
        "inverted_12_in_16",
        "inverted_12_in_14",
        "14_in_12",
        "clipped",
        "negative",
        "right",
        "full",
        "for_processing",
        "flat",
    ],
)
def test_a_range_that_does_not_fit_is_doubted(stored, declared, said):
    found = range_doubt(view(stored, intensity_range=declared))
    assert said in found
    assert bool(said) == bool(found)


def test_a_cohort_of_the_wrong_range_fails_and_one_odd_view_is_a_note():
    wrong = run()
    with pytest.raises(AssertionError, match=r"views must use their declared intensity range, 8 of 8 looked at do not: "
                       r"exam 0, L-CC: its pixels stay below"):  # fmt: skip
        views_use_their_declared_intensity_range(
            cohort(lambda side, n: view(pixels() * 4095, side, str(n), intensity_range=(0, 65535))), wrong
        )
    odd = run()
    views_use_their_declared_intensity_range(
        cohort(lambda side, n: view(pixels(top=0.1 if (side, n) == ("R", 2) else 0.7), side, str(n))), odd
    )
    assert list(odd.remarks) == [
        "declared intensity range in doubt in 1 of 8 looked at: exam 2, R-CC: its pixels stay below 0.1 of the range"
    ]


def test_breasts_where_their_files_say_pass_silently():
    seen = run()
    breasts_lie_on_their_declared_side(
        cohort(lambda side, n: view(pixels(WALL[side]), side, str(n), chest_wall=WALL[side])), seen
    )
    assert not seen.remarks


def test_pixels_mirrored_under_a_header_fail_with_exam_ids():
    seen = run()
    with pytest.raises(AssertionError, match=r"8 of 8 looked at do not: exam 0, L-CC: its breast lies on the right, "
                       r"declared on the left; exam 0, R-CC: .* and 5 more; correct Patient Orientation"):  # fmt: skip
        breasts_lie_on_their_declared_side(
            cohort(lambda side, n: view(pixels(OTHER[side]), side, str(n), chest_wall=WALL[side])), seen
        )


@pytest.mark.parametrize(
    ("wall", "noted"),
    [
        (lambda side, n: WALL[side], ""),
        (lambda side, n: "left", ""),
        (lambda side, n: OTHER[side] if n == 2 else WALL[side], "1 of 4 looked at: exam 2: L lies on the right"),
        (lambda side, n: OTHER[side], "4 of 4 looked at: exam 0: L lies on the right, R on the left"),
    ],
    ids=["as_hung", "all_turned", "one_exchanged", "mirrored"],
)
def test_undeclared_sides_are_notes_at_most(wall, noted):
    seen = run()
    with pytest.raises(pytest.skip.Exception, match="no file declares its chest wall"):
        breasts_lie_on_their_declared_side(cohort(lambda s, n: view(pixels(wall(s, n)), s, str(n))), seen)
    assert bool(seen.remarks) == bool(noted)
    assert noted in "".join(seen.remarks)


def test_air_that_has_no_one_value_is_a_note():
    """Noise in the air of a raw image: without background, all of it is taken for breast."""
    noise = np.random.default_rng(0)

    def raw(side, n):
        values = pixels(WALL[side])
        return view(np.where(values > 0, values, 0.9 + 0.01 * noise.random(values.shape)), side, str(n))

    seen = run()
    views_use_their_declared_intensity_range(cohort(raw), seen)
    assert next(iter(seen.remarks)).startswith(
        "no background of one value, so that all of the image is perturbed as breast, in 8 of 8 looked at: "
        "exam 0, L-CC: 0.021% of it has the value taken for background; "
    )


def test_views_without_background_say_nothing_of_sides():
    noise = np.random.default_rng(0)
    seen = run()
    breasts_lie_on_their_declared_side(
        cohort(lambda side, n: view(noise.uniform(size=(80, 60)), side, str(n), chest_wall=WALL[side])), seen
    )
    assert not seen.remarks
