"""Brings what a GPU computes to the host without waiting for what it was asked to do after that."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class Download:
    """A tensor on its way to the host.

    A copy that is asked for only when it is wanted comes after everything that was begun meanwhile.
    """

    def __init__(self, there: Tensor) -> None:
        import torch

        self._here = torch.empty(there.shape, dtype=there.dtype, pin_memory=True)
        self._here.copy_(there.detach(), non_blocking=True)
        self._done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._done.record(torch.cuda.current_stream(there.device))

    def wait(self) -> Tensor:
        """The tensor, on the CPU."""
        self._done.synchronize()
        return self._here
