"""Which breast of which exam holds what: the balance of a phantom cohort, without any pixel."""

from __future__ import annotations

from dataclasses import dataclass

from mammo_fixtures.exams.phantoms.keyed import keyed
from mammo_fixtures.exams.phantoms.recipe import DENSITIES, Recipe
from mammo_fixtures.exams.view import SIDES

CLUSTER = "microcalcification cluster"
MASS = "irregular mass"
ROUND_MASS = "round circumscribed mass"
COARSE_CALCIFICATION = "coarse calcification"
NOTHING = ""

SUBGROUP = {
    CLUSTER: "microcalcifications",
    MASS: "soft_tissue_lesions",
    ROUND_MASS: "benign",
    COARSE_CALCIFICATION: "benign",
    NOTHING: "normal",
}

# (finding, finding of the other breast) of five exams in turn, for even and odd rounds: of six breasts that are not
# malignant two are benign, one of either kind. Each density runs through it, so every 40 exams are balanced.
_ROUNDS = (
    ((CLUSTER, ROUND_MASS), (MASS, NOTHING), (NOTHING, COARSE_CALCIFICATION), (CLUSTER, NOTHING), (MASS, NOTHING)),
    ((CLUSTER, NOTHING), (MASS, COARSE_CALCIFICATION), (NOTHING, ROUND_MASS), (CLUSTER, NOTHING), (MASS, NOTHING)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreastPlan:
    """What one phantom breast is to hold."""

    exam_id: str
    side: str
    density: str
    finding: str

    @property
    def malignant(self) -> bool:
        return self.finding in (CLUSTER, MASS)

    @property
    def subgroup(self) -> str:
        return SUBGROUP[self.finding]


def plan_exam(recipe: Recipe, number: int) -> tuple[BreastPlan, BreastPlan]:
    """Left and right breast of an exam, counted from 0; at most one of them is malignant."""
    turn = number // len(DENSITIES)
    findings = list(_ROUNDS[turn // 5 % 2][turn % 5])
    exam_id = f"{number + 1:04d}"
    if keyed(recipe.seed, exam_id, "side").random() < 0.5:
        findings.reverse()
    left, right = (
        BreastPlan(exam_id=exam_id, side=side, density=DENSITIES[number % len(DENSITIES)], finding=finding)
        for side, finding in zip(SIDES, findings, strict=True)
    )
    return left, right
