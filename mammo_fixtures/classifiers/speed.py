"""Ways to run the same network faster; all but `allocator` change the last bits of its scores."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from mammo_fixtures.classifiers.classifier import called
from mammo_fixtures.classifiers.folding import folded
from mammo_fixtures.errors import UnusableInput

SPEEDS = {
    "allocator": "keep freed memory for the next use (glibc); same bits, more memory",
    "channels_last": "keep images and weights with channels last",
    "folded": "take batch normalisation into the convolution before it",
    "compiled": "torch.compile, which takes a minute at first",
}
"""By name, in words for --help and docs."""

DEFAULT_SPEED = ("allocator",)
_SAME_BITS = ("allocator",)


def check_speed(names: Iterable[str]) -> tuple[str, ...]:
    """The names once each, in the order of SPEEDS; an unknown one is refused."""
    given = list(names)
    for name in given:
        if name not in SPEEDS:
            near = difflib.get_close_matches(name, SPEEDS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UnusableInput(f"speed must be of {', '.join(SPEEDS)}, got {name!r}{hint}")
    return tuple(name for name in SPEEDS if name in given)


def arithmetic(precision: str, speed: Iterable[str]) -> str:
    """What decides the last bits of a score beside its network: part of its key."""
    return " ".join([precision, *(name for name in speed if name not in _SAME_BITS)])


def faster(network: Callable[..., Any], speed: Iterable[str], *, name: str) -> Callable[..., Any]:
    """The network, or one that shares its weights, made faster; what only a torch.nn.Module can do is refused."""
    import torch

    changing = [each for each in speed if each not in _SAME_BITS]
    if changing and (not isinstance(network, torch.nn.Module) or isinstance(network, torch.jit.ScriptModule)):
        raise UnusableInput(
            f"{called(name)}: speed {', '.join(changing)} needs a torch.nn.Module written in Python, got "
            f"{type(network).__name__}; leave it out"
        )
    for each in changing:
        if each == "folded":
            network = folded(network, name=name)
        elif each == "channels_last":
            assert isinstance(network, torch.nn.Module)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        else:
            network = torch.compile(network)
    return network
