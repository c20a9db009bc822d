"""Copies decoded views to a GPU beside what it computes: from pinned memory, on a stream of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from mammo_fixtures.exams import View


class Uploads:
    """Copies under way. `begin` may be called from any thread, `take` from the one that computes."""

    def __init__(self, device: torch.device) -> None:
        import torch

        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._lock = threading.Lock()
        self._begun: dict[View, tuple[torch.Tensor, torch.Tensor, Any]] = {}

    def begin(self, view: View) -> None:
        """Start copying a view's pixels; returns at once."""
        import torch

        pinned = pinned_like(view)
        pinned.numpy()[...] = view.pixels
        with torch.cuda.stream(self._stream):
            copied = pinned.to(self._device, non_blocking=True)
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record(self._stream)
        with self._lock:
            # The pinned memory is held until the copy is taken: it must not be written to before.
            self._begun[view] = (copied, pinned, done)

    def take(self, view: View) -> torch.Tensor | None:
        """The pixels on the device, which waits for them but not the caller; None where no copy was begun."""
        import torch

        with self._lock:
            begun = self._begun.pop(view, None)
        if begun is None:
            return None
        copied, _, done = begun
        current = torch.cuda.current_stream(self._device)
        current.wait_event(done)
        # Allocated on the other stream: its memory must not be given away while this one still reads it.
        copied.record_stream(current)
        return copied

    def forget(self, views: Iterable[View]) -> None:
        """Copies that nobody takes after all."""
        with self._lock:
            for view in views:
                self._begun.pop(view, None)


def pinned_like(view: View) -> torch.Tensor:
    """Memory of the host that a GPU can copy from by itself, as large as a view."""
    import torch

    return torch.empty(view.shape, dtype=torch.float32, pin_memory=True)
