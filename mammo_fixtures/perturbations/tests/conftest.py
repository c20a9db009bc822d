"""Images that the tests of perturbations share."""

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from mammo_fixtures import View, read_cohort
from mammo_fixtures.exams.phantoms import read_recipe, render_breast
from mammo_fixtures.exams.phantoms.plan import NOTHING, plan_exam


@cache
def phantom_breast():
    recipe = read_recipe()
    plans = (plan for number in range(8) for plan in plan_exam(recipe, number))
    view = render_breast(recipe, next(plan for plan in plans if plan.finding != NOTHING))[0]
    return View.from_array(
        view.stored,
        pixel_spacing_mm=(recipe.pixel_mm, recipe.pixel_mm),
        side=view.breast.side,
        position=view.position,
        exam_id=view.breast.exam_id,
        intensity_range=(0, 4095),
        region=view.region,
    )


@pytest.fixture
def phantom():
    """A phantom's view with a finding, which is its region."""
    return phantom_breast()


@pytest.fixture
def mammogram():
    """A real view at full resolution, in the folder that MAMMO_SHARED names; without it the test is skipped."""
    manifest = Path(os.environ.get("MAMMO_SHARED", "")) / "mammograms" / "manifest.csv"
    if not manifest.is_file():
        pytest.skip("MAMMO_SHARED does not name a folder with mammograms/manifest.csv")
    view = real_view(manifest)
    region = view.pixels > 0
    region[: region.shape[0] // 2] = False
    return replace(view, region=region)


@cache
def real_view(manifest):
    return next(iter(read_cohort(manifest).exams[0].views)).read()
