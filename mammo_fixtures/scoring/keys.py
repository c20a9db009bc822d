"""Keys of the store: digests of everything that decides a score, and of nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np

from mammo_fixtures import __version__
from mammo_fixtures.exams import View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.exams.remote_file import FilePath, RemoteFile
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.score_table import CLEAN, Condition

UNKEPT = "unkept "
"""Begins what stands in place of a fingerprint for one run."""
_NOT_OF_THE_PIXELS = ("exam_id", "origin", "path", "roi_path", "hidden")
"""What a source says of a file that its pixels do not depend on: who it is of, and on which row it is named."""


def pixels_digest(view: View) -> bytes:
    """Of a view: pixels and every declaration that perturbations or classifiers read."""
    declared = (view.shape, view.pixel_spacing_mm, view.side, view.position, view.intensity_range, view.chest_wall)
    digest = hashlib.sha256(repr((*declared, view.intent)).encode())
    digest.update(np.ascontiguousarray(view.pixels).data)
    for voi in view.voi:
        for each in fields(voi):
            value = getattr(voi, each.name)
            # A long array's repr leaves out its middle.
            shown = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
            digest.update(f"|{type(voi).__name__}.{each.name}={len(shown)}:".encode() + shown)
    if view.noise_gain is not None:
        digest.update(f"|noise gain={view.noise_gain!r}".encode())
    if view.region is not None:
        digest.update(b"|region=" + np.packbits(view.region).tobytes())
    return digest.digest()[:20]


def file_digest(source: ViewSource) -> bytes | None:
    """Of a file as it lies there: what is declared of it, its size and time.

    None for what is no file, is gone, or lies in a file system that does not tell when its content changes.
    """
    files = [getattr(source, name, None) for name in ("path", "roi_path")]
    if files[0] is None:
        return None
    try:
        states = [_state(file) for file in files if file]
    except OSError:
        # Reading it will say what is wrong, and of which view.
        return None
    if not all(states):
        return None
    return hashlib.sha256(f"{__version__}|{_declared(source)}|{states}".encode()).digest()[:20]


def score_key(
    unit: Sequence[bytes],
    side: str,
    exam_id: str,
    condition: Condition,
    *,
    seed: int,
    classifier: str,
    precision: str,
    device: str,
    also: bytes = b"",
) -> bytes:
    """Of one score: the views scored together, the condition and the classifier.

    `device` is its type, `cpu` or `cuda`: they round differently, and a table must not mix them. `also` is what else
    decides a score: which way the gradient was followed, or the field that was fitted.
    """
    parts = [*sorted(unit), side.encode(), classifier.encode(), precision.encode(), device.encode()]
    if condition != CLEAN:
        record = PERTURBATIONS[condition.perturbation]
        parts.append(f"{record.name}|{record.version}|{float(condition.severity)!r}".encode())
        if record.keyed:
            parts.append(f"{seed}|{exam_id}".encode())
    if also:
        parts.append(also)
    return parts_digest(parts)


def parts_digest(parts: Iterable[bytes]) -> bytes:
    """Of several parts, none of which runs into the next."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(4, "little") + part)
    return digest.digest()[:20]


def _state(file: FilePath | str) -> tuple[object, ...]:
    if isinstance(file, RemoteFile):
        return (file.url, file.mark) if file.mark else ()
    stat = Path(file).stat()
    return str(Path(file).resolve()), stat.st_size, stat.st_mtime_ns


def _declared(source: ViewSource) -> str:
    if not is_dataclass(source):
        return repr(source)
    names = (each.name for each in fields(source) if each.name not in _NOT_OF_THE_PIXELS)
    return repr([(type(source).__name__, name, getattr(source, name)) for name in names])
