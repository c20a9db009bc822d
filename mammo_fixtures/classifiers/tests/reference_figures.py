"""Print the reference classifier's AUC under every perturbation, on the shipped cohort or on fresh phantoms.

`python -m mammo_fixtures.classifiers.tests.reference_figures` for the shipped cohort, with `--fresh=SEED --exams=1000
--only=lowpass --severity=0.5` for 400 malignant breasts a subgroup that no one has seen.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mammo_fixtures.classifiers.reference import load
from mammo_fixtures.exams import Breast, Cohort, Exam, View
from mammo_fixtures.exams.phantoms import Recipe, read_recipe, render_exam
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring import score

SUBGROUPS = ("microcalcifications", "soft_tissue_lesions")
NAMES = ("lowpass", "gaussian_noise", "contrast", "rotation")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Scores (conditions, breasts) and the subgroup of each breast."""

    conditions: tuple[tuple[str, float], ...]
    scores: NDArray[np.float64]
    subgroup: NDArray[np.str_]


def phantom_exam(recipe: Recipe, number: int) -> Exam:
    """An exam in memory."""
    views = render_exam(recipe, number)
    spacing = (recipe.pixel_mm, recipe.pixel_mm)
    breasts = []
    for pair in (views[:2], views[2:]):
        plan = pair[0].breast
        sources = tuple(
            View.from_array(
                view.stored,
                pixel_spacing_mm=spacing,
                side=plan.side,
                position=view.position,
                intensity_range=(0, 2**recipe.bits_stored - 1),
                exam_id=plan.exam_id,
                chest_wall="left" if plan.side == "L" else "right",
            )
            for view in pair
        )
        breasts.append(
            Breast(
                exam_id=plan.exam_id, side=plan.side, views=sources, malignant=plan.malignant, subgroup=plan.subgroup
            )
        )
    return Exam(exam_id=breasts[0].exam_id, breasts=tuple(breasts))


def score_exam(recipe: Recipe, plan: dict[str, tuple[float, ...]], number: int) -> Table:
    """Scores of one exam; exams share nothing, so that processes can take them in any order."""
    import torch

    torch.set_num_threads(1)
    cohort = Cohort(name="phantoms", exams=(phantom_exam(recipe, number),))
    table = score(cohort, load(), plan, device="cpu")
    return Table(conditions=table.conditions, scores=table.scores[:, :, 0], subgroup=table.subgroup)


def auc(ill: NDArray[np.float64], well: NDArray[np.float64]) -> float:
    """Share of pairs in the right order, ties counted half."""
    above = ill[:, None] - well[None, :]
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", help="a seed of fresh phantoms, in place of the shipped cohort")
    parser.add_argument("--exams", type=int, help="how many exams; five exams hold two malignant breasts a subgroup")
    parser.add_argument("--only", action="append", choices=NAMES, help="one perturbation; may be repeated")
    parser.add_argument("--severity", type=float, action="append", help="one severity; may be repeated")
    wanted = parser.parse_args()
    recipe = read_recipe()
    if wanted.fresh:
        recipe = recipe.fresh(wanted.fresh, wanted.exams)
    plan = {name: tuple(wanted.severity or PERTURBATIONS[name].severities) for name in wanted.only or NAMES}
    exams = wanted.exams or recipe.exams
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(partial(score_exam, recipe, plan), range(exams), chunksize=2))
    conditions = parts[0].conditions
    scores = np.concatenate([part.scores for part in parts], axis=1)
    subgroup = np.concatenate([part.subgroup for part in parts])
    well = ~np.isin(subgroup, SUBGROUPS)
    print(f"{'':<22}{'all':>8}" + "".join(f"{name:>22}" for name in SUBGROUPS))
    for (name, severity), of_breasts in zip(conditions, scores, strict=True):
        values = [auc(of_breasts[group], of_breasts[well]) for group in (~well, *(subgroup == s for s in SUBGROUPS))]
        print(f"{name:<15}{severity:>7g}{values[0]:>8.3f}" + "".join(f"{value:>22.3f}" for value in values[1:]))


if __name__ == "__main__":
    main()
