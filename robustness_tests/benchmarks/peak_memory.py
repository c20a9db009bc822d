"""`python robustness_tests/benchmarks/peak_memory.py`: peak resident memory of a run, by exams and workers.

Each process of the gate tells its own peak when its session ends; images are small, so that what grows with the cohort
is not hidden behind pixels. Exit status 1 where the larger cohort takes more than a tenth more than the smaller.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mammo_fixtures.plugin.tests.gate_folder import CLASSIFIER, TOLERANCES, write_exams

ROOT = Path(__file__).parents[2]
ALLOWED = 1.10
TELLER = """
import os, resource

def pytest_sessionfinish(session):
    role = os.environ.get("PYTEST_XDIST_WORKER", "first process")
    with open("peaks.txt", "a") as file:
        file.write(f"{role}={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}\\n")
"""


def peaks(folder: Path, exams: int, workers: int) -> dict[str, int]:
    """Bytes by process, of a run over so many exams without a store from before."""
    folder.mkdir()
    write_exams(folder / "exams", exams)
    (folder / "release.py").write_text(CLASSIFIER)
    (folder / "teller.py").write_text(TELLER)
    (folder / "tolerances.toml").write_text(TOLERANCES)
    command = [
        sys.executable, "-m", "robustness_tests", "-p", "teller", "-n", str(workers), "-k",
        "holds or responds or clean or curve", "--mammo-classifier=release:load", "--mammo-exams=exams/site.csv",
        "--mammo-tolerances=tolerances.toml", "--mammo-store=scores.sqlite",
    ]  # fmt: skip
    path = os.pathsep.join((str(ROOT), str(folder)))
    told = subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    if f"scored: {exams:,} exams" not in told.stdout:
        raise SystemExit(told.stdout + told.stderr)
    lines = (folder / "peaks.txt").read_text().splitlines()
    return {role: int(peak) for role, _, peak in (line.partition("=") for line in lines)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exams", type=int, nargs=2, default=(50, 1000), metavar=("FEW", "MANY"))
    parser.add_argument("--workers", type=int, nargs="+", default=(0, 2))
    given = parser.parse_args()
    grown = False
    with tempfile.TemporaryDirectory() as folder:
        for workers in given.workers:
            few, many = (peaks(Path(folder, f"{workers}-{exams}"), exams, workers) for exams in given.exams)
            for role in sorted(few):
                ratio = many[role] / few[role]
                grown |= ratio > ALLOWED
                print(
                    f"-n {workers}, {role}: {few[role] / 2**20:.0f} MB with {given.exams[0]} exams, "
                    f"{many[role] / 2**20:.0f} MB with {given.exams[1]}, × {ratio:.3f}",
                    flush=True,
                )
    return int(grown)


if __name__ == "__main__":
    raise SystemExit(main())
