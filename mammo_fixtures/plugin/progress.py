"""Progress of a pass on the terminal: a line now and then, with the rate and the time left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.run import Run, run_of
from mammo_fixtures.whole_file import write_whole

if TYPE_CHECKING:
    from mammo_fixtures.scoring.store import Store

Answer = TypeVar("Answer")
_TERMINAL_SECONDS = 5.0
_LOG_SECONDS = 60.0
_POLL_SECONDS = 1.0
PHANTOMS, FIELDS = "phantoms", "fields"
_STAGES = {
    PHANTOMS: "phantoms, once for all runs: {done} of {wanted} exams written",
    FIELDS: "universal fields, fitted once for this classifier: {done:,} of {wanted:,} gradients",
}
"""What comes before the first exam."""


class Progress:
    """Turns counts into lines, no more often than is of use."""

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        every_seconds: float,
        exams: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`exams` gives the size of the cohort, 0 as long as it is not known."""
        self._write = write
        self._exams = exams
        self._every = every_seconds
        self._clock = clock
        self._began = self._last = clock()
        self._told = False

    def __call__(self, cells: int, computed: int, found: int) -> None:
        now = self._clock()
        if not computed:  # what came before the first score is no part of the rate
            self._began = now
        done = computed + found >= cells
        if now - self._last < self._every and not (done and self._told):
            return
        self._last, self._told = now, not done
        rate = computed / max(now - self._began, 1e-9)
        left = f", {long_time((cells - computed - found) / rate)} left" if rate > 0 and not done else ""
        stored = f", {found:,} from the store" if found else ""
        scores = f"{computed + found:,} of {cells:,} scores{stored}"
        exams = self._exams()
        if not exams:
            self._write(f"[mammo] {scores}, {_rate(rate)} scores/s{left}")
            return
        # By their share of scores: an exam of which the store has a part is a part of an exam.
        complete, of_exams = int(exams * (computed + found) / cells), f"{_rate(rate * exams / cells)} exams/s"
        self._write(f"[mammo] {complete:,} of {exams:,} exams ({scores}), {of_exams}, {_rate(rate)} scores/s{left}")


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.2g}"


def minutes(seconds: float) -> str:
    """`12:34 min`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"


def long_time(seconds: float) -> str:
    """Minutes below two hours, hours below two days, then days."""
    if seconds < 7200:
        return minutes(seconds)
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"


def reporter(config: pytest.Config, exams: int) -> Callable[[int, int, int], None]:
    """What a pass calls in this process; silent in a worker, whose controller watches the store.

    A worker knows the cohort and its controller does not: it leaves the number of exams in the run's folder.
    """
    run = run_of(config)
    if run.worker is None:
        return _progress(config, lambda: exams)
    run.size_file.write_text(str(exams), encoding="ascii")
    return lambda cells, computed, found: None


def tell_early(config: pytest.Config, lines: Sequence[str]) -> None:
    """Lines before anything is scored; a worker, which may not write, leaves them to its controller."""
    run = run_of(config)
    if run.worker is None:
        _tell_early(config, lines)
    elif lines:
        write_whole(run.early_file, "\n".join(lines).encode())


def _tell_early(config: pytest.Config, lines: Sequence[str]) -> None:
    write, _ = _writer(config)
    for line in lines:
        write(f"[mammo] {line}")


def stage_reporter(config: pytest.Config, stage: str) -> Callable[[int, int], None]:
    """What a stage before the first exam calls with done and wanted: lines on the way, and a file for who watches."""
    run, tell = run_of(config), _stage_lines(config)

    def told(done: int, wanted: int) -> None:
        run.stage_file.write_text(f"{stage} {done} {wanted}", encoding="ascii")
        tell(stage, done, wanted)

    return told


def stage_told(run: Run) -> tuple[str, int, int]:
    """The last stage before the first exam, whichever process is at it: its name, done, wanted; zeros before."""
    try:
        stage, done, wanted = run.stage_file.read_text(encoding="ascii").split()
        return stage, int(done), int(wanted)
    except (OSError, ValueError):
        return "", 0, 0


def _stage_lines(config: pytest.Config) -> Callable[[str, int, int], None]:
    """A line at each stage's beginning, some on the way with the time left, and one at its end."""
    write, every = _writer(config)
    began: dict[str, tuple[float, int]] = {}
    last: dict[str, tuple[float, int]] = {}

    def tell(stage: str, done: int, wanted: int) -> None:
        now = time.monotonic()
        start, first = began.setdefault(stage, (now, done))
        told, before = last.get(stage, (-every, -1))
        if done == before or (now - told < every and done < wanted):
            return
        last[stage] = now, done
        left = f", {long_time((now - start) / (done - first) * (wanted - done))} left" if first < done < wanted else ""
        write(f"[mammo] {_STAGES[stage].format(done=done, wanted=wanted)}{left}")

    return tell


def _exams_told(run: Run) -> int:
    """What a worker left; 0 before."""
    try:
        return int(run.size_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _progress(config: pytest.Config, exams: Callable[[], int]) -> Progress:
    write, every = _writer(config)
    return Progress(write, every_seconds=every, exams=exams)


def _writer(config: pytest.Config) -> tuple[Callable[[str], None], float]:
    """A function that writes a line past pytest's capturing, and the seconds to leave between two lines."""
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")

    def write(line: str) -> None:
        if terminal is None or config.option.verbose < 0 or run_of(config).worker is not None:
            return
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()  # which knows nothing of what is written while workers run
            if config.get_terminal_writer().width_of_current_line:
                terminal.write_line("")
            terminal.write_line(line)

    return write, _TERMINAL_SECONDS if terminal is not None and terminal.isatty else _LOG_SECONDS


@contextmanager
def watch(config: pytest.Config) -> Iterator[None]:
    """In an xdist controller, follow the workers' pass through the store they share."""
    run = run_of(config)
    if run.worker is not None or not getattr(config.option, "numprocesses", None) or run.settings.scores is not None:
        yield
        return
    stop = threading.Event()

    def follow() -> None:
        tell, beforehand = _progress(config, lambda: _exams_told(run)), _stage_lines(config)
        early: list[str] = []
        ended = False
        while not ended:
            ended = stop.wait(_POLL_SECONDS)
            if not early and run.early_file.exists():
                early = run.early_file.read_text(encoding="utf-8").splitlines()
                _tell_early(config, early)
            if (stage := stage_told(run))[0]:
                beforehand(*stage)
            for _, state in asked(run, lambda store: store.progress(run.pass_name)):
                if state is not None:
                    tell(*state)

    thread = threading.Thread(target=follow, name="mammo progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def asked(run: Run, question: Callable[[Store], Answer]) -> list[tuple[Path, Answer]]:
    """What each of the run's stores says that is there; what is wrong with one, the workers say."""
    from mammo_fixtures.scoring.store import Store

    answers = []
    for path in (run.store, run.unkept_store):
        if path.exists():
            with suppress(UnusableInput), Store(path) as store:
                answers.append((path, question(store)))
    return answers


def give_back(run: Run, worker: str) -> None:
    """What a dead worker held unfinished is anyone's at once, not only when its lease ends."""
    asked(run, lambda store: store.release(run.owner(worker)))
