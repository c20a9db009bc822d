"""Names as test ids keep them."""

from __future__ import annotations


def slug(text: str) -> str:
    """A name as it stands in a test id: lower case, anything but letters, digits and `_.` as `_`.

    >>> slug("Soft tissue")
    'soft_tissue'
    """
    return "".join(c if c.isascii() and (c.isalnum() or c in "_.") else "_" for c in text.lower())
