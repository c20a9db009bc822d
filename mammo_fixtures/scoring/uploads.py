"""Copies views that were read ahead to a GPU beside what it computes: from pinned memory, on a stream of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.perturbations import Shared

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from mammo_fixtures.exams import View


_OF_ARRAYS = {
    "mask": "mask_array",
    "normal_field": "normal_array",
    "feathered_mask": "feathered_array",
    "breast_deviation": "deviation_array",
}
"""What is an array's copy on the device and nothing more."""


class Uploads:
    """Copies under way. `begin` may be called from any thread, `take` from the one that computes."""

    def __init__(self, device: torch.device) -> None:
        import torch

        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._lock = threading.Lock()
        self._begun: dict[View, tuple[Shared, list[torch.Tensor], Any, Any]] = {}

    def begin(self, view: View, done: Mapping[str, object] | None = None, *, seed: int = 0) -> None:
        """Start copying a view's pixels, and what was done of it on the CPU; returns at once."""
        import torch

        shared = Shared(view, device=self._device, seed=seed)
        shared.__dict__.update(done or {})
        pixels = view.pixels
        if not pixels.flags.writeable:  # of this process, and not pinned
            pixels = pinned_copy(view.pixels)
        copies = {"pixels": pixels}
        copies |= {name: shared.__dict__[array] for name, array in _OF_ARRAYS.items() if array in shared.__dict__}
        with torch.cuda.stream(self._stream):
            copied = {name: shared.on_device(array) for name, array in copies.items()}
            decoded = shared.coded_breast.copy_ahead(shared.on_device) if "coded_breast" in shared.__dict__ else []
            ended = torch.cuda.Event()  # type: ignore[no-untyped-call]
            ended.record(self._stream)
        shared.__dict__.update(copied)
        view.pixels.flags.writeable = False
        with self._lock:
            # The pinned memory is held until the copies are taken: it must not be written to before.
            self._begun[view] = (shared, [*copied.values(), *decoded], pixels, ended)

    def take(self, view: View) -> Shared | None:
        """The view on the device, which waits for it but not the caller; None where no copy was begun."""
        import torch

        with self._lock:
            begun = self._begun.pop(view, None)
        if begun is None:
            return None
        shared, copies, _, ended = begun
        current = torch.cuda.current_stream(self._device)
        current.wait_event(ended)
        for copied in copies:
            # Allocated on the other stream: its memory must not be given away while this one still reads it.
            copied.record_stream(current)
        return shared

    def forget(self, views: Iterable[View]) -> None:
        """Copies that nobody takes after all."""
        with self._lock:
            for view in views:
                self._begun.pop(view, None)


def pinned(memory: NDArray[np.uint8]) -> Callable[[], None]:
    """Have a GPU copy from this memory by itself; gives what ends that.

    Where a system does not allow it, copies are made by way of memory that it does, and take longer.
    """
    import torch

    runtime = torch.cuda.cudart()  # type: ignore[no-untyped-call]
    runtime.cudaHostRegister(memory.ctypes.data, memory.nbytes, 0)
    return lambda: runtime.cudaHostUnregister(memory.ctypes.data)


def pinned_copy(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """In memory that a GPU can copy from by itself."""
    import torch

    copy: NDArray[np.float32] = torch.empty(array.shape, dtype=torch.float32, pin_memory=True).numpy()
    copy[...] = array
    return copy
