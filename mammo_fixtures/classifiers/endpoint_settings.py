"""What is stated of an endpoint, checked before it is asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from urllib.parse import urlsplit

from mammo_fixtures.errors import UnusableInput


def check_address(url: str) -> None:
    """Raises UnusableInput, in one line, where no request can be made of the address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        # Neither a password before the host nor a query is repeated.
        shown = f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else url.partition("?")[0].rpartition("@")[2]
        raise UnusableInput(
            f"classifier endpoint: its address must be http://host:port/path or https://…, got {shown!r}"
        )
    try:
        fits = parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise UnusableInput(
            f"classifier endpoint {parts.hostname}: its port must be a number from 1 to 65535; check its address"
        )
    if not url.isascii() or not url.isprintable() or " " in url:
        # Nothing of it is repeated: its query may be secret.
        raise UnusableInput(
            f"classifier endpoint {parts.hostname}: its address must be of ASCII characters without blanks; "
            "write others as %20"
        )


def check_patience(timeout_seconds: float, tries: int, first_pause_seconds: float) -> None:
    """Raises UnusableInput where so long, or so often, nothing can be waited for."""
    if not 0 < timeout_seconds < math.inf:
        raise UnusableInput(f"endpoint: timeout_seconds must be a time above 0, got {timeout_seconds!r}")
    if tries < 1:
        raise UnusableInput(f"endpoint: tries must be at least 1, got {tries!r}")
    if not 0 <= first_pause_seconds < math.inf:
        raise UnusableInput(f"endpoint: first_pause_seconds must be a time of 0 or more, got {first_pause_seconds!r}")


def check_headers(headers: Mapping[str, str]) -> None:
    """Raises UnusableInput for what no request can carry."""
    for name, value in headers.items():
        # The value is not repeated: it may be secret.
        if not isinstance(value, str):
            raise UnusableInput(
                f"endpoint: header {name} must be a text, got {type(value).__name__}; look where it comes from"
            )
        if not value.isascii() or not value.isprintable():
            raise UnusableInput(
                f"endpoint: header {name} must be printable ASCII in one line; a file's last line break is one too "
                "many: .strip() takes it off"
            )
