"""What a pass costs: time from a few measured rates, disk from the number of scores."""

from __future__ import annotations

from dataclasses import dataclass

SCORE_BYTES = 55
"""Of a store's file, a score: key, value, guard, day, and the room that SQLite leaves in its pages."""
VIEW_BYTES = 80
"""Of a store's file, a view whose file and pixels are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What there is to do."""

    views: int = 0
    """To be decoded."""
    images: int = 0
    """Views under a condition, each brought to the classifier once; at exam level, exams under a condition."""
    gradients: int = 0
    """Times that the score's gradient is computed, which is forward and backward through the network."""

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            views=self.views + other.views,
            images=self.images + other.images,
            gradients=self.gradients + other.gradients,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Seconds that one process takes for one of each."""

    decode: float
    """A view."""
    perturb: float
    """Everything of an image but the network: its share of what severities share, perturbing, preparing the input."""
    classify: float
    """An image in the network."""
    gradient: float = 0.0
    """A gradient, and the step along it."""
    decoders: int = 0
    """Threads that decode beside the device; with 0 the process decodes itself, before it perturbs."""

    def seconds(self, amount: Amount, *, processes: int = 1) -> float:
        """Time of a pass by so many processes that share its exams, each with a device or cores of its own.

        >>> rates = Rates(decode=0.5, perturb=0.01, classify=0.03, decoders=4)
        >>> rates.seconds(Amount(views=4, images=400), processes=2)
        8.0
        """
        device = amount.images * (self.perturb + self.classify) + amount.gradients * self.gradient
        decoding = amount.views * self.decode
        alone = max(device, decoding / self.decoders) if self.decoders else device + decoding
        return alone / processes


def store_bytes(*, scores: int, views: int) -> int:
    """By how much a store grows."""
    return scores * SCORE_BYTES + views * VIEW_BYTES
