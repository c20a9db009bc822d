"""From a view's image to a classifier's input, as the classifier declares it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.orientation import chest_wall_side, toward
from mammo_fixtures.exams.voi import apply_voi

if TYPE_CHECKING:
    from torch import Tensor

    from mammo_fixtures.exams import View

INPUT_VERSION = 1
"""Raised whenever the same view and declaration give another input."""

_SAME_SPACING = 1e-3
"""Relative difference of pixel spacings under which no resampling is done: a tenth of a pixel over 100 pixels."""


def classifier_input(image: Tensor, view: View, classifier: Classifier) -> Tensor:
    """The image (rows, columns) of a view as the classifier's input (channels, rows, columns), float32.

    In this order: VOI LUT, pixel spacing, orientation, size, intensity. `image` is left untouched; where nothing is
    to be done, the input is a view of it.
    """
    wall = ""
    if classifier.chest_wall is not None or (classifier.input_size is not None and classifier.fit == "pad"):
        wall = view.chest_wall or chest_wall_side(view.pixels)
    if classifier.voi and view.voi:
        image = apply_voi(image, view.voi[0], view.intensity_range)
    if classifier.pixel_spacing_mm is not None:
        image = _at_spacing(image, view.pixel_spacing_mm, classifier.pixel_spacing_mm)
    if classifier.chest_wall is not None:
        image = _turned(image, view, wall, classifier.chest_wall)
        wall = classifier.chest_wall
    if classifier.input_size is not None and classifier.fit == "pad":
        image = _padded(image, classifier.input_size, wall)
    elif classifier.input_size is not None:
        image = _resized(image, classifier.input_size)
    low, high = classifier.intensity
    if (low, high) != (0.0, 1.0):
        image = image * (high - low) + low
    if classifier.integers:
        image = image.clamp(min(low, high), max(low, high)).round()
    # Unlike an expansion, a new axis costs a gradient no summing.
    return image[None] if classifier.channels == 1 else image.expand(classifier.channels, *image.shape)


def coarsest_pixels_mm(view: View, classifier: Classifier) -> tuple[float, float]:
    """Rows and columns of the coarsest pixels that a view passes through: two of them are the shortest wave, in mm.

    Each axis for itself: a size that does not keep the view's proportions, or a view whose pixels are not square, ends
    at another wavelength along rows than along columns.
    """
    found = []
    wanted = classifier.input_size if classifier.fit == "resize" and classifier.input_size else (math.inf, math.inf)
    for pixels, mm, size in zip(view.shape, view.pixel_spacing_mm, wanted, strict=True):
        found.append(max(mm, classifier.pixel_spacing_mm or 0.0, pixels * mm / size))
    return found[0], found[1]


def _at_spacing(image: Tensor, spacing_mm: tuple[float, float], wanted_mm: float) -> Tensor:
    if all(abs(mm / wanted_mm - 1) < _SAME_SPACING for mm in spacing_mm):
        return image
    rows, columns = (max(1, round(n * mm / wanted_mm)) for n, mm in zip(image.shape, spacing_mm, strict=True))
    return _resized(image, (rows, columns))


def _turned(image: Tensor, view: View, wall: str, wanted: str) -> Tensor:
    try:
        return toward(image, wall, wanted)
    except UnusableInput as error:
        raise UnusableInput(f"{view.name}: {error}") from error


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    import torch

    if tuple(image.shape) == tuple(size):
        return image
    # Antialiased: a smaller image without it would fold fine texture into false detail.
    return torch.nn.functional.interpolate(
        image[None, None], size=size, mode="bilinear", align_corners=False, antialias=True
    )[0, 0]


def _padded(image: Tensor, size: tuple[int, int], wall: str) -> Tensor:
    """Cropped or padded with zeros, vertically about the middle, horizontally away from the chest wall."""
    import torch

    out = torch.zeros(size, dtype=image.dtype, device=image.device)
    rows, columns = (min(a, b) for a, b in zip(size, image.shape, strict=True))
    top_in, top_out = (image.shape[0] - rows) // 2, (size[0] - rows) // 2
    left_in, left_out = (image.shape[1] - columns, size[1] - columns) if wall == "right" else (0, 0)
    out[top_out : top_out + rows, left_out : left_out + columns] = image[
        top_in : top_in + rows, left_in : left_in + columns
    ]
    return out
