"""evidence.zip: the whole report with checksums, the same bytes from the same scores."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping

CHECKSUMS = "SHA256SUMS"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP can hold: when a run took place is no part of its evidence."""
_MODE = 0o644 << 16


def evidence(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of the files in alphabetical order, with a list that `sha256sum -c` checks."""
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in sorted((dict(files) | {CHECKSUMS: sums.encode()}).items()):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system, entry.external_attr = 3, _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=6)
    return out.getvalue()
