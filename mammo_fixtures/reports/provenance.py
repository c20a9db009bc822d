"""Versions and digests that the header of a report carries."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version

ALWAYS = ("numpy", "scipy", "pytest")
FOR_IMAGES = ("torch", "pydicom", "python-gdcm", "pyjpegls", "pillow")
"""What decides pixels and scores, where a classifier ran."""


def versions(*, images: bool) -> dict[str, str]:
    """Of Python and of the packages that decide figures; read from their metadata, so nothing is imported."""
    found = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for name in (*ALWAYS, *(FOR_IMAGES if images else ())):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def digest(content: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
