"""How many malignant breasts a claim needs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mammo_fixtures.verdicts.curve import Point

FEWEST_JUDGED = 10
"""Malignant breasts below which no claim is run: no interval was found to keep its promise there."""
FEWEST_DECIDABLE = 20
"""Malignant breasts below which `holds` is never decided."""
LOST_EXPECTED = 3.0
"""Lost breasts that a fault of the margin's size must lead one to expect, so that 95 % of samples show one."""
_HOPELESS = 100
"""More than this many times the breasts at hand: no cohort will decide."""


def needed_to_hold(clean: float | None, chance: float | None, margin: float) -> int:
    """Malignant breasts needed before `holds` can be decided.

    A fault as large as the margin may be one in which a share `margin / (clean − chance)` of cancers is lost entirely;
    fewer breasts may well not hold a single one of those. An unknown clean value is taken as perfect.

    >>> needed_to_hold(0.93, 0.5, 0.05)
    26
    """
    if chance is None:
        return FEWEST_DECIDABLE
    to_lose = (1.0 if clean is None else clean) - chance
    # The subtraction of two decimals must not turn exactly 26 into 27.
    return max(FEWEST_DECIDABLE, math.ceil(LOST_EXPECTED * to_lose / margin - 1e-9))


def deciding_number(point: Point, margin: float, *, least: int) -> str:
    """About how many malignant breasts would decide, if the drop is as it seems: bounds shrink as 1 / √n."""
    assert point.drop is not None
    assert point.drop_low is not None
    assert point.drop_high is not None
    short = abs(margin - point.drop)
    reach = point.drop_high - point.drop if point.drop < margin else point.drop - point.drop_low
    if reach > math.sqrt(_HOPELESS) * short:
        return "not decidable at this margin"
    number = max(math.ceil(point.positives * (reach / short) ** 2), point.positives + 1, least)
    return f"about {_rounded(number)} malignant breasts would decide"


def _rounded(number: int) -> int:
    """Up to two digits: an extrapolation deserves no more."""
    unit = int(10 ** max(len(str(number)) - 2, 0))
    return -(-number // unit) * unit
