"""A call of the network that was begun, and whose scores nobody has asked for yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mammo_fixtures.perturbations import Shared
from mammo_fixtures.scoring.images import Image
from mammo_fixtures.scoring.score_table import Condition

Several = dict[str, dict[Condition, dict[str, float]]]
"""Scores by side, condition and the view's position."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Begun:
    """Images of one view; a GPU may still be working on them."""

    shared: Shared
    """Kept until the scores are there: a GPU may not even have copied all that belongs to it."""
    conditions: Sequence[Condition]
    images: Sequence[Image]
    answer: Any
    """The network's."""
