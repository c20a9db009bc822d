"""Gradients of a classifier's score with respect to stored pixels, through everything it does to them first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.classifiers.memory import OutOfMemory, ran_out, said
from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from torch import Tensor

    from mammo_fixtures.exams import View

BREAST = ""
"""Key of the one score of a view-level classifier."""


class NoGradient(UnusableInput):
    """The classifier's score cannot be followed back to its pixels."""


def gradients_of(
    inference: Inference, views: Sequence[View], signs: Mapping[str, float]
) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    """A function from images of these views to the gradient of Σ sign × score at each, float32.

    `signs` is keyed by side at exam level, where all views are scored together; `BREAST` at view level, for one view.
    Full precision, whatever precision scores are computed in.
    """

    def gradients(images: Sequence[Tensor]) -> list[Tensor]:
        import torch

        # Not copied: what a network may work on in place is set apart below.
        leaves = [(image.clone() if image.is_inference() else image.detach()).requires_grad_() for image in images]
        with torch.enable_grad():
            loss = _loss(inference, leaves, views, signs)
            if not loss.requires_grad:
                raise _none(inference, "its score does not depend on its input as far as torch can follow")
            try:
                found = torch.autograd.grad(loss, leaves, allow_unused=True)
            except RuntimeError as error:
                if ran_out(error):
                    raise OutOfMemory(said(error)) from error
                raise _none(inference, f"it raised {error}") from error
        return [
            torch.zeros_like(leaf) if each is None else each.nan_to_num(0, 0, 0)
            for leaf, each in zip(leaves, found, strict=True)
        ]

    return gradients


def _loss(inference: Inference, images: list[Tensor], views: Sequence[View], signs: Mapping[str, float]) -> Tensor:
    import torch

    if inference.classifier.integers:
        raise _none(inference, "it takes integers, and rounding has no gradient")
    inputs = [_apart(inference.input(image, view)[None], image) for image, view in zip(images, views, strict=True)]
    named = {f"{view.side}-{view.position}": given for view, given in zip(views, inputs, strict=True)}
    if inference.classifier.missing_views == "blank":
        named = {name: inference.blank(inputs[0]) for name in inference.classifier.views} | named
    try:
        scores = inference.classifier.network(inputs[0] if BREAST in signs else named)
        given = {BREAST: scores} if BREAST in signs else scores
        loss: Tensor = sum((sign * given[side].sum() for side, sign in signs.items()), start=torch.zeros(()))
    except Exception as error:
        if ran_out(error):
            raise OutOfMemory(said(error)) from error
        raise _none(inference, f"it raised {type(error).__name__}: {error}") from error
    return loss


def _apart(given: Tensor, leaf: Tensor) -> Tensor:
    """An input in memory of its own: a network that works in place must not reach the leaf."""
    shared = given.untyped_storage().data_ptr() == leaf.untyped_storage().data_ptr()
    return given.clone() if shared or not given.is_contiguous() else given


def _none(inference: Inference, why: str) -> NoGradient:
    name = inference.classifier.name or "?"
    return NoGradient(
        f"classifier {name}: gives no gradient at its pixels: {why}; where that is so by nature, leave adversarial "
        'claims out: -k "not pgd and not universal"'
    )
