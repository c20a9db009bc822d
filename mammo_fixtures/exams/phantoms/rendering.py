"""Phantom exams as arrays: anatomy, tissue, finding, detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mammo_fixtures.exams.phantoms.anatomy import Anatomy, shape_breast
from mammo_fixtures.exams.phantoms.calcifications import add_cluster, add_coarse, draw_cluster
from mammo_fixtures.exams.phantoms.detector import expose, store
from mammo_fixtures.exams.phantoms.findings import place
from mammo_fixtures.exams.phantoms.keyed import keyed
from mammo_fixtures.exams.phantoms.masses import add_mass, draw_mass
from mammo_fixtures.exams.phantoms.parenchyma import inside, tissue
from mammo_fixtures.exams.phantoms.plan import CLUSTER, COARSE_CALCIFICATION, MASS, NOTHING, BreastPlan, plan_exam
from mammo_fixtures.exams.phantoms.recipe import Recipe

POSITIONS = ("CC", "MLO")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhantomView:
    """One view: stored integers and the finding's region, chest wall at the left for L and at the right for R."""

    breast: BreastPlan
    position: str
    stored: NDArray[np.uint16]
    region: NDArray[np.bool_]


def render_exam(recipe: Recipe, number: int) -> tuple[PhantomView, ...]:
    """The four views of an exam, counted from 0."""
    return tuple(view for plan in plan_exam(recipe, number) for view in render_breast(recipe, plan))


def render_breast(recipe: Recipe, plan: BreastPlan, *, dose: float = 1.0) -> tuple[PhantomView, ...]:
    """CC and MLO of one breast."""
    anatomies = {position: shape_breast(recipe, plan.exam_id, plan.side, position) for position in POSITIONS}
    views = []
    for position, anatomy in anatomies.items():
        key = (plan.exam_id, plan.side, position)
        value = tissue(recipe, anatomy, plan.density, *key)
        region = np.zeros(value.shape, bool)
        if plan.finding != NOTHING:
            _add_finding(recipe, plan, anatomies, position, value, region)
        breast = inside(recipe, anatomy)
        stored = store(recipe, expose(recipe, value, *key, dose=dose), breast)
        region &= breast
        if plan.side == "R":
            stored, region = np.ascontiguousarray(stored[:, ::-1]), np.ascontiguousarray(region[:, ::-1])
        views.append(PhantomView(breast=plan, position=position, stored=stored, region=region))
    return tuple(views)


def _add_finding(
    recipe: Recipe,
    plan: BreastPlan,
    anatomies: dict[str, Anatomy],
    position: str,
    value: NDArray[np.float32],
    region: NDArray[np.bool_],
) -> None:
    key = (plan.exam_id, plan.side)
    # the finding itself is drawn alike for both views, only its projection differs
    finding = keyed(recipe.seed, *key, "finding")
    projection = keyed(recipe.seed, *key, position, "projection")
    if plan.finding == CLUSTER:
        cluster = draw_cluster(recipe, finding)
        where = place(recipe, anatomies, cluster.radius_mm, *key)[position]
        add_cluster(recipe, value, region, cluster, where, position)
    elif plan.finding == COARSE_CALCIFICATION:
        where = place(recipe, anatomies, 4.0, *key)[position]
        add_coarse(recipe, value, region, where, finding)
    else:
        mass = draw_mass(recipe, finding, irregular=plan.finding == MASS)
        where = place(recipe, anatomies, mass.diameter_mm / 2, *key)[position]
        add_mass(recipe, value, region, mass, where, projection)
