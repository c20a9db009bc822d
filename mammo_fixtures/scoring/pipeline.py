"""From exams to rows of the store: what every engine runs, in whatever process and on whatever machine."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mammo_fixtures.exams import Exam, View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.machine_share import usable_cores
from mammo_fixtures.scoring.cell_keys import CellKeys, Cells
from mammo_fixtures.scoring.read_ahead import ReadAhead
from mammo_fixtures.scoring.readers import Readers
from mammo_fixtures.scoring.reading import Answer, Request, answered
from mammo_fixtures.scoring.score_table import Condition
from mammo_fixtures.scoring.shared_memory import possible
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.uploads import pinned

LookUp = Callable[[Sequence[bytes]], dict[bytes, float]]
"""Gives the scores that are known already, by key."""

MORE_THAN_READERS = 4
"""So many views more than are being read may wait to be scored: 150 MB each of full size, with the CPU's work."""
MOST_READERS = 16
"""A full-size core pass takes the CPU a second a view, and a fast GPU a tenth of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRows:
    """What came of one exam, as plain data."""

    exam_id: str
    scores: dict[bytes, float]
    """New ones by their store key."""
    found: int
    """Scores that were known."""
    files: dict[bytes, bytes]
    """Pixel digests of newly decoded files, by file digest."""
    notes: dict[bytes, float] = field(default_factory=dict)
    """Numbers that reports tell of the exam's views, by store key."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Task:
    exam: Exam
    cells: Cells | None
    """None until a view was decoded, where the files are not known."""
    wanted: dict[str, list[Condition]]
    sources: tuple[ViewSource, ...]


@dataclass(slots=True, kw_only=True, eq=False)
class Pipeline:
    """Reads ahead of the device, scores what is missing, and hands over each exam's rows."""

    keys: CellKeys
    decoders: int | None = None
    """Threads that read, each by a process of its own; None: chosen by device."""
    readers: Readers | None = None
    """Processes that go on after a run; None: each run has its own, where there are to be any."""
    decoded: int = 0
    """Views read for this process."""
    _files: dict[ViewSource, bytes] = field(default_factory=dict)
    """File digests of decoded views, until their exam is handed over."""
    _planned_for: dict[ViewSource, list[Condition]] = field(default_factory=dict)
    """What views that are read ahead will be scored under."""
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def run(self, exams: Iterable[Exam], *, look_up: LookUp, keep: Callable[[ExamRows], None]) -> None:
        """Rows of each exam, in order, once it is complete.

        The next exams are asked for while one is being scored, so that their views are read meanwhile. `keep` is
        called from the thread that called this.
        """
        threads = self._decoders()
        room = threads + MORE_THAN_READERS
        lent = self.readers
        if lent is None and threads and self.sweep.uploads is not None and possible():
            self.readers = Readers(pinned)
        ahead = ReadAhead(self._open_ahead, threads=threads, room=room, unused=self._forget)
        try:
            for task in self._planned(iter(exams), look_up, ahead, room if threads else 0):
                keep(self._rows(task, look_up, ahead))
        finally:
            ahead.stop()
            if lent is None and self.readers is not None:
                # Before threads are waited for, which would wait for a reader that hangs.
                self.readers.close()
            ahead.close()
            self.readers = lent

    @property
    def sweep(self) -> Sweep:
        return self.keys.sweep

    def open(self, source: ViewSource) -> View:
        """Decode a view, and note the digest of its pixels where it was not known. Any thread may call it."""
        return self._noted(source, answered(Request(source=source, digest=source not in self.keys.pixels), work=False))

    def _open_ahead(self, source: ViewSource) -> View:
        if self.readers is None:
            done: dict[str, object] = {}
            view = self.open(source)
        else:
            answer = self.readers.read(
                Request(
                    source=source,
                    conditions=self._planned_for.get(source, ()),
                    seed=self.sweep.seed,
                    digest=source not in self.keys.pixels,
                )
            )
            view, done = self._noted(source, answer), answer.done
        if self.sweep.uploads is not None:
            self.sweep.uploads.begin(view, done, seed=self.sweep.seed)
        return view

    def _noted(self, source: ViewSource, answer: Answer) -> View:
        with self._counting:
            self.decoded += 1
        if answer.pixels is not None and source not in self.keys.pixels:
            self.keys.pixels[source] = answer.pixels
            if answer.file is not None:
                self._files[source] = answer.file
        return answer.view

    def _forget(self, *views: View) -> None:
        if self.sweep.uploads is not None:
            self.sweep.uploads.forget(views)

    def learned(self) -> dict[bytes, bytes]:
        """Pixel digests by file digest, of what was decoded since this was last asked."""
        return self._learned_of(tuple(self._files))

    def _planned(self, exams: Iterator[Exam], look_up: LookUp, ahead: ReadAhead, room: int) -> Iterator[_Task]:
        """Tasks, each after the views of the next one, and of as many more as there is room for, were given to read."""
        waiting: deque[_Task] = deque()
        for exam in exams:
            task = self._task(exam, look_up)
            ahead.plan(task.sources)
            waiting.append(task)
            # What needs no view is handed over at once: a cohort that is all known would else be claimed whole.
            while len(waiting) > 1 and (
                not waiting[0].sources or sum(len(each.sources) for each in list(waiting)[1:]) >= room
            ):
                yield waiting.popleft()
        yield from waiting

    def _task(self, exam: Exam, look_up: LookUp) -> _Task:
        known = self.keys.known(exam)
        cells = self.keys.of(exam, self.open) if known else None
        wanted = self.keys.cells(exam) if cells is None else _wanted(cells, look_up)
        planned: dict[ViewSource, list[Condition]] = {}
        for breast in exam.breasts:
            if breast.side in wanted:
                for source in self.sweep.unit(exam, breast):
                    planned.setdefault(source, []).extend(wanted[breast.side])
        self._planned_for |= planned
        return _Task(exam=exam, cells=cells, wanted=wanted if known else {}, sources=tuple(planned))

    def _rows(self, task: _Task, look_up: LookUp, ahead: ReadAhead) -> ExamRows:
        opened: dict[ViewSource, View] = {}

        def read(source: ViewSource) -> View:
            if source not in opened:
                opened[source] = ahead.take(source)
            return opened[source]

        cells, wanted = task.cells, task.wanted
        if cells is None:
            cells = self.keys.of(task.exam, read)
            wanted = _wanted(cells, look_up)
        computed: dict[bytes, float] = {}
        if wanted:
            scores = self.sweep.exam(task.exam, wanted, read)
            computed = {cells[cell]: value for cell, value in scores.items()}
            self.sweep.under_way = 0.0
        ahead.forget(task.sources)
        for source in task.sources:
            self._planned_for.pop(source, None)
        self._forget(*opened.values())
        return ExamRows(
            exam_id=task.exam.exam_id,
            scores=computed,
            found=len(cells) - len(computed),
            notes=self._noted_of(task.exam),
            files=self._learned_of(task.exam.views),
        )

    def _noted_of(self, exam: Exam) -> dict[bytes, float]:
        noted, self.sweep.noted = self.sweep.noted, {}
        keys = self.keys.notes_of(exam) if noted else {}
        return {keys[cell]: value for cell, value in noted.items() if cell in keys}

    def _learned_of(self, sources: Iterable[ViewSource]) -> dict[bytes, bytes]:
        return {self._files.pop(source): self.keys.pixels[source] for source in sources if source in self._files}

    def _decoders(self) -> int:
        return decoders_of(self.sweep) if self.decoders is None else self.decoders


def decoders_of(sweep: Sweep) -> int:
    """Readers ahead of a device; none beside a CPU, which they would take the cores from."""
    return 0 if sweep.inference.device.type == "cpu" else readers_beside(sweep.cores or usable_cores())


def readers_beside(cores: int) -> int:
    """Readers of a process that drives a GPU and has so many cores."""
    return max(1, min(MOST_READERS, cores - 2))


def _wanted(cells: Cells, look_up: LookUp) -> dict[str, list[Condition]]:
    found = look_up(list(cells.values()))
    wanted: dict[str, list[Condition]] = {}
    for (side, condition), key in cells.items():
        if key not in found:
            wanted.setdefault(side, []).append(condition)
    return wanted
