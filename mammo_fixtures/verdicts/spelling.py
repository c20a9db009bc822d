"""What someone probably meant to write."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def nearest(name: str, known: Sequence[str]) -> str:
    """`; did you mean 'lowpass'?` where a known name is close, whatever its case."""
    lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name, known, n=1) or difflib.get_close_matches(name.lower(), lower, n=1)
    return f"; did you mean {lower.get(near[0].lower(), near[0])!r}?" if near else ""
