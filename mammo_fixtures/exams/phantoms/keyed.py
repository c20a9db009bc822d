"""Random generators keyed on text, so that nothing depends on the order of calls."""

from __future__ import annotations

import hashlib

import numpy as np


def keyed(*key: object) -> np.random.Generator:
    """The generator of a key; the same key gives the same numbers on every machine and in every process."""
    digest = hashlib.sha256("/".join(str(part) for part in key).encode()).digest()
    return np.random.Generator(np.random.SFC64(int.from_bytes(digest, "big")))
