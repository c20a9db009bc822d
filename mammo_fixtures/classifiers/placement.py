"""Brings a network to its device, ready to give scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    import torch


@runtime_checkable
class PlacedNetwork(Protocol):
    """A network that is no `torch.nn.Module` and takes care of its device itself."""

    def place_on(self, device: torch.device, precision: str) -> None: ...


def place(network: Callable[..., Any], device: torch.device, precision: str) -> None:
    """Evaluation mode, on the device, without gradients of the weights."""
    import torch

    if isinstance(network, PlacedNetwork):
        network.place_on(device, precision)
    elif isinstance(network, torch.nn.Module):
        # A network left in training mode draws dropout and moves its batch statistics with every view.
        network.eval().to(device)
        # One by one, because scripted modules have no requires_grad_ of their own.
        for parameter in network.parameters():
            parameter.requires_grad_(False)


def full_precision_only(name: str, precision: str) -> None:
    """Refuses a precision that torch cannot give to what it does not run."""
    if precision != "fp32":
        raise UnusableInput(
            f"classifier {name}: it computes in its own precision, which --mammo-precision={precision} cannot change; "
            "leave it at fp32"
        )
