"""A small project whose runs take a few seconds and tell how many images were scored, so that they can be killed."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mammo_fixtures.plugin.tests.gate_folder import CLASSIFIER, TOLERANCES, write_exams
from mammo_fixtures.scoring.engines.engine import exams_of_a_chunk

ROOT = Path(__file__).parents[3]
"""Where runs find the package, in a checkout that is not installed too."""
EXAMS = 30
CONDITIONS = 4
IMAGES = 2 * EXAMS * CONDITIONS
IMAGES_OF_A_CHUNK = 2 * exams_of_a_chunk(EXAMS) * CONDITIONS
END_SECONDS = 300.0
"""A run that has not ended by then hangs."""
_POLL_SECONDS = 0.002
_SLOW = '''
import time

class Slow(Detail):
    """Takes its time, and tells of each image before it is scored."""

    def forward(self, x):
        with open("images.txt", "a") as log:
            log.write(len(x) * ".")
        time.sleep(0.008 * len(x))
        return super().forward(x)

def slow():
    return Classifier(Slow(), name="slow", score="logit", fingerprint="slow 1")
'''


@dataclass(slots=True, kw_only=True)
class Project:
    """Exams, tolerances and a slow classifier in a folder; its runs share one store until it is forgotten."""

    folder: Path
    begun: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path) -> "Project":
        write_exams(folder / "exams", EXAMS)
        (folder / "release.py").write_text(CLASSIFIER + _SLOW)
        (folder / "tolerances.toml").write_text(TOLERANCES)
        return cls(folder=folder)

    def part(self, exams: int) -> str:
        """A manifest of the first exams."""
        lines = (self.folder / "exams" / "site.csv").read_text().splitlines(keepends=True)
        (self.folder / "exams" / "part.csv").write_text("".join(lines[: 1 + 2 * exams]))
        return "part.csv"

    @property
    def store(self) -> Path:
        return self.folder / "scores.sqlite"

    def forget(self) -> None:
        """As if nothing had ever been run."""
        for path in (*self.folder.glob("scores.sqlite*"), *self.folder.glob("*.txt")):
            path.unlink()

    def images(self) -> int:
        """Scored since nothing had been run, also those of which nothing was kept."""
        log = self.folder / "images.txt"
        return log.stat().st_size if log.exists() else 0

    def begin(self, workers: int, report: str = "killed", *, manifest: str = "site.csv") -> subprocess.Popen[bytes]:
        """Start a run, leader of a process group of its own."""
        run = subprocess.Popen(
            [
                sys.executable, "-m", "robustness_tests", "-n", str(workers),
                "-k", "holds or responds or clean", "--mammo-classifier=release:slow",
                f"--mammo-exams=exams/{manifest}", "--mammo-tolerances=tolerances.toml",
                f"--mammo-store={self.store}", f"--mammo-report={report}",
                "--mammo-pictures=none",
            ],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self.begun.append(run)
        return run

    def ended(self, run: subprocess.Popen[bytes]) -> tuple[int, str]:
        """Exit status and what was said; a run that does not end is an error."""
        try:
            said, _ = run.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            kill_group(run)
            said, _ = run.communicate()
            raise AssertionError(f"the run did not end in {END_SECONDS:g} s: {said.decode()}") from None
        return run.returncode, said.decode()

    def table(self, report: str) -> bytes:
        """The scores that a run reported; the same scores give the same bytes."""
        return (self.folder / report / "scores.csv.gz").read_bytes()

    def close(self) -> None:
        for run in self.begun:
            kill_group(run)
            run.communicate()


def kill_group(run: subprocess.Popen[bytes]) -> None:
    """The run with all its workers, as a system does that runs out of memory or power."""
    with suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)


def workers_of(run: subprocess.Popen[bytes]) -> list[int]:
    """Processes of the run's group beside its first, zombies left out."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(group) == run.pid and int(stat.parent.name) != run.pid and state != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)


def wait_until(condition: object, run: subprocess.Popen[bytes] | None = None, seconds: float = END_SECONDS) -> None:
    """Until the condition holds, or the run is over."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if run is not None and run.poll() is not None:
            return
        assert time.monotonic() < deadline, f"waited for more than {seconds:g} s"
        time.sleep(_POLL_SECONDS)
