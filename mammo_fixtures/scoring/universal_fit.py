"""Fits the universal fields to a classifier, on a seeded choice of a cohort's exams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from mammo_fixtures.classifiers.gradients import gradients_of
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Breast, View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.perturbations.adversarial import DIGITAL_UNIT
from mammo_fixtures.perturbations.universal import FOLDS, GRID_MM, UniversalFields, fold_of, of_view
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.signs import sign, signs_of

if TYPE_CHECKING:
    from torch import Tensor

FIT_VERSION = 1
"""Raised whenever the same exams give other fields."""
FIT_BREASTS = 20
"""Malignant breasts, and others, of each half that its fields are fitted on."""
FIT_STEPS = 12
STEP = 0.25
"""Of a step along the sign of the gradient, as a share of ε: three times ε in all."""
FITTED_AT = 8.0
"""Digital units: in the upper part of the ladder, all of whose severities scale one field."""
_KEPT_BYTES = 1_000_000_000
"""Decoded views are kept for the next step up to so many bytes; the others are decoded again."""

Read = Callable[[ViewSource], View]
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """Views whose fields move together, and the signs of the scores made from them."""

    sources: tuple[ViewSource, ...]
    signs: dict[str, float]


def examples_of(fold: int, needs: Needs) -> list[Example]:
    """What the fields of one half are fitted on."""
    ordered = sorted(
        (
            (exam, breast)
            for exam in needs.cohort
            for breast in exam.breasts
            if fold_of(exam.exam_id, needs.seed) == fold
        ),
        key=lambda each: needs.place(each[1]),
    )
    taken = [
        each for kind in (True, False) for each in [one for one in ordered if one[1].malignant is kind][:FIT_BREASTS]
    ]
    if needs.classifier.level == "view":
        return [
            Example(sources=(source,), signs=signs_of(exam, breast, "", needs))
            for exam, breast in taken
            for source in breast.views
        ]
    by_exam: dict[str, list[Breast]] = {}
    for exam, breast in taken:
        by_exam.setdefault(exam.exam_id, []).append(breast)
    exams = {exam.exam_id: exam for exam, _ in taken}
    return [
        Example(sources=needs.looked_at(exams[exam_id]), signs={breast.side: sign(breast) for breast in breasts})
        for exam_id, breasts in by_exam.items()
    ]


@dataclass(slots=True, kw_only=True, eq=False)
class Fit:
    """Ascent of the mean loss over one half's examples, all of its positions at once."""

    inference: Inference
    read: Read
    told: Callable[[], None] = lambda: None
    """Called after each gradient."""
    _kept: dict[ViewSource, Shared] = field(default_factory=dict)
    _bytes: int = 0

    def fields(self, examples: list[Example]) -> dict[str, Tensor]:
        """Directions in −1 … 1 by position."""
        import torch

        directions = self._nothing(examples)
        for _ in range(FIT_STEPS):
            slopes = {position: torch.zeros_like(field) for position, field in directions.items()}
            for example in examples:
                views = [self._shared(source) for source in example.sources]
                leaves = {position: field.clone().requires_grad_() for position, field in directions.items()}
                with torch.enable_grad():
                    moved = [of_view(view, leaves[view.view.position]) for view in views]
                images = [
                    torch.add(view.pixels, each.detach(), alpha=FITTED_AT * DIGITAL_UNIT)
                    for view, each in zip(views, moved, strict=True)
                ]
                gradients = gradients_of(self.inference, [view.view for view in views], example.signs)(images)
                found = torch.autograd.grad(moved, list(leaves.values()), gradients, allow_unused=True)
                for position, slope in zip(leaves, found, strict=True):
                    if slope is not None:
                        slopes[position] += slope
                self.told()
            for position, slope in slopes.items():
                directions[position].add_(slope.sign_(), alpha=STEP).clamp_(-1, 1)
        return directions

    def _nothing(self, examples: list[Example]) -> dict[str, Tensor]:
        """Fields of 0, large enough for every view."""
        import torch

        sizes: dict[str, tuple[int, int]] = {}
        for source in (source for example in examples for source in example.sources):
            shared = self._shared(source)
            top, bottom, _, _ = shared.breast_box
            centre = (top + bottom) // 2
            half = max(centre, shared.view.shape[0] - centre) * shared.spacing_mm[0] / GRID_MM
            across = shared.view.shape[1] * shared.spacing_mm[1] / GRID_MM
            known = sizes.get(source.position, (0, 0))
            sizes[source.position] = max(known[0], 2 * int(half) + 3), max(known[1], int(across) + 2)
        return {position: torch.zeros(size, device=self.inference.device) for position, size in sizes.items()}

    def _shared(self, source: ViewSource) -> Shared:
        known = self._kept.get(source)
        if known is None:
            known = Shared(self.read(source), device=self.inference.device)
            size = 2 * known.view.pixels.nbytes
            if self._bytes + size <= _KEPT_BYTES:
                self._bytes += size
                self._kept[source] = known
        return known


def fit(inference: Inference, needs: Needs, read: Read, tell: Tell = lambda done, wanted: None) -> UniversalFields:
    """Fields of both halves. A half without labelled breasts has none; one kind of breast alone is moved alone.

    `tell` is given the gradients that were followed and those there are to follow.
    """
    import torch

    directions: dict[tuple[int, str], Tensor] = {}
    halves = [examples_of(fold, needs) for fold in range(FOLDS)]
    wanted, followed = FIT_STEPS * sum(map(len, halves)), count(1)
    tell(0, wanted)
    for fold, examples in enumerate(halves):
        fitting = Fit(inference=inference, read=read, told=lambda: tell(next(followed), wanted))
        fields = fitting.fields(examples)
        directions |= {(fold, position): each.cpu().to(torch.float16) for position, each in fields.items()}
    return UniversalFields(directions=directions, seed=needs.seed)
