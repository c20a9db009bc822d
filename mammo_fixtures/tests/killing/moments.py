"""Runs killed at random moments, each followed by one that goes on from the store."""

import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass

from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.store_care import verify
from mammo_fixtures.tests.killing.project import (
    IMAGES,
    IMAGES_OF_A_CHUNK,
    Project,
    kill_group,
    wait_until,
    workers_of,
)

VICTIMS = ("all", "worker", "first")
"""Who is killed: the whole process group, one worker, or the process that started the workers."""
LEFT_ALONE_SECONDS = 60.0
"""By then workers whose controller was killed must be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a run is killed, and who of it."""

    victim: str
    images: int | None = None
    """Once so many images were scored; None: by the clock."""
    seconds: float = 0.0
    """After the run began, or after the last of the images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a killed run and of the one after it."""

    stored: int
    """Images whose scores the killed run left."""
    computed: int
    """Images that were scored by both runs together."""
    left_alone_seconds: float
    """How long workers lived on without their controller."""
    faults: tuple[str, ...]


def moments(seed: int, count: int, *, workers: int, run_seconds: float) -> list[Moment]:
    """Every second one while scores are made, the others at any time of a run."""
    draw = random.Random(seed)
    victims = VICTIMS if workers else VICTIMS[:1]
    return [
        Moment(
            victim=victims[number % len(victims)],
            images=draw.randint(1, IMAGES) if number % 2 == 0 else None,
            seconds=draw.uniform(0.0, 0.01) if number % 2 == 0 else draw.uniform(0.0, run_seconds),
        )
        for number in range(count)
    ]


def kill_and_resume(project: Project, moment: Moment, *, workers: int, status: int, table: bytes) -> Outcome:
    """Kill a run, run again, and hold what came of it against an undisturbed run's exit status and table."""
    project.forget()
    run = project.begin(workers)
    began = time.monotonic()
    if moment.images is not None:
        wait_until(lambda: project.images() >= moment.images, run)
        began = time.monotonic()
    wait_until(lambda: time.monotonic() - began >= moment.seconds, run)
    alone = kill(run, moment.victim)
    faults = []
    if moment.victim == "worker":
        ended, said = project.ended(run)
        if "crashed" in said and ended != 1:
            faults.append(f"a run that lost a worker must be red, got status {ended}")
    else:
        project.ended(run)
    stored = _stored(project)
    again, said = project.ended(project.begin(workers, "resumed"))
    if again != status:
        faults.append(f"status {again} where {status} was expected: {said[-2000:]}")
    elif project.table("resumed") != table:
        faults.append("another table")
    most = IMAGES + max(workers, 1) * IMAGES_OF_A_CHUNK
    if project.images() > most:
        faults.append(f"{project.images()} images were scored, more than {most}")
    store = Store(project.store)
    sound = verify(store)
    store.close()
    if sound.damaged or sound.complaints:
        faults.append(f"{sound.damaged} damaged rows, {' '.join(sound.complaints)}")
    return Outcome(stored=stored, computed=project.images(), left_alone_seconds=alone, faults=tuple(faults))


def kill(run: object, victim: str) -> float:
    """SIGKILL; gives the seconds that workers outlived their controller."""
    workers = workers_of(run)  # type: ignore[arg-type]
    if victim == "worker" and workers:
        with suppress(ProcessLookupError):
            os.kill(workers[-1], signal.SIGKILL)
        return 0.0
    if victim != "first":
        kill_group(run)  # type: ignore[arg-type]
        return 0.0
    killed = time.monotonic()
    with suppress(ProcessLookupError):
        os.kill(run.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    wait_until(lambda: not workers_of(run), seconds=LEFT_ALONE_SECONDS)  # type: ignore[arg-type]
    return time.monotonic() - killed


def _stored(project: Project) -> int:
    if not project.store.exists():
        return 0
    store = Store(project.store)
    try:
        with store.file.answering():
            (count,) = store.file.db.execute("SELECT COUNT(*) FROM scores").fetchone()
        return int(count)
    finally:
        store.close()
