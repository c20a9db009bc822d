"""What someone probably meant to write."""

from __future__ import annotations

import difflib


def nearest(name: str, known: list[str]) -> str:
    """`; did you mean 'lowpass'?` where a known name is close."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
