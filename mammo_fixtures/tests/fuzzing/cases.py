"""One case after the other in this process, each judged."""

import time
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.tests.fuzzing.mutations import mutated
from mammo_fixtures.tests.fuzzing.targets import images, tables

LONGEST_SECONDS = 2.0
LONGEST_MESSAGE = 2000


def targets(kind, folder):
    """Targets of a kind: `images` or `tables`."""
    return images() if kind == "images" else tables(folder)


def run_case(target, folder, *, seed, case):
    """What became of a case: `same`, `other`, `refused`, or a sentence that says what is wrong."""
    path = Path(folder) / target.file
    path.write_bytes(mutated(target.content, seed=seed, case=case, words=target.words))
    begin = time.process_time()
    try:
        outcome = target.read(path)
    except UnusableInput as refusal:
        message = str(refusal)
        outcome = "refused"
        if "\n" in message or len(message) > LONGEST_MESSAGE or not message.isprintable():
            outcome = f"a message that is not one plain line: {message[:300]!r}"
    except AssertionError as wrong:
        outcome = f"accepted, but {wrong}"
    except BaseException as other:
        if isinstance(other, KeyboardInterrupt):
            raise
        outcome = f"{type(other).__name__}: {other}"[:300]
    took = time.process_time() - begin
    if took > LONGEST_SECONDS and outcome in ("same", "other", "refused"):
        outcome = f"it took {took:.1f} s"
    return outcome
