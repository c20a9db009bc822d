"""From exams to rows of the store: what every engine runs, in whatever process and on whatever machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mammo_fixtures.exams import Exam, View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.scoring.cell_keys import CellKeys, Cells
from mammo_fixtures.scoring.keys import file_digest, pixels_digest
from mammo_fixtures.scoring.read_ahead import ReadAhead
from mammo_fixtures.scoring.score_table import Condition
from mammo_fixtures.scoring.sweep import Sweep

if TYPE_CHECKING:
    import torch

LookUp = Callable[[Sequence[bytes]], dict[bytes, float]]
"""Gives the scores that are known already, by key."""

ROOM_VIEWS = 8
"""Decoded views that wait to be scored, at most: 180 MB of full size."""
DECODERS_ON_GPU = 4


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
    """Decodes ahead of the device, scores what is missing, and hands over each exam's rows."""

    keys: CellKeys
    decoders: int | None = None
    """Threads that decode; None: chosen by device."""
    decoded: int = 0
    """Views decoded in this process."""
    _files: dict[ViewSource, bytes] = field(default_factory=dict)
    """File digests of decoded views, until their exam is handed over."""
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def run(self, exams: Iterable[Exam], *, look_up: LookUp, keep: Callable[[ExamRows], None]) -> None:
        """Rows of each exam, in order, once it is complete.

        The next exam is asked for while one is being scored, so that its views are decoded meanwhile. `keep` is
        called from the thread that called this.
        """
        ahead = ReadAhead(self._open_ahead, threads=self._decoders(), room=ROOM_VIEWS, unused=self._forget)
        try:
            for task in self._planned(iter(exams), look_up, ahead):
                keep(self._rows(task, look_up, ahead))
        finally:
            ahead.close()

    @property
    def sweep(self) -> Sweep:
        return self.keys.sweep

    def open(self, source: ViewSource) -> View:
        """Decode a view, and note the digest of its pixels where it was not known. Any thread may call it."""
        # Asked before reading: a file that changes meanwhile is then read again by the next run.
        file = None if source in self.keys.pixels else file_digest(source)
        view = source.read()
        with self._counting:
            self.decoded += 1
        if source not in self.keys.pixels:
            self.keys.pixels[source] = pixels_digest(view)
            if file is not None:
                self._files[source] = file
        return view

    def _open_ahead(self, source: ViewSource) -> View:
        view = self.open(source)
        if self.sweep.uploads is not None:
            self.sweep.uploads.begin(view)
        return view

    def _forget(self, *views: View) -> None:
        if self.sweep.uploads is not None:
            self.sweep.uploads.forget(views)

    def learned(self) -> dict[bytes, bytes]:
        """Pixel digests by file digest, of what was decoded since this was last asked."""
        files = {file: self.keys.pixels[source] for source, file in list(self._files.items())}
        self._files.clear()
        return files

    def _planned(self, exams: Iterator[Exam], look_up: LookUp, ahead: ReadAhead) -> Iterator[_Task]:
        """Tasks, each after its successor's views were given to the decoders."""
        waiting: _Task | None = None
        for exam in exams:
            task = self._task(exam, look_up)
            ahead.plan(task.sources)
            if waiting is not None:
                yield waiting
            waiting = task
        if waiting is not None:
            yield waiting

    def _task(self, exam: Exam, look_up: LookUp) -> _Task:
        if not self.keys.known(exam):
            views = dict.fromkeys(s for breast in exam.breasts for s in self.sweep.unit(exam, breast))
            return _Task(exam=exam, cells=None, wanted={}, sources=tuple(views))
        cells = self.keys.of(exam, self.open)
        wanted = _wanted(cells, look_up)
        views = dict.fromkeys(s for b in exam.breasts if b.side in wanted for s in self.sweep.unit(exam, b))
        return _Task(exam=exam, cells=cells, wanted=wanted, sources=tuple(views))

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
        self._forget(*opened.values())
        return ExamRows(
            exam_id=task.exam.exam_id,
            scores=computed,
            found=len(cells) - len(computed),
            notes=self._noted_of(task.exam),
            files=self._learned_of(task.exam),
        )

    def _noted_of(self, exam: Exam) -> dict[bytes, float]:
        noted, self.sweep.noted = self.sweep.noted, {}
        keys = self.keys.notes_of(exam) if noted else {}
        return {keys[cell]: value for cell, value in noted.items() if cell in keys}

    def _learned_of(self, exam: Exam) -> dict[bytes, bytes]:
        files = {source: self._files.pop(source) for source in exam.views if source in self._files}
        return {file: self.keys.pixels[source] for source, file in files.items()}

    def _decoders(self) -> int:
        return decoders_of(self.sweep.inference.device) if self.decoders is None else self.decoders


def decoders_of(device: torch.device) -> int:
    """Threads that decode ahead of a device; none beside a CPU, which they would take the cores from."""
    return 0 if device.type == "cpu" else min(DECODERS_ON_GPU, os.cpu_count() or 1)


def _wanted(cells: Cells, look_up: LookUp) -> dict[str, list[Condition]]:
    found = look_up(list(cells.values()))
    wanted: dict[str, list[Condition]] = {}
    for (side, condition), key in cells.items():
        if key not in found:
            wanted.setdefault(side, []).append(condition)
    return wanted
