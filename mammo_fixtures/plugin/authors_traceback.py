"""The traceback of a classifier that raised, for its author: from where the suite called it."""

from __future__ import annotations

import traceback
from pathlib import Path

from mammo_fixtures.errors import ClassifierRaised, UnusableInput, printable

_SUITE = str(Path(__file__).resolve().parents[1])


def with_traceback(error: UnusableInput) -> str:
    """The line of an error, and below it the traceback of the classifier's code, where that raised."""
    cause = error.__cause__
    if not isinstance(error, ClassifierRaised) or cause is None:
        return str(error)
    frames = cause.__traceback__
    while frames is not None and frames.tb_next is not None and _of_suite(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    lines = "".join(traceback.format_exception(type(cause), cause, frames, chain=True)).splitlines()
    return "\n".join([str(error), *map(printable, lines)])


def _of_suite(file: str) -> bool:
    return file.startswith(_SUITE)
