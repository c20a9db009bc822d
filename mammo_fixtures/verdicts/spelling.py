"""What someone probably meant to write."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mammo_fixtures.scoring.score_table import ScoreTable

_LISTED = 5


def nearest(name: str, known: Sequence[str], *, prefix: str = "") -> str:
    """`; did you mean 'lowpass'?` where a known name is close, whatever its case; a prefix of all makes none close."""
    bare = name.removeprefix(prefix)
    as_written = {each.removeprefix(prefix): each for each in known}
    in_lower_case = {each.lower(): known_as for each, known_as in as_written.items()}
    for asked, names in ((bare, as_written), (bare.lower(), in_lower_case)):
        if near := difflib.get_close_matches(asked, names, n=1):
            return f"; did you mean {names[near[0]]!r}?"
    return ""


def unknown_said(table: ScoreTable, name: str) -> str:
    """What is to be told of a table's perturbations that are none of the catalogue: no claim is about them."""
    from mammo_fixtures.perturbations import PERTURBATIONS

    known = ("clean", *PERTURBATIONS.names)
    unknown = list(dict.fromkeys(c.perturbation for c in table.conditions if c.perturbation not in known))
    if not unknown:
        return ""
    hints = {each: nearest(each, known).removeprefix("; ") for each in unknown[:_LISTED]}
    listed = ", ".join(f"{each!r}" + (f" ({hint})" if hint else "") for each, hint in hints.items())
    more = f" and {len(unknown) - _LISTED} more" if len(unknown) > _LISTED else ""
    return f"{name}: no claim is judged on perturbations that are not in the catalogue, got {listed}{more}"
