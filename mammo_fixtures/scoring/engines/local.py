"""This machine: processes share the chunks of a pass through the store, each with its own device."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from mammo_fixtures.exams import Exam
from mammo_fixtures.scoring.engines.engine import Work
from mammo_fixtures.scoring.leases import leases
from mammo_fixtures.scoring.pipeline import ExamRows

_POLL_SECONDS = 0.2


class LocalEngine:
    """Takes chunks until no one has any left to do."""

    def device_type(self, own: str) -> str:
        return own

    def run(self, work: Work) -> None:
        chunks = work.chunks
        work.store.begin(work.name, chunks=len(chunks), cells=work.cells)
        with leases(work.store, work.name, work.owner):
            while True:
                self._work_through(work, chunks)
                if not work.store.unfinished(work.name):
                    break
                # Others hold the rest. If one of them dies, its lease ends and its chunk is there to be claimed.
                time.sleep(_POLL_SECONDS)
                work.tell()

    def _work_through(self, work: Work, chunks: list[tuple[Exam, ...]]) -> None:
        """Everything that can be claimed now."""
        begun: deque[tuple[int, int]] = deque()
        """Chunks claimed, each with the number of its exams that are not kept yet."""

        def claimed() -> Iterator[Exam]:
            while (number := work.store.claim(work.name, work.owner)) is not None:
                begun.append((number, len(chunks[number])))
                yield from chunks[number]

        def keep(rows: ExamRows) -> None:
            work.keep(rows)
            number, left = begun.popleft()
            if left > 1:
                begun.appendleft((number, left - 1))
                return
            work.store.finish(work.name, number)
            work.tell()

        work.pipeline.run(claimed(), look_up=work.store.scores, keep=keep)
