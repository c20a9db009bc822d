"""Gradients of a classifier's score with respect to stored pixels, through everything it does to them first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mammo_fixtures.classifiers.classifier import called
from mammo_fixtures.classifiers.downloads import Download
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.classifiers.memory import OutOfMemory, ran_out, said
from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from torch import Tensor

    from mammo_fixtures.exams import View

BREAST = ""
"""Key of the one score of a view-level classifier."""
_LOSS_SCALE = 2.0**64
"""Brings gradients of saturated scores, 1e-45 and less, back among numbers that float32 holds and CPUs compute fast.
Loss scaling: Micikevicius et al. 2018, arXiv:1710.03740."""
_AHEAD = 2
"""Steps after which a GPU is asked whether all was finite: it has one to do still while the next is being begun."""


class NoGradient(UnusableInput):
    """The classifier's score cannot be followed back to its pixels."""


def scaled_gradients_of(
    inference: Inference, views: Sequence[View], signs: Mapping[str, float]
) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    """As `gradients_of`, times a positive number, which ascents do not mind: less of it underflows."""
    return gradients_of(inference, views, signs, loss_scale=_LOSS_SCALE)


def gradients_of(
    inference: Inference, views: Sequence[View], signs: Mapping[str, float], *, loss_scale: float = 1.0
) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    """A function from images of these views to the gradient of Σ sign × score at each, float32.

    `signs` is keyed by side at exam level, where all views are scored together; `BREAST` at view level, for one view.
    Full precision, whatever precision scores are computed in. Times `loss_scale`, a power of two, which rounds nothing;
    where some of that overflows, as in a network that computes in half precision itself, not scaled from then on.
    Infinite and undefined values count as 0. Results may share memory with the network: not to be changed.
    """
    scale, begun = loss_scale, False
    asked: deque[Download] = deque()

    def gradients(images: Sequence[Tensor]) -> list[Tensor]:
        nonlocal scale, begun
        if len(asked) == _AHEAD and not bool(asked.popleft().wait()):
            scale = 1.0
        found = at(images)
        if begun and found[0].device.type == "cuda":
            asked.append(Download(_sums(found).isfinite().all()))
            return [each.nan_to_num(0, 0, 0) for each in found]
        begun = True
        if bool(_sums(found).isfinite().all()):
            return found
        if scale != 1:
            scale = 1.0
            found = at(images)
        return [each.nan_to_num(0, 0, 0) for each in found]

    def at(images: Sequence[Tensor]) -> list[Tensor]:
        import torch

        # Not copied: what a network may work on in place is set apart below.
        leaves = [(image.clone() if image.is_inference() else image.detach()).requires_grad_() for image in images]
        with torch.enable_grad():
            loss = _loss(inference, leaves, views, signs)
            if not loss.requires_grad:
                raise _none(inference, "its score does not depend on its input as far as torch can follow")
            try:
                # Not as the gradient to begin with: that would have torch import a package for it, for seconds.
                found = torch.autograd.grad(loss * scale, leaves, allow_unused=True)
            except RuntimeError as error:
                if ran_out(error):
                    raise OutOfMemory(said(error)) from error
                raise _none(inference, f"it raised {error}") from error
        return [torch.zeros_like(leaf) if each is None else each for leaf, each in zip(leaves, found, strict=True)]

    return gradients


def _sums(found: Sequence[Tensor]) -> Tensor:
    """Finite where all values are; should a sum overflow by itself, nothing is lost but time."""
    import torch

    return torch.stack([each.sum() for each in found])


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
    return NoGradient(
        f"{called(inference.classifier.name)}: gives no gradient at its pixels: {why}; where that is so by nature, "
        'leave adversarial claims out: -k "not pgd and not universal"'
    )
