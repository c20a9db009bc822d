"""Perturbations that follow the classifier's own gradient toward the wrong side, within a ball of digital units.

The loss is the score moved toward the wrong side: lower for a malignant breast, higher for another. Several views of
one exam may move together, where one score is made from all of them; their balls stay their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.record import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from mammo_fixtures.perturbations.shared import Shared

DIGITAL_UNIT = 1 / 4095
"""One grey level of 12 bits, as a fraction of full scale."""
STEPS = 20
STEP_SHARE = 2.5
"""All steps together reach so many times ε: they cross the ball and may turn."""
_INWARD = (1 - 1e-6, 1 - 1e-5, 1 - 1e-4, 1 - 1e-3, 0.99, 0.9, 0.5, 0.0)
"""Against the rounding of pixels, which may add a millionth to a root-mean-square, and some per cent to one of a
thousandth of a digital unit."""

Gradients = Callable[[Sequence["Tensor"]], "list[Tensor]"]
"""Gradient of the loss at images of views, in the views' order, or some positive multiple. Not to be changed."""


class Ascent:
    """One view under a classifier's gradient: the gradient, and where the ascent starts."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.gradients: Gradients | None = None

    def gradient_at(self, images: Sequence[Tensor]) -> list[Tensor]:
        """Refused where no classifier is scored."""
        if self.gradients is None:
            raise UnusableInput(
                f"{self.shared.view.name}: adversarial perturbations need a classifier's gradient, got a view alone; "
                "score a cohort with score(...)"
            )
        return self.gradients(images)

    @cached_property
    def clean_gradient(self) -> Tensor:
        """Of the loss at the clean pixels; all severities share it."""
        return self.gradient_at([self.shared.pixels])[0]

    @cached_property
    def uniform_start(self) -> Tensor:
        """Uniform in ±1 at every pixel."""
        # A copy: what is drawn on the CPU may be its own tensor there.
        return (self.shared.on_device(self.shared.start_array) * 2).sub_(1)

    @property
    def start_in_ball(self) -> Tensor:
        """In a keyed direction, its root mean square a keyed share of 1."""
        field = self.shared.normal_field
        return field * (self.shared.key.uniform("adversarial start radius") / _rms(field))


def fgsm(pixels: Tensor, *, epsilon: float, ascent: Ascent, out: Tensor | None = None) -> Tensor:
    """One step of ε along the sign of the gradient: every pixel moves by ε, but where its gradient is 0."""
    import torch

    out = torch.empty_like(pixels) if out is None else out
    torch.add(pixels, ascent.clean_gradient.sign(), alpha=epsilon * DIGITAL_UNIT, out=out)
    return into_box(out, *box(pixels, epsilon * DIGITAL_UNIT))


def pgd_linf(pixels: Tensor, *, epsilon: float, ascent: Ascent, out: Tensor | None = None) -> Tensor:
    """20 steps along the sign of the gradient from a keyed random start, no pixel further than ε from clean."""
    import torch

    out = torch.empty_like(pixels) if out is None else out
    _ascend_linf([pixels], [out], [ascent.uniform_start], epsilon * DIGITAL_UNIT, ascent.gradient_at, STEPS)
    return out


def pgd_l2(pixels: Tensor, *, epsilon: float, ascent: Ascent, out: Tensor | None = None) -> Tensor:
    """20 steps along the gradient from a keyed random start, the root mean square over all pixels never above ε."""
    import torch

    out = torch.empty_like(pixels) if out is None else out
    _ascend_l2([pixels], [out], [ascent.start_in_ball], epsilon * DIGITAL_UNIT, ascent.gradient_at, STEPS)
    return out


def together(
    name: str, views: Sequence[Shared], epsilon: float, gradients: Gradients, *, steps: int = STEPS
) -> list[Tensor]:
    """The images of several views that one score is made from, moved by one loss; in fresh memory."""
    import torch

    clean = [view.pixels for view in views]
    images = [torch.empty_like(each) for each in clean]
    radius = epsilon * DIGITAL_UNIT
    if name == PGD_L2.name:
        starts = [view.ascent.start_in_ball for view in views]
        _ascend_l2(clean, images, starts, radius, gradients, steps)
    elif name == PGD_LINF.name:
        starts = [view.ascent.uniform_start for view in views]
        _ascend_linf(clean, images, starts, radius, gradients, steps)
    else:
        for image, pixels, gradient in zip(images, clean, gradients(clean), strict=True):
            into_box(torch.add(pixels, gradient.sign(), alpha=radius, out=image), *box(pixels, radius))
    return images


def gradients_needed(record: Perturbation, severities: int) -> int:
    """How often the gradient is computed for so many severities of a view."""
    return 1 if record.name == FGSM.name else STEPS * severities


def _ascend_linf(
    clean: Sequence[Tensor],
    images: Sequence[Tensor],
    starts: Sequence[Tensor],
    radius: float,
    gradients: Gradients,
    steps: int,
) -> None:
    import torch

    boxes = [box(pixels, radius) for pixels in clean]
    for image, pixels, start, ends in zip(images, clean, starts, boxes, strict=True):
        torch.add(pixels, start, alpha=radius, out=image)
        into_box(image, *ends)
    for _ in range(steps):
        for image, gradient, ends in zip(images, gradients(images), boxes, strict=True):
            into_box(image.add_(gradient.sign(), alpha=STEP_SHARE * radius / steps), *ends)


def _ascend_l2(
    clean: Sequence[Tensor],
    images: Sequence[Tensor],
    starts: Sequence[Tensor],
    radius: float,
    gradients: Gradients,
    steps: int,
) -> None:
    import torch

    for image, pixels, start in zip(images, clean, starts, strict=True):
        torch.add(pixels, start, alpha=radius, out=image)
        _into_ball(image, pixels, radius)
    for _ in range(steps):
        for image, pixels, gradient in zip(images, clean, gradients(images), strict=True):
            length = _rms(gradient)
            if length:
                image.add_(gradient, alpha=STEP_SHARE * radius / steps / length)
            _into_ball(image, pixels, radius)


def box(pixels: Tensor, radius: float) -> tuple[Tensor, Tensor]:
    """Lowest and highest float32 pixels that are not further than the radius, rounding included."""
    import torch

    # The sum may round outward by half a unit in its last place; one unit inward is inside.
    return torch.nextafter(pixels - radius, pixels), torch.nextafter(pixels + radius, pixels)


def into_box(image: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Move pixels that are beyond the lowest and highest to them."""
    import torch

    return torch.clamp(image, low, high, out=image)


def _into_ball(image: Tensor, pixels: Tensor, radius: float) -> None:
    # The sum with the pixels is rounded, which may lead out of the ball again: then a little further inward.
    for inward in _INWARD:
        distance = _rms(image - pixels)
        if distance <= radius * (_INWARD[0] if inward == _INWARD[0] else 1):
            return
        image.sub_(pixels).mul_(radius * inward / distance).add_(pixels)


def _rms(values: Tensor) -> float:
    # In float64: float32 squares of one grey level over six million pixels would lose digits.
    return float(values.double().square_().mean().sqrt_())


_GOODFELLOW = "Goodfellow et al. 2015, arXiv:1412.6572"
_MADRY = "Madry et al. 2018, arXiv:1706.06083"
_SUBSET = 30
"""Malignant breasts, and others: `holds` is decided from 20, and 20 steps take as long as 40 other conditions."""

FGSM = Perturbation(
    name="fgsm",
    apply=fgsm,
    parameter="epsilon",
    unit="digital units",
    unit_label="du",
    decimals=1,
    severities=(0.5, 1, 2, 4, 8),
    valid=(1e-3, 4095.0),
    nothing=0.0,
    version=2,
    set="extended",
    needs="gradient",
    subset=_SUBSET,
    shares=("ascent",),
    source=f"{_GOODFELLOW}. One digital unit is 1/4095 of full scale: under the noise of any detector.",
)

PGD_LINF = Perturbation(
    name="pgd_linf",
    apply=pgd_linf,
    parameter="epsilon",
    unit="digital units",
    unit_label="du",
    decimals=1,
    severities=(0.5, 1, 2, 4, 8),
    valid=(1e-3, 4095.0),
    nothing=0.0,
    version=2,
    keyed=True,
    needs="gradient",
    subset=_SUBSET,
    shares=("ascent",),
    source=f"{_MADRY}. {STEPS} steps of {STEP_SHARE:g} ε / {STEPS} from a uniform random start.",
)

PGD_L2 = Perturbation(
    name="pgd_l2",
    apply=pgd_l2,
    parameter="epsilon",
    unit="root-mean-square digital units",
    unit_label="durms",
    severities=(0.25, 0.5, 1, 2, 4),
    valid=(1e-3, 4095.0),
    nothing=0.0,
    version=2,
    set="extended",
    keyed=True,
    needs="gradient",
    subset=_SUBSET,
    shares=("ascent",),
    source=f"{_MADRY}. The ball is of the root mean square, so that it means the same for images of any size.",
)
