"""Decodes views in threads, before they are asked for, and never more of them than there is room for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from mammo_fixtures.exams import View
from mammo_fixtures.exams.cohort import ViewSource


class ReadAhead:
    """Views in the order in which they were planned. Used from one thread; only the decoding is in others."""

    def __init__(
        self,
        read: Callable[[ViewSource], View],
        *,
        threads: int,
        room: int,
        unused: Callable[[View], None] = lambda view: None,
    ) -> None:
        """At most `room` decoded views wait to be taken; with 0 `threads` each is decoded when it is taken.

        `unused` is told of views that were decoded and then forgotten.
        """
        self._read = read
        self._unused = unused
        self._room = room
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="mammo decode") if threads else None
        self._planned: deque[ViewSource] = deque()
        self._begun: dict[ViewSource, Future[View]] = {}

    def plan(self, sources: Iterable[ViewSource]) -> None:
        """Views that will be taken, in this order, after those planned before."""
        if self._threads is not None:
            self._planned.extend(sources)
            self._fill()

    def take(self, source: ViewSource) -> View:
        """A view, waited for; whatever was planned gets its room."""
        begun = self._begun.pop(source, None)
        if begun is None:
            if source in self._planned:
                self._planned.remove(source)
            return self._read(source)
        try:
            return begun.result()
        finally:
            self._fill()

    def forget(self, sources: Iterable[ViewSource]) -> None:
        """Planned views that nobody took after all."""
        for source in sources:
            if source in self._planned:
                self._planned.remove(source)
            begun = self._begun.pop(source, None)
            if begun is not None and not begun.cancel():
                begun.add_done_callback(self._drop)
        self._fill()

    def stop(self) -> None:
        """Begin nothing more."""
        self._planned.clear()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Begin nothing more, and wait for what was begun."""
        self.stop()
        if self._threads is not None:
            self._threads.shutdown(wait=True)

    def _drop(self, ended: Future[View]) -> None:
        if ended.exception() is None:
            self._unused(ended.result())

    def _fill(self) -> None:
        while self._threads is not None and self._planned and len(self._begun) < self._room:
            source = self._planned.popleft()
            self._begun[source] = self._threads.submit(self._read, source)
