"""Keys of the store: digests of everything that decides a score, and of nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mammo_fixtures import __version__
from mammo_fixtures.exams import View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.score_table import CLEAN, Condition


def pixels_digest(view: View) -> bytes:
    """Of a view: pixels and every declaration that perturbations or classifiers read."""
    declared = (view.shape, view.pixel_spacing_mm, view.side, view.position, view.intensity_range, view.chest_wall)
    digest = hashlib.sha256(repr((*declared, view.intent, view.voi)).encode())
    digest.update(np.ascontiguousarray(view.pixels))
    if view.region is not None:
        digest.update(np.packbits(view.region))
    return digest.digest()[:20]


def file_digest(source: ViewSource) -> bytes | None:
    """Of a file as it lies there: what is declared of it, its size and time. None for what is no file."""
    path = getattr(source, "path", None)
    if path is None:
        return None
    stats = [Path(path).stat()]
    roi = getattr(source, "roi_path", None)
    if roi:
        stats.append(Path(roi).stat())
    text = f"{__version__}|{source!r}|{Path(path).resolve()}|{[(s.st_size, s.st_mtime_ns) for s in stats]}"
    return hashlib.sha256(text.encode()).digest()[:20]


def score_key(
    unit: Sequence[bytes], side: str, exam_id: str, condition: Condition, *, seed: int, classifier: str, precision: str
) -> bytes:
    """Of one score: the views scored together, the condition and the classifier."""
    parts = [*sorted(unit), side.encode(), classifier.encode(), precision.encode()]
    if condition != CLEAN:
        record = PERTURBATIONS[condition.perturbation]
        parts.append(f"{record.name}|{record.version}|{condition.severity!r}".encode())
        if record.keyed:
            parts.append(f"{seed}|{exam_id}".encode())
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(4, "little") + part)
    return digest.digest()[:20]
