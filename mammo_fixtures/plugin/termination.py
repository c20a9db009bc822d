"""A run that is ended from outside writes its report, as one that is interrupted by hand does."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

import pytest

from mammo_fixtures.plugin.watchdog import error_output

LEFT_SECONDS = 300.0
"""For threads to end that send something away."""


def end_as_interrupted(config: pytest.Config) -> None:
    """Have SIGTERM and SIGHUP, which schedulers and `timeout` send, do what Ctrl-C does.

    By default they end a process at once: without a report or a word of what was kept, and with the run's temporary
    folder left behind. A terminal that is gone fails pytest's next line, before the report. Where the two are ignored,
    as under nohup, or handled by others, that stays.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    own = os.getpid()
    taken = [number for number in _numbers() if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != own:  # a process that the classifier forked
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        for each in taken:  # `timeout` sends two, and the second one must not end the writing of the report
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt(signal.Signals(number).name)

    def give_back() -> None:
        for each in taken:
            signal.signal(each, signal.SIG_DFL)

    for each in taken:
        signal.signal(each, end)
    config.add_cleanup(give_back)


def end_never_as_passed(config: pytest.Config) -> None:
    """Have code of a classifier that ends the process, with status 0 too, end a run that failed.

    Nothing else would tell it from one that passed: no report is written and no line printed. What native code does
    that calls `exit(0)` cannot be told from here.
    """
    own, end = os.getpid(), os._exit

    def ended(status: int) -> NoReturn:
        if os.getpid() == own and not status:  # and not that of a process that was forked
            os.write(error_output(config), b"mammo: the process was ended by os._exit(0) in the midst of the run\n")
            status = int(pytest.ExitCode.TESTS_FAILED)
        end(status)

    os._exit = ended
    config.add_cleanup(lambda: setattr(os, "_exit", end))


def end_despite_threads(session: pytest.Session) -> None:
    """Have a process end whose work is done, but in which a classifier left threads that Python would wait for."""

    def look() -> None:
        threading.main_thread().join()  # it is over once Python waits for the others; never, where pytest was called
        time.sleep(LEFT_SECONDS)
        sys.stdout.flush()  # what is buffered, as in a pipe, would be lost
        said = f"mammo: {', '.join(_others())} of the classifier did not end in {LEFT_SECONDS:g} s after the run\n"
        os.write(2, said.encode())
        os._exit(int(session.exitstatus))

    def begin() -> None:
        if _others():
            threading.Thread(target=look, name="mammo end", daemon=True).start()

    session.config.add_cleanup(begin)


def _others() -> list[str]:
    main = threading.main_thread()
    return [f"thread {each.name}" for each in threading.enumerate() if not each.daemon and each is not main]


def _numbers() -> list[int]:
    """Those of the two that this system knows."""
    return [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
