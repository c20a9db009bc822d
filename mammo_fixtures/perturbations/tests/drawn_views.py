"""Views made from plain arrays, and what independent arithmetic makes of them."""

import numpy as np
import torch

from mammo_fixtures import View
from mammo_fixtures.perturbations import Shared, apply


def view(pixels, spacing=(0.1, 0.1), **declared):
    return View.from_array(
        np.asarray(pixels, dtype=np.float32), pixel_spacing_mm=spacing, side="L", position="CC",
        **{"intensity_range": (0, 1), "exam_id": "1", **declared},
    )  # fmt: skip


def perturbed(record, given, severity, **keyed):
    """Under one severity; a view's shared quantities may be given in its place."""
    shared = given if isinstance(given, Shared) else Shared(given, **keyed)
    return apply(record, shared, severity, torch.empty_like(shared.pixels)).numpy()


def mirrored_reference(pixels, spacing, transfer):
    """Full symmetric extension, then one complex128 transform: no cosine transform in sight.

    `transfer` is given frequencies along rows and along columns, cycles/mm.
    """
    doubled = np.block([[pixels, pixels[:, ::-1]], [pixels[::-1], pixels[::-1, ::-1]]]).astype(np.float64)
    row = np.fft.fftfreq(doubled.shape[0], spacing[0])[:, None]
    column = np.fft.fftfreq(doubled.shape[1], spacing[1])[None, :]
    filtered = np.fft.ifft2(np.fft.fft2(doubled) * transfer(row, column)).real
    return filtered[: pixels.shape[0], : pixels.shape[1]]
