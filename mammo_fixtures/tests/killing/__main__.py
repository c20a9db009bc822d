"""`python -m mammo_fixtures.tests.killing`: runs killed by SIGKILL at random moments, alone and with two workers."""

import argparse
import tempfile
import time
from pathlib import Path

from mammo_fixtures.tests.killing.moments import kill_and_resume, moments
from mammo_fixtures.tests.killing.project import IMAGES, Project


def main() -> int:
    """0; 1 where a resumed run was not as if nothing had happened."""
    parser = argparse.ArgumentParser(prog="python -m mammo_fixtures.tests.killing", description=__doc__)
    parser.add_argument("--moments", type=int, default=10, help="for each number of workers [10]")
    parser.add_argument("--workers", type=int, action="append", help="-n of the runs, several times [0 and 2]")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        project = Project.make(Path(folder))
        try:
            for workers in given.workers or (0, 2):
                faults += kill_many(project, given.seed, given.moments, workers=workers)
        finally:
            project.close()
    return int(faults > 0)


def kill_many(project: Project, seed: int, count: int, *, workers: int) -> int:
    project.forget()
    began = time.monotonic()
    status, said = project.ended(project.begin(workers, "undisturbed"))
    seconds = time.monotonic() - began
    assert project.images() == IMAGES, f"{project.images()} images: {said}"
    table = project.table("undisturbed")
    print(
        f"-n {workers}: an undisturbed run scores {IMAGES} images in {seconds:.1f} s, exit status {status}", flush=True
    )
    faults = 0
    for moment in moments(seed, count, workers=workers, run_seconds=seconds):
        outcome = kill_and_resume(project, moment, workers=workers, status=status, table=table)
        when = f"image {moment.images}" if moment.images is not None else f"{moment.seconds:.2f} s"
        print(
            f"  {moment.victim} killed at {when}: {outcome.stored} in the store, "
            f"{outcome.computed - IMAGES} scored twice, workers outlived it by {outcome.left_alone_seconds:.1f} s: "
            f"{'; '.join(outcome.faults) or 'as undisturbed'}",
            flush=True,
        )
        faults += bool(outcome.faults)
    return faults


if __name__ == "__main__":
    raise SystemExit(main())
