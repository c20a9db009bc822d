"""`python robustness_tests/benchmarks/two_workers.py`: how much faster two workers are than one process.

A cold gate over phantoms with `-n 0` and `-n 2`, a thread a process, one after the other, several rounds, start-up
included. CPU seconds stand beside: where two workers take more of them than one, beyond a second start-up,
they do work twice or wait busily. Exit status 1 where two workers are less than 1.7 times as fast. Wants two cores.
"""

import argparse
import csv
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mammo_fixtures.exams import read_cohort
from mammo_fixtures.exams.phantoms import phantom_cohort

ROOT = Path(__file__).parents[2]
ASKED = 1.7


def manifest_of(exams: int, folder: Path) -> list[str]:
    """The options that name so many phantom exams."""
    phantom_cohort()
    files = [view for exam in read_cohort("phantoms").exams[:exams] for view in exam.views]
    labels = {(b.exam_id, b.side): b for b in read_cohort("phantoms").breasts}
    with (folder / "some.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["exam_id", "side", "view", "path", "malignant", "subgroup"])
        for view in files:
            breast = labels[view.exam_id, view.side]
            writer.writerow(
                [view.exam_id, view.side, view.position, view.path, int(bool(breast.malignant)), breast.subgroup]
            )
    return [f"--mammo-exams={folder / 'some.csv'}", f"--mammo-allow-outside={Path(files[0].path).parents[1]}"]


def timed(workers: int, exams: list[str], select: str, folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a cold gate."""
    command = [
        sys.executable, "-m", "robustness_tests", "-n", str(workers), "-k", select, "--mammo-store=none",
        "--mammo-device=cpu", *exams,
    ]  # fmt: skip
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if "\nscored: " not in run.stdout:
        raise SystemExit(run.stdout + run.stderr)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--exams", type=int, default=200, help="phantom exams [200, all of them]")
    parser.add_argument("--select", default="lowpass", metavar="EXPRESSION", help="-k of the gate [lowpass]")
    given = parser.parse_args()
    found: dict[int, list[tuple[float, float]]] = {0: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        exams = manifest_of(given.exams, Path(folder))
        for _ in range(given.rounds):
            for workers, times in found.items():
                times.append(timed(workers, exams, given.select, Path(folder)))
                print(f"-n {workers}: {times[-1][0]:.1f} s, {times[-1][1]:.1f} s of CPU", flush=True)
    wall, cpu = ({n: statistics.median(t[which] for t in times) for n, times in found.items()} for which in (0, 1))
    print(
        f"{given.exams} exams, -k {given.select}, medians of {given.rounds}: {wall[0]:.1f} s with one process, "
        f"{wall[2]:.1f} s with two workers, × {wall[0] / wall[2]:.2f} (asked {ASKED}); CPU × {cpu[2] / cpu[0]:.2f}"
    )
    return int(wall[0] / wall[2] < ASKED)


if __name__ == "__main__":
    raise SystemExit(main())
