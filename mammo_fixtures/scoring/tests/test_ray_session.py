"""A connection to Ray leaves the process's own ways as they were."""

import signal
import sys
from types import SimpleNamespace

import pytest

from mammo_fixtures import UnusableInput
from mammo_fixtures.scoring.engines import ray_session


def rays_end(number, frame):
    sys.exit(number)


@pytest.mark.parametrize(("before", "kept"), [("ours", True), (signal.SIG_IGN, True), (signal.SIG_DFL, False)])
def test_sigterm_stays_what_it_was_where_something_was_set(before, kept):
    """ray.init sets a sys.exit, which pytest took for an error of one test; no report was sure to be written."""

    def ours(number, frame):
        raise KeyboardInterrupt

    before = ours if before == "ours" else before
    fake = SimpleNamespace(init=lambda **_: signal.signal(signal.SIGTERM, rays_end))
    held = signal.signal(signal.SIGTERM, before)
    try:
        with ray_session._own_way_to_end():
            ray_session._connect(fake, "")
        assert signal.getsignal(signal.SIGTERM) is (before if kept else rays_end)
    finally:
        signal.signal(signal.SIGTERM, held)


class RayError(Exception):
    pass


class ExecutionTimeoutError(Exception):
    pass


class SystemException(Exception):
    pass


def raised_from(error, cause):
    try:
        raise error from cause
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "of_the_cluster"),
    [
        (RayError("actor died"), True),
        (ExecutionTimeoutError("no progress"), True),
        (raised_from(ValueError("no such block"), SystemException()), True),
        (Exception("Failed to submit task to actor"), True),
        (UnusableInput("exam 17: the image must be a readable file"), False),
        (raised_from(ValueError("ours"), OSError()), False),
    ],
    ids=str,
)
@pytest.mark.parametrize("newer", [True, False])
def test_what_is_lost_with_a_node_is_told_from_our_own_errors(error, of_the_cluster, newer):
    """Work that was given to an actor in the moment it was gone ended the pass; Ray 2.44 gives some nearly always."""
    of_data = SimpleNamespace(SystemException=SystemException)
    if newer:
        of_data.ExecutionTimeoutError = ExecutionTimeoutError
    elif isinstance(error, ExecutionTimeoutError):
        pytest.skip("older ones have no such error")
    ray = SimpleNamespace(data=SimpleNamespace(exceptions=of_data), exceptions=SimpleNamespace(RayError=RayError))
    assert ray_session.is_of_the_cluster(error, ray) is of_the_cluster
