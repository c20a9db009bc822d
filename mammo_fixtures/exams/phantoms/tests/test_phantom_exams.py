"""What phantoms promise about exams: balance, labels, regions, determinism."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.phantoms import read_recipe, render_exam
from mammo_fixtures.exams.phantoms.anatomy import shape_breast
from mammo_fixtures.exams.phantoms.findings import Place, place
from mammo_fixtures.exams.phantoms.keyed import keyed
from mammo_fixtures.exams.phantoms.masses import add_mass, draw_mass
from mammo_fixtures.exams.phantoms.plan import COARSE_CALCIFICATION, ROUND_MASS, plan_exam

RECIPE = read_recipe()


@pytest.fixture(scope="module")
def exam() -> tuple[object, ...]:
    return render_exam(RECIPE, 0)


def test_shipped_cohort_is_balanced() -> None:
    """Issue 2: 80 and 80 malignant, 240 not, a third of them benign, all of it alike in each density."""
    breasts = [breast for number in range(RECIPE.exams) for breast in plan_exam(RECIPE, number)]
    assert len(breasts) == 400
    counts = Counter((breast.density, breast.subgroup) for breast in breasts)
    for density in "ABCD":
        assert counts[density, "microcalcifications"] == 20
        assert counts[density, "soft_tissue_lesions"] == 20
        assert counts[density, "benign"] == 20
        assert counts[density, "normal"] == 40
    findings = Counter(breast.finding for breast in breasts)
    assert findings[ROUND_MASS] == findings[COARSE_CALCIFICATION] == 40


def test_at_most_one_breast_of_an_exam_is_malignant() -> None:
    for number in range(RECIPE.exams):
        assert sum(breast.malignant for breast in plan_exam(RECIPE, number)) <= 1


def test_malignant_breasts_are_on_both_sides() -> None:
    sides = Counter(b.side for n in range(RECIPE.exams) for b in plan_exam(RECIPE, n) if b.malignant)
    assert min(sides.values()) > 60


def test_same_key_same_pixels_and_other_exam_other_pixels(exam) -> None:  # type: ignore[no-untyped-def]
    for again, first in zip(render_exam(RECIPE, 0), exam, strict=True):
        assert again.stored.tobytes() == first.stored.tobytes()
        assert again.region.tobytes() == first.region.tobytes()
    for other in (render_exam(RECIPE, 4), render_exam(RECIPE.fresh("another seed"), 0)):
        assert not np.array_equal(other[0].stored, exam[0].stored)


def test_pixels_are_twelve_bits_on_a_background_of_zero(exam) -> None:  # type: ignore[no-untyped-def]
    for view in exam:
        assert view.stored.dtype == np.uint16
        assert view.stored.shape == (1024, 768)
        assert view.stored.max() <= 4095
        assert 0.25 < (view.stored == 0).mean() < 0.75
        clipped = (view.stored == 4095).mean()
        assert clipped < 0.001
        wall, far = (0, -1) if view.breast.side == "L" else (-1, 0)
        assert view.stored[:, wall].any()
        assert not view.stored[:, far].any()


def test_regions_lie_in_the_breast_where_a_finding_is() -> None:
    for number in (1, 4, 8):
        for view in render_exam(RECIPE, number):
            assert view.region.any() == bool(view.breast.finding)
            assert (view.stored[view.region] > 0).all()


def test_a_finding_is_brighter_than_without_it() -> None:
    """The region is where the lesion is: the same breast without a finding differs there and nowhere else."""
    from mammo_fixtures.exams.phantoms import render_breast

    plan = next(b for b in plan_exam(RECIPE, 4) if b.malignant)
    healthy = render_breast(RECIPE, replace(plan, finding=""))
    for ill, well in zip(render_breast(RECIPE, plan), healthy, strict=True):
        difference = ill.stored.astype(int) - well.stored
        assert difference[ill.region].mean() > 10
        rows, columns = np.nonzero(difference)
        inside = np.nonzero(ill.region)
        assert abs(rows.mean() - inside[0].mean()) < 20
        assert abs(columns.mean() - inside[1].mean()) < 20
        assert np.count_nonzero(difference) < 0.1 * difference.size


def test_irregular_masses_are_five_to_fifteen_mm_across() -> None:
    for turn in range(40):
        mass = draw_mass(RECIPE, keyed("mass", turn), irregular=True)
        value, region = np.zeros((300, 300), np.float32), np.zeros((300, 300), bool)
        add_mass(RECIPE, value, region, mass, Place(x_mm=15.0, y_mm=15.0), keyed("projection", turn))
        corners = np.argwhere(region)[::11] * RECIPE.pixel_mm
        across = np.linalg.norm(corners[:, None] - corners[None, :], axis=-1).max()
        assert 5 <= across <= 15.2
        assert mass.contrast * 0.3 < value.max() < mass.contrast * 1.1


def test_both_views_show_a_finding_at_one_distance_from_the_nipple() -> None:
    anatomies = {position: shape_breast(RECIPE, "0001", "L", position) for position in ("CC", "MLO")}
    places = place(RECIPE, anatomies, 4.0, "0001", "L")
    distances = [
        np.hypot(places[position].x_mm - anatomy.nipple_mm[0], places[position].y_mm - anatomy.nipple_mm[1])
        for position, anatomy in anatomies.items()
    ]
    assert distances[0] == pytest.approx(distances[1])


def test_recipe_names_what_it_cannot_use(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("seed = 'x'\ncolour = 1\n")
    with pytest.raises(UnusableInput, match=r"recipe.toml: a phantom recipe has no entry colour; remove it"):
        read_recipe(path)
    path.write_text("seed = 'x'\n")
    with pytest.raises(UnusableInput, match=r"recipe.toml: a phantom recipe needs bits_stored, .*; add it"):
        read_recipe(path)
    path.write_text("seed = \n")
    with pytest.raises(UnusableInput, match=r"a phantom recipe must be readable TOML, got: Invalid value"):
        read_recipe(path)
    with pytest.raises(UnusableInput, match=r"phantom recipe: exams must be positive, got 0"):
        replace(RECIPE, exams=0)
    with pytest.raises(UnusableInput, match=r"phantom recipe: grain_mm must be \(low, high\) with 0 < low <= high"):
        replace(RECIPE, grain_mm=(0.5, 0.1))
    with pytest.raises(UnusableInput, match=r"glandular_share must name the densities A, B, C, D, got A"):
        replace(RECIPE, glandular_share={"A": 0.1})


def test_digest_names_every_entry() -> None:
    assert RECIPE.digest == read_recipe().digest
    assert len({RECIPE.digest, RECIPE.fresh("x").digest, replace(RECIPE, noise=0.012).digest}) == 3
