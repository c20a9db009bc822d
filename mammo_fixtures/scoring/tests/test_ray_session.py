"""A connection to Ray leaves the process's own ways as they were."""

import signal
import sys
from types import SimpleNamespace

import pytest

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
