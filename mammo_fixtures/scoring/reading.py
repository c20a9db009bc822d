"""Reads a view, and does what the CPU must do of it for a pass: here or in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mammo_fixtures.exams import View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import PERTURBATIONS, Shared
from mammo_fixtures.perturbations.host_work import host_work
from mammo_fixtures.scoring.keys import file_digest, pixels_digest
from mammo_fixtures.scoring.score_table import CLEAN, Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A view that will be scored."""

    source: ViewSource
    conditions: Sequence[Condition] = ()
    seed: int = 0
    digest: bool = True
    """Whether the digests of its pixels and its file are not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """The view, and what was done of it."""

    view: View
    done: dict[str, object] = field(default_factory=dict)
    """Quantities by their name in `Shared`."""
    pixels: bytes | None = None
    """Digest of its pixels, where it was asked for."""
    file: bytes | None = None
    """Digest of its file, where it was asked for and there is one."""


def answered(request: Request, *, work: bool) -> Answer:
    """The view read; without `work` nothing else is done of it."""
    # Asked before reading: a file that changes meanwhile is then read again by the next run.
    file = file_digest(request.source) if request.digest else None
    view = request.source.read()
    pixels = pixels_digest(view) if request.digest else None
    wanted = [(PERTURBATIONS[c.perturbation], c.severity) for c in request.conditions if c != CLEAN]
    done = host_work(Shared(view, seed=request.seed), wanted) if work else {}
    return Answer(view=view, done=done, pixels=pixels, file=file)
