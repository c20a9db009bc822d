"""One case after the other in this process, each judged."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.tests.fuzzing.network_files import classifiers
from mammo_fixtures.tests.fuzzing.targets import images, tables

LONGEST_SECONDS = 2.0
LONGEST_MESSAGE = 2000
GOOD = ("same", "agreed", "other", "refused")
"""Read as the unmutated file; otherwise, but as a second reader reads it too; otherwise; refused in one plain line."""
KINDS = {"images": lambda _: images(), "tables": tables, "classifiers": classifiers}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case."""

    what: str
    """One of GOOD, or a sentence that says what is wrong."""
    seconds: float
    """Of CPU time."""
    rule: str = ""
    """Of a refusal: its sentence without numbers and quoted values."""


def targets(kind, folder):
    """Targets of a kind."""
    return KINDS[kind](folder)


def run_case(target, folder, *, seed, case):
    """Write the mutated file, read it, and judge what happened."""
    path = Path(folder) / target.file
    path.write_bytes(target.mutated(seed=seed, case=case))
    begin, rule = time.process_time(), ""
    try:
        what = target.read(path)
    except UnusableInput as refusal:
        message, what = str(refusal), "refused"
        if "\n" in message or len(message) > LONGEST_MESSAGE or not message.isprintable():
            what = f"a message that is not one plain line: {message[:300]!r}"
        rule = re.sub(r"\(\d\w\w\w,\w{4}\)|'[^']*'|\"[^\"]*\"|-?\d[\w.+…-]*|/\S+", "#", message.partition("; ")[0])[
            :110
        ]
    except AssertionError as wrong:
        what = f"accepted, but {wrong}"
    except BaseException as other:
        if isinstance(other, KeyboardInterrupt):
            raise
        what = f"{type(other).__name__}: {other}"[:300]
    took = time.process_time() - begin
    if took > LONGEST_SECONDS and what in GOOD:
        what = f"it took {took:.1f} s"
    return Outcome(what, took, rule)
