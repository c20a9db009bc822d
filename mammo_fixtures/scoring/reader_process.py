"""A process that reads views for one that drives a GPU, whose interpreter must not be held up by decoders.

Started by `readers`. Requests and answers come through a connection; arrays through memory that both map.
"""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import sys
import warnings
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle

from mammo_fixtures.scoring.reading import answered
from mammo_fixtures.scoring.shared_memory import places

ASK, MEMORY = b"a", b"m"
"""What begins a message to a reader: a request, or a memory whose handle follows."""
NOT_HERE = b""
"""The answer of one that cannot read the view."""


def main() -> None:
    """Answer until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asks decides what an interrupt means
    connection, memories = Connection(int(sys.argv[1])), dict[int, int]()
    while True:
        try:
            said = connection.recv_bytes()
        except (EOFError, OSError):
            return
        kind, number, asked = said[:1], int.from_bytes(said[1:5]), said[5:]
        if kind == MEMORY:
            memories[number] = recv_handle(connection)
        else:
            connection.send_bytes(_answer(asked, memories[number]))


def _answer(asked: bytes, memory: int) -> bytes:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            answer = answered(pickle.loads(asked), work=True)
        except Exception:
            # The other process reads by itself, and either can – it may know a class or a file system that this one
            # does not – or raises what is to be raised.
            return NOT_HERE
    buffers: list[pickle.PickleBuffer] = []
    said = pickle.dumps(answer, protocol=5, buffer_callback=buffers.append)
    raw = [buffer.raw() for buffer in buffers]
    starts, end = places([each.nbytes for each in raw])
    if end:
        if os.fstat(memory).st_size < end:
            os.ftruncate(memory, end)
        with mmap.mmap(memory, end) as mapped:
            for start, each in zip(starts, raw, strict=True):
                mapped[start : start + each.nbytes] = each
    told = [(each.category, str(each.message)) for each in warned]
    return pickle.dumps((said, [each.nbytes for each in raw], told))


if __name__ == "__main__":
    main()
