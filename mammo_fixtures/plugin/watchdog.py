"""A classifier that does not answer ends the run, which says where, and writes what there is."""

from __future__ import annotations

import faulthandler
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.watch import AFTER_SECONDS, FIRST, Watch, late, unwatched
from mammo_fixtures.whole_file import write_whole

if TYPE_CHECKING:
    from mammo_fixtures.plugin.run import Run

_TOLD_SECONDS = 1.0
"""For the last report of a worker to reach its controller."""


class Watchdog:
    """Ends the process when a call of the network takes too long; a `Watch` of the sweep.

    Two watch: a thread, which tells the run and writes its report; and later faulthandler's own timer, which needs no
    interpreter, for native code that never lets go of it.
    """

    def __init__(
        self, seconds: float, stopped: Path, hung: Callable[[str], None], *, classifier: str = "", stderr: int = 2
    ) -> None:
        self._seconds = seconds
        self._stopped = stopped
        self._hung = hung
        self._classifier = classifier
        self._stderr = stderr
        self._known: set[tuple[int, ...]] = set()
        self._change = threading.Condition()
        self._call: tuple[float, float, str] | None = None
        """Deadline, seconds given, and what the call is about."""
        threading.Thread(target=self._look, name="mammo watchdog", daemon=True).start()

    def __call__(self, name: str, shape: tuple[int, ...], call: Callable[[], Any]) -> Any:
        self.check()
        seconds = self._seconds * (1 if shape in self._known else FIRST)
        self._known.add(shape)
        self._begin((time.monotonic() + seconds, seconds, name))
        faulthandler.dump_traceback_later(seconds + AFTER_SECONDS, exit=True, file=self._stderr)
        try:
            return _under(name)(call)
        finally:
            faulthandler.cancel_dump_traceback_later()
            self._begin(None)

    def check(self) -> None:
        """Raises UnusableInput where another process of the run was stopped by such a call."""
        if self._stopped.exists():
            raise UnusableInput(f"the run was stopped: {self._stopped.read_text(encoding='utf-8')}")

    def _begin(self, call: tuple[float, float, str] | None) -> None:
        with self._change:  # held while the run is told of a hang: nothing goes on meanwhile
            self._call = call
            self._change.notify()

    def _look(self) -> None:
        with self._change:
            while True:
                call = self._call
                left = None if call is None else call[0] - time.monotonic()
                if call is not None and left is not None and left <= 0:
                    self._end(call[1], call[2])
                self._change.wait(left)

    def _end(self, seconds: float, name: str) -> None:
        message = str(late(self._classifier, seconds, name))
        with suppress(OSError):  # a temporary folder that is full or gone must not keep this process from its end
            write_whole(self._stopped, message.encode())
        self._hung(message)


def _under(name: str) -> Callable[[Callable[[], Any]], Any]:
    """A function that is called what it is about, so that tracebacks say it, also those of a process that dies."""

    def calling(call: Callable[[], Any]) -> Any:
        return call()

    return FunctionType(calling.__code__.replace(co_name=name), {})


_STDERR = pytest.StashKey[int]()


def keep_stderr(config: pytest.Config) -> None:
    """Keep a way to the terminal's error output, from before pytest captures it."""
    config.stash[_STDERR] = os.dup(2)
    config.add_cleanup(lambda: os.close(config.stash[_STDERR]))


def error_output(config: pytest.Config) -> int:
    """The terminal's error output, past pytest's capturing."""
    return config.stash.get(_STDERR, 2)


def watch_of(run: Run, session: pytest.Session, classifier: str) -> Watch:
    """What watches the calls of a run's pass in this process."""
    if run.settings.timeout_seconds is None:
        return unwatched
    dog = Watchdog(
        run.settings.timeout_seconds,
        run.hung_file,
        _end_of_run(run, session),
        classifier=classifier,
        stderr=error_output(session.config),
    )
    dog.check()
    return dog


def _end_of_run(run: Run, session: pytest.Session) -> Callable[[str], None]:
    """What tells pytest of the test that hangs, writes every report, and ends the process: status 1."""

    def hung(message: str) -> None:
        try:
            capture: Any = session.config.pluginmanager.get_plugin("capturemanager")
            capture.suspend_fixture()
            capture.suspend_global_capture(in_=False)
            nodeid = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
            item = next((each for each in session.items if each.nodeid == nodeid), None)
            if item is not None:
                item.ihook.pytest_runtest_logreport(
                    report=pytest.TestReport(
                        item.nodeid, item.location, dict.fromkeys(item.keywords, 1), "failed", message, "setup"
                    )
                )
            session.shouldfail = message
            if run.worker is None:
                session.config.hook.pytest_sessionfinish(session=session, exitstatus=pytest.ExitCode.TESTS_FAILED)
                run.end()
            else:
                time.sleep(_TOLD_SECONDS)
            terminal: Any = session.config.pluginmanager.get_plugin("terminalreporter")
            if terminal is not None:
                terminal.flush()  # what is buffered, as in a pipe, would be lost
        finally:
            os._exit(pytest.ExitCode.TESTS_FAILED)

    return hung
