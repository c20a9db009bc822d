"""A connection to Ray: a cluster that is there, or one started on this machine for as long as the pass takes."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mammo_fixtures.errors import UnusableInput

REACH_SECONDS = 10.0
"""A Ray that is there answers at once."""
_ADDRESS = "the address of a Ray cluster must be auto or its head node's host:port, such as 10.0.0.5:6379"


def check_installed() -> None:
    """Ray is an extra. Raises UnusableInput where it is not installed."""
    missing = [name for name in ("ray", "pyarrow", "pandas") if importlib.util.find_spec(name) is None]
    if missing:
        raise UnusableInput(
            f"--mammo-engine=ray needs Ray Data, {' and '.join(missing)} missing; "
            "pip install 'mammo-robustness[ray]', or use --mammo-engine=local"
        )


def check_address(address: str) -> None:
    """`auto`, host:port, or empty for a Ray of this machine's own. Raises UnusableInput for anything else."""
    host, colon, port = address.rpartition(":")
    if address and address != "auto" and not (host and colon and port.isdecimal() and "/" not in host):
        raise UnusableInput(f"{_ADDRESS}, got {address!r}; leave it out to start Ray on this machine")


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """The module `ray`, connected. What was connected before stays so; what was started here ends here."""
    check_installed()
    check_address(address)
    if not address:
        # Read when Ray starts: a Ray of our own tells nobody that it was used.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with warnings.catch_warnings():
        # Warnings of Ray's own code: nothing that a user of the gate could act upon.
        warnings.simplefilter("ignore")
        import ray
        import ray.data
        import ray.data.exceptions

        warnings.simplefilter("ignore")  # once more: Ray puts a filter of its own first when it is imported
        mine = not ray.is_initialized()
        if mine:
            with _own_way_to_end():
                _connect(ray, address)
        try:
            with _quiet(ray):
                yield ray
        finally:
            if mine:
                ray.shutdown()


def is_of_the_cluster(error: Exception, ray: Any) -> bool:
    """Whether it says that actors, nodes or their objects are lost, or that a cluster is stuck."""
    stuck = getattr(ray.data.exceptions, "ExecutionTimeoutError", ())
    # Work for an actor that is just gone ends in an Exception of no kind; what Ray Data meets is raised from the other.
    bare = type(error) is Exception or isinstance(error.__cause__, ray.data.exceptions.SystemException)
    return bare or isinstance(error, (ray.exceptions.RayError, stuck))


def _connect(ray: Any, address: str) -> None:
    if address and address != "auto":
        _reach(address)
    try:
        ray.init(
            address=address or "local",
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:  # ConnectionError, RuntimeError, ValueError and Ray's own
        where = f"Ray at {address}" if address else "Ray on this machine"
        raise UnusableInput(
            f"{where} must start or answer, got {type(error).__name__}: {str(error).splitlines()[0]}; look at it with "
            "`ray status`, or use --mammo-engine=local"
        ) from error


@contextmanager
def _own_way_to_end() -> Iterator[None]:
    """What this process does on SIGTERM stays.

    `ray.init` overwrites it twice: by a `sys.exit`, which pytest takes for an error of one test and goes on to the
    next, and by a handler of its native code that aborts the process 3 s later, in the midst of its report.
    """
    before = signal.getsignal(signal.SIGTERM)
    # By default the process would end at once; Ray's way takes its own processes along.
    keeps = before not in (None, signal.SIG_DFL) and threading.current_thread() is threading.main_thread()
    try:
        yield
    finally:
        if keeps:
            signal.signal(signal.SIGTERM, before)


def _reach(address: str) -> None:
    """Ray ends the process when nobody answers; this asks first."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_SECONDS).close()
    except OSError as error:
        raise UnusableInput(
            f"Ray at {address} must answer, got: {error.strerror or error}; start it with `ray start --head`, correct "
            "--mammo-ray-address=, or leave it out to start Ray on this machine"
        ) from error


@contextmanager
def _quiet(ray: Any) -> Iterator[None]:
    """Ray Data without bars and logs on the terminal; progress of a pass is told by the store."""
    context = ray.data.DataContext.get_current()
    wanted = {"enable_progress_bars": False, "print_on_execution_start": False}
    before = {name: getattr(context, name) for name in wanted if hasattr(context, name)}
    logger = logging.getLogger("ray.data")
    level = logger.level
    for name in before:
        setattr(context, name, wanted[name])
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)
        logger.setLevel(level)
