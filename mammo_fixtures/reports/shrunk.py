"""Pictures small enough for a page, and as text for a file that another process reads."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mammo_fixtures.reports.findings import Gallery, Picture, Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_QUALITY = 80
"""Of 100; grain of single pixels is still seen."""


def shrunk(greys: NDArray[np.uint8], *, label: str, description: str) -> Picture:
    """Greys (rows, columns) as a WebP image."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(greys).save(out, "WEBP", quality=_QUALITY, method=4)
    rows, columns = greys.shape
    return Picture(label=label, data=out.getvalue(), width=columns, height=rows, description=description)


def as_text(galleries: dict[str, Gallery]) -> str:
    """Galleries as JSON."""
    return json.dumps({name: asdict(gallery) for name, gallery in galleries.items()}, default=_encoded)


def from_text(text: str) -> dict[str, Gallery]:
    """What `as_text` wrote."""
    return {name: _gallery(plain) for name, plain in json.loads(text).items()}


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _gallery(plain: dict[str, Any]) -> Gallery:
    rows = [
        Row(
            title=row["title"],
            of=row["of"],
            panels=tuple(tuple(_picture(picture) for picture in panel) for panel in row["panels"]),
            notes=tuple(row["notes"]),
        )
        for row in plain["rows"]
    ]
    return Gallery(rows=tuple(rows), missing=tuple(plain["missing"]))


def _picture(plain: dict[str, Any]) -> Picture:
    return Picture(**(plain | {"data": base64.b64decode(plain["data"])}))
