"""What a network may give as scores: real numbers, in whatever holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


def real_numbers(given: Any) -> tuple[Tensor | None, str]:
    """An answer as a tensor of real numbers; or None and what was got instead.

    A cast would drop imaginary parts, and what a masked array hides, without a word.
    """
    import torch

    if isinstance(given, np.ndarray):
        if np.ma.isMaskedArray(given):
            return None, "a masked array, whose hidden scores are none"
        if given.dtype.kind not in "fiub":
            return None, f"an array of {given.dtype}"
        # torch reads neither bytes in another order nor more than 8 of them.
        given = given.astype(np.float64)
    try:
        values = torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError):
        return None, type(given).__name__
    if values.is_complex():
        return None, f"complex numbers ({str(values.dtype).removeprefix('torch.')})"
    if values.layout != torch.strided or values.is_quantized or values.is_meta or values.is_nested:
        kind = "on the meta device" if values.is_meta else "quantized" if values.is_quantized else f"of {values.layout}"
        return None, f"a tensor {kind}" if not values.is_nested else "a nested tensor"
    return values, str(tuple(values.shape))
