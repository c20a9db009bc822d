"""Networks on NumPy arrays, of scikit-learn, TensorFlow, JAX or one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class OnArrays:
    """Stands between tensors and a function on arrays, which has no gradient to follow."""

    function: Callable[..., Any]

    def __call__(self, batch: Any) -> Any:
        if isinstance(batch, Mapping):
            given = self.function({name: as_array(images) for name, images in batch.items()})
            return {side: np.asarray(scores) for side, scores in given.items()} if isinstance(given, Mapping) else given
        return np.asarray(self.function(as_array(batch)))


def on_arrays(function: Callable[..., Any]) -> OnArrays:
    """A network from a function on NumPy arrays: `Classifier(on_arrays(predict), …)`.

    It is called with float32 arrays (batch, channels, rows, columns), contiguous and its own to change, and gives
    (batch,) or (batch, 1) scores; at exam level with a dict of such arrays, and gives a dict of scores.
    """
    return OnArrays(function)


def as_array(images: Any) -> NDArray[np.float32]:
    """A tensor, wherever it is, as a contiguous float32 array."""
    array: NDArray[np.float32] = np.ascontiguousarray(images.detach().cpu().numpy(), dtype=np.float32)
    return array
