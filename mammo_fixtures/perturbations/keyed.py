"""Randomness keyed on text: the same exam, view and seed draw the same numbers everywhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What the random numbers of a view depend on, and nothing else."""

    exam_id: str
    side: str
    position: str
    seed: int = 0

    def digest(self, purpose: str) -> int:
        """64 bits, the same on every machine and Python."""
        # The unit separator cannot occur in an id, so no two keys run together to one text.
        text = "\x1f".join((self.exam_id, self.side, self.position, str(self.seed), purpose))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")

    def uniform(self, purpose: str) -> float:
        """One number in [0, 1)."""
        return (self.digest(purpose) >> 11) / 2**53

    def generator(self, purpose: str) -> torch.Generator:
        """A CPU generator: fields are drawn there, so that every device sees the same noise."""
        import torch

        return torch.Generator(device="cpu").manual_seed(self.digest(purpose) >> 1)
