"""Who looks on while a network is called: nobody, unless a run says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Watch = Callable[[str, tuple[int, ...], Callable[[], Any]], Any]
"""Makes a call of the network, told which images it is about and their shape; may end a process that hangs in it."""

Gradients = Callable[[Sequence["torch.Tensor"]], list["torch.Tensor"]]


def unwatched(name: str, shape: tuple[int, ...], call: Callable[[], Any]) -> Any:
    """The call as it is."""
    return call()


def watched_gradients(watch: Watch, gradients: Gradients, name: str) -> Gradients:
    """The gradients of a score, each call of them watched."""

    def watched(images: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        found: list[torch.Tensor] = watch(name, (-1, *images[0].shape), lambda: gradients(images))
        return found

    return watched
