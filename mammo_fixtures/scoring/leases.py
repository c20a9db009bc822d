"""Keeps what a process has claimed while it works, and gives it back when it fails."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.store import LEASE_SECONDS, Store

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def leases(store: Store, pass_name: str, owner: str) -> Iterator[None]:
    """Renews a process's leases from a thread of its own, so that a slow exam is not taken for a dead worker."""
    stop = threading.Event()
    beside = Store(store.path)

    def renew() -> None:
        while not stop.wait(LEASE_SECONDS / 4):
            # A lease that could not be renewed may be worked on twice, which costs time and nothing else.
            with suppress(UnusableInput):
                beside.renew(pass_name, owner)

    thread = threading.Thread(target=renew, name="mammo leases", daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        # What ended the work is what a reader must know, and it may have been the store.
        with suppress(UnusableInput):
            store.release(owner)
        raise
    finally:
        stop.set()
        thread.join()
        beside.close()
