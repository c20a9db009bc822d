"""Whether a classifier has a gradient to follow: what hides it is not robust."""

from __future__ import annotations

from collections.abc import Callable

from mammo_fixtures.classifiers.gradients import BREAST, NoGradient, scaled_gradients_of
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.scoring.needs import Needs

LOOKED_AT = 8
"""Malignant breasts, and others, whose gradients are looked at."""
ENOUGH = 0.5
"""Share of breasts with a gradient under which the classifier counts as obfuscated."""
NONE_AT_ALL = -1.0


def share_with_gradient(inference: Inference, needs: Needs, read: Callable[[ViewSource], View]) -> float:
    """Share of some breasts whose clean score has a gradient other than 0 at a pixel; −1 where none can be computed."""
    chosen = needs.chosen(LOOKED_AT)
    found = []
    for exam in needs.cohort:
        for breast in exam.breasts:
            if (exam.exam_id, breast.side) not in chosen:
                continue
            alone = needs.classifier.level == "view"
            units = [(source,) for source in breast.views] if alone else [needs.looked_at(exam)]
            signs = {BREAST if alone else breast.side: 1.0}
            try:
                found.append(any(_any_gradient(inference, [read(s) for s in unit], signs) for unit in units))
            except NoGradient:
                return NONE_AT_ALL
    return sum(found) / len(found) if found else 1.0


def refusal(share: float) -> str:
    """Why nothing can be judged that follows the gradient, or an empty text."""
    if share == NONE_AT_ALL:
        return "needs a gradient, and the classifier gives none of its score at the stored pixels"
    if share < ENOUGH:
        return (
            f"the gradient is zero everywhere for {1 - share:.0%} of the breasts looked at: "
            "obfuscated, which is not robust"
        )
    return ""


def _any_gradient(inference: Inference, views: list[View], signs: dict[str, float]) -> bool:
    images = [Shared(view, device=inference.device).pixels for view in views]
    return any(bool(each.any()) for each in scaled_gradients_of(inference, views, signs)(images))
