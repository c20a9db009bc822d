"""What someone probably meant to write."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def nearest(name: str, known: Sequence[str], *, prefix: str = "") -> str:
    """`; did you mean 'lowpass'?` where a known name is close, whatever its case; a prefix of all makes none close."""
    bare = name.removeprefix(prefix)
    as_written = {each.removeprefix(prefix): each for each in known}
    in_lower_case = {each.lower(): known_as for each, known_as in as_written.items()}
    for asked, names in ((bare, as_written), (bare.lower(), in_lower_case)):
        if near := difflib.get_close_matches(asked, names, n=1):
            return f"; did you mean {names[near[0]]!r}?"
    return ""
