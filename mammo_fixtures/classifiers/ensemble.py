"""Several networks that read the same, as one classifier: the mean of their scores."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from mammo_fixtures.classifiers.answers import real_numbers
from mammo_fixtures.classifiers.classifier import Classifier, called
from mammo_fixtures.classifiers.placement import place
from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    import torch

_MAY_DIFFER = ("network", "name", "notes", "cancels", "fingerprint")


def ensemble(*members: Classifier, name: str = "") -> Classifier:
    """The mean of the members' scores: of each view at view level, of each breast at exam level.

    Members may be of different kinds, such as a TorchScript file and an endpoint, but declare the same input and the
    same kind of score. Its scores are kept where every member has a fingerprint.
    """
    from mammo_fixtures.classifiers.fingerprint import fingerprint

    if len(members) < 2:
        raise UnusableInput(f"{called(name, 'ensemble')}: it needs at least two members, got {len(members)}")
    first = members[0]
    for other in members[1:]:
        for each in fields(Classifier):
            one, two = getattr(first, each.name), getattr(other, each.name)
            if each.name not in _MAY_DIFFER and one != two:
                raise UnusableInput(
                    f"{called(name, 'ensemble')}: members must declare the same {each.name}, got {one!r} of "
                    f"{first.name or 'the first'} and {two!r} of {other.name or 'another'}; wrap what "
                    "differs into the network"
                )
    known = [fingerprint(member) for member in members]
    return replace(
        first,
        network=MeanOf(tuple(member.network for member in members)),
        name=name or f"ensemble of {len(members)}",
        cancels=tuple(each for each in first.cancels if all(each in member.cancels for member in members)),
        fingerprint=hashlib.sha256("|".join(known).encode()).hexdigest()[:32] if all(known) else "",
        notes={},
    )


@dataclass(frozen=True, slots=True, eq=False)
class MeanOf:
    """The mean of what networks give, in double precision."""

    networks: tuple[Callable[..., Any], ...]

    def place_on(self, device: torch.device, precision: str) -> None:
        """Brings every member to the device."""
        for network in self.networks:
            place(network, device, precision)

    def __call__(self, batch: Any) -> Any:
        # A fresh copy for each: a network that works in place must not reach the next one's input.
        given = [network(_copy(batch)) for network in self.networks]
        if not isinstance(given[0], Mapping):
            return _mean(given)
        sides = [set(scores) if isinstance(scores, Mapping) else set() for scores in given]
        if any(each != sides[0] for each in sides):
            raise UnusableInput(f"members must score the same breasts, got {[sorted(each) for each in sides]}")
        return {side: _mean([scores[side] for scores in given]) for side in given[0]}


def _copy(batch: Any) -> Any:
    return {name: each.clone() for name, each in batch.items()} if isinstance(batch, Mapping) else batch.clone()


def _mean(scores: list[Any]) -> Any:
    import torch

    each, got = zip(*map(real_numbers, scores), strict=True)
    if any(one is None or one.ndim not in (1, 2) or one.numel() != len(one) for one in each) or (
        len(set(map(len, each))) > 1
    ):
        raise UnusableInput(f"each member must give one real score a view, got {', '.join(got)}")
    return torch.stack([one.reshape(-1).double().cpu() for one in each]).mean(dim=0)
