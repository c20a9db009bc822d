"""Names as people and test ids write them."""

from __future__ import annotations

import difflib


def nearest(name: str, known: list[str]) -> str:
    """`; did you mean 'lowpass'?` where a known name is close."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def slug(text: str) -> str:
    """A name as it stands in a test id: lower case, anything but letters, digits and `_.` as `_`.

    >>> slug("Soft tissue")
    'soft_tissue'
    """
    return "".join(c if c.isascii() and (c.isalnum() or c in "_.") else "_" for c in text.lower())
