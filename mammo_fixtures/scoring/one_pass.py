"""One pass over a cohort: every missing score is computed once, by whichever process comes first."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mammo_fixtures.classifiers import Classifier
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Breast, Cohort, Exam, View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.perturbations.universal import UNIVERSAL, fold_of
from mammo_fixtures.scoring.keys import file_digest, pixels_digest, score_key
from mammo_fixtures.scoring.leases import leases
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.preparation import Preparation
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable, check_strata
from mammo_fixtures.scoring.signs import signs_of
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.sweep import Sweep

CHUNK_EXAMS = 4
_POLL_SECONDS = 0.2

Cells = dict[tuple[str, Condition], bytes]
"""Store keys of an exam by side and condition."""


def score(
    cohort: Cohort,
    classifier: Classifier,
    plan: Mapping[str, Sequence[float] | float],
    *,
    seed: int = 0,
    device: str = "auto",
    precision: str = "fp32",
    batch_size: int | None = None,
    store: str | Path | None = None,
) -> ScoreTable:
    """Scores of a cohort, clean and under each perturbation of the plan: `{"lowpass": (0.5, 1.0)}`.

    With a `store` file, scores that it holds are not computed again.
    """
    conditions = [
        Condition(name, PERTURBATIONS[name].check(severity))
        for name, severities in plan.items()
        for severity in ([severities] if isinstance(severities, (int, float)) else severities)
    ]
    with tempfile.TemporaryDirectory() as folder:
        opened = Store(Path(folder, "scores.sqlite") if store is None else Path(store))
        try:
            sweep = Sweep(
                inference=Inference(classifier, device=device, precision=precision), seed=seed, batch_size=batch_size
            )
            return Pass(cohort=cohort, sweep=sweep, conditions=conditions, store=opened).run()
        finally:
            opened.close()


@dataclass(slots=True, kw_only=True, eq=False)
class Pass:
    """A cohort under conditions, with what this process knows of it so far."""

    cohort: Cohort
    sweep: Sweep
    conditions: Sequence[Condition]
    store: Store
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    """The same for all processes that share the pass."""
    fingerprint: str = ""
    """The classifier's, or where it has none, a text that only this run uses."""
    progress: Callable[[int, int, int], None] = lambda cells, computed, found: None
    """Told the cells in all, computed and found, whenever a chunk is done or waited for."""
    decoded: int = 0
    """Views this process has decoded."""
    _pixels: dict[ViewSource, bytes] = field(default_factory=dict)
    _needs: Needs = field(init=False)

    def __post_init__(self) -> None:
        self.conditions = [CLEAN, *(c for c in dict.fromkeys(self.conditions) if c != CLEAN)]
        check_strata((name for breast in self.cohort.breasts for name in breast.strata), self.cohort.source)
        if not self.fingerprint:
            self.fingerprint = fingerprint(self.sweep.inference.classifier) or f"unkept {self.name}"
        self._needs = Needs(cohort=self.cohort, classifier=self.sweep.inference.classifier, seed=self.sweep.seed)
        self.sweep.needs = self._needs

    def run(self) -> ScoreTable:
        """Share the chunks with whoever else runs this pass, then read the merged scores."""
        exams = self.cohort.exams
        chunks = [exams[start : start + CHUNK_EXAMS] for start in range(0, len(exams), CHUNK_EXAMS)]
        owner = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._recall()
        self._prepare(owner)
        cells = sum(self._needs.met(b, c.perturbation) for b in self.cohort.breasts for c in self.conditions)
        self.store.begin(self.name, chunks=len(chunks), cells=cells)
        with leases(self.store, self.name, owner):
            while True:
                number = self.store.claim(self.name, owner)
                if number is not None:
                    for exam in chunks[number]:
                        self._exam(exam)
                    self.store.finish(self.name, number)
                elif not self.store.unfinished(self.name):
                    break
                else:
                    time.sleep(_POLL_SECONDS)
                self._tell()
        return self._table()

    def _tell(self) -> None:
        state = self.store.progress(self.name)
        if state is not None:
            self.progress(*state)

    def _prepare(self, owner: str) -> None:
        Preparation(
            needs=self._needs,
            sweep=self.sweep,
            store=self.store,
            pass_name=self.name,
            owner=owner,
            fingerprint=self.fingerprint,
            read=self._read,
            digest=lambda source: self._pixels_of(source, self._read),
        ).make({c.perturbation for c in self.conditions if c != CLEAN})

    def _recall(self) -> None:
        """Take from the store what it knows of the files' pixels, so that they need not be decoded for their keys."""
        sources = (source for exam in self.cohort for source in exam.views if source not in self._pixels)
        files = {source: file_digest(source) for source in sources}
        known = self.store.pixels_of([digest for digest in files.values() if digest is not None])
        self._pixels.update({source: known[digest] for source, digest in files.items() if digest in known})

    def _reader(self) -> Callable[[ViewSource], View]:
        """Opens each view once, for as long as an exam is worked on."""
        opened: dict[ViewSource, View] = {}

        def read(source: ViewSource) -> View:
            if source not in opened:
                opened[source] = self._read(source)
            return opened[source]

        return read

    def _read(self, source: ViewSource) -> View:
        self.decoded += 1
        return source.read()

    def _exam(self, exam: Exam) -> None:
        """Compute what the store does not have of an exam's scores, and keep it there."""
        read = self._reader()
        cells = self._cells(exam, read)
        found = self.store.scores(list(cells.values()))
        wanted: dict[str, list[Condition]] = {}
        for (side, condition), key in cells.items():
            if key not in found:
                wanted.setdefault(side, []).append(condition)
        computed: dict[bytes, float] = {}
        if wanted:
            scores = self.sweep.exam(exam, wanted, read)
            computed = {cells[cell]: value for cell, value in scores.items()}
        self.store.keep(computed.items(), pass_name=self.name, found=len(cells) - len(computed))

    def _cells(self, exam: Exam, read: Callable[[ViewSource], View]) -> Cells:
        cells: Cells = {}
        for breast in exam.breasts:
            unit = [self._pixels_of(source, read) for source in self.sweep.unit(exam, breast)]
            for condition in self.conditions:
                if not self._needs.met(breast, condition.perturbation):
                    continue
                cells[breast.side, condition] = score_key(
                    unit,
                    breast.side,
                    exam.exam_id,
                    condition,
                    seed=self.sweep.seed,
                    classifier=self.fingerprint,
                    precision=self.sweep.inference.precision,
                    also=self._also(exam, breast, condition),
                )
        return cells

    def _also(self, exam: Exam, breast: Breast, condition: Condition) -> bytes:
        """What decides a score beside views, condition and classifier."""
        if condition == CLEAN or PERTURBATIONS[condition.perturbation].needs != "gradient":
            return b""
        if condition.perturbation == UNIVERSAL.name:
            assert self.sweep.fields is not None
            return self.sweep.fields.digest + str(fold_of(exam.exam_id, self.sweep.fields.seed)).encode()
        return repr(sorted(signs_of(exam, breast, condition.perturbation, self._needs).items())).encode()

    def _pixels_of(self, source: ViewSource, read: Callable[[ViewSource], View]) -> bytes:
        known = self._pixels.get(source)
        if known is None:
            known = pixels_digest(read(source))
            self._pixels[source] = known
            file = file_digest(source)
            if file is not None:
                self.store.remember_files([(file, known)])
        return known

    def _table(self) -> ScoreTable:
        self._recall()
        breasts = self.cohort.breasts
        scores = np.full((len(self.conditions), len(breasts), 1), np.nan)
        row = 0
        for exam in self.cohort:
            cells = self._cells(exam, self._reader())
            known = self.store.scores(list(cells.values()))
            if len(known) < len(cells):
                # A row was damaged or deleted since its chunk was done.
                self._exam(exam)
                known = self.store.scores(list(cells.values()))
            for breast in exam.breasts:
                scores[:, row, 0] = [
                    known[cells[breast.side, condition]] if (breast.side, condition) in cells else np.nan
                    for condition in self.conditions
                ]
                row += 1
        strata = dict.fromkeys(name for breast in breasts for name in breast.strata)
        label = {True: 1, False: 0, None: -1}
        return ScoreTable(
            conditions=tuple(self.conditions),
            readers=(self.sweep.inference.classifier.name or "classifier",),
            scores=scores,
            exam_id=np.array([breast.exam_id for breast in breasts], dtype=np.str_),
            side=np.array([breast.side for breast in breasts], dtype=np.str_),
            malignant=np.array([label[breast.malignant] for breast in breasts], dtype=np.int8),
            subgroup=np.array([breast.subgroup for breast in breasts], dtype=np.str_),
            patient_id=np.array([breast.patient_id for breast in breasts], dtype=np.str_),
            strata={
                name: np.array([breast.strata.get(name, "") for breast in breasts], dtype=np.str_) for name in strata
            },
            source=self.cohort.source or self.cohort.name,
            unmet={
                name: said
                for name in dict.fromkeys(c.perturbation for c in self.conditions[1:])
                if (said := self._needs.said(name))
            },
        )
