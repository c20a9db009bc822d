"""Store keys of an exam's scores, and what a process knows of its files' pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from mammo_fixtures.exams import Breast, Exam, View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.perturbations.universal import UNIVERSAL, fold_of
from mammo_fixtures.scoring.keys import file_digest, pixels_digest, score_key
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.score_table import CLEAN, Condition
from mammo_fixtures.scoring.signs import signs_of
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.sweep import Sweep

Cells = dict[tuple[str, Condition], bytes]
"""Store keys of an exam by side and condition."""

Read = Callable[[ViewSource], View]


@dataclass(slots=True, kw_only=True, eq=False)
class CellKeys:
    """Keys of whatever a pass scores."""

    sweep: Sweep
    needs: Needs
    conditions: Sequence[Condition]
    fingerprint: str
    device: str = ""
    """Type of the device that scores are made on; empty: this process's own."""
    pixels: dict[ViewSource, bytes] = field(default_factory=dict)
    """Pixel digests of the views whose file is known, or that were decoded."""

    def __post_init__(self) -> None:
        self.device = self.device or self.sweep.inference.device.type

    def recall(self, store: Store, exams: Iterable[Exam]) -> None:
        """Take from a store what it knows of the files' pixels, so that they need not be decoded for their keys."""
        sources = (source for exam in exams for source in exam.views if source not in self.pixels)
        files = {source: file_digest(source) for source in sources}
        known = store.pixels_of([digest for digest in files.values() if digest is not None])
        self.pixels.update({source: known[digest] for source, digest in files.items() if digest in known})

    def known(self, exam: Exam) -> bool:
        """Whether the keys can be told without decoding a view."""
        return all(source in self.pixels for breast in exam.breasts for source in self.sweep.unit(exam, breast))

    def pixels_of(self, source: ViewSource, read: Read) -> bytes:
        if source not in self.pixels:
            view = read(source)
            # Reading it may have told.
            self.pixels[source] = self.pixels.get(source) or pixels_digest(view)
        return self.pixels[source]

    def cells(self, exam: Exam) -> dict[str, list[Condition]]:
        """Conditions that each side is scored under."""
        return {b.side: [c for c in self.conditions if self.needs.met(b, c.perturbation)] for b in exam.breasts}

    def of(self, exam: Exam, read: Read) -> Cells:
        """Keys of all scores of an exam; `read` opens a view whose pixels are not known."""
        cells: Cells = {}
        asked = self.cells(exam)
        for breast in exam.breasts:
            unit = [self.pixels_of(source, read) for source in self.sweep.unit(exam, breast)]
            for condition in asked[breast.side]:
                cells[breast.side, condition] = score_key(
                    unit,
                    breast.side,
                    exam.exam_id,
                    condition,
                    seed=self.sweep.seed,
                    classifier=self.fingerprint,
                    precision=self.sweep.inference.arithmetic,
                    device=self.device,
                    also=self._also(exam, breast, condition),
                )
        return cells

    def notes_of(self, exam: Exam) -> dict[tuple[str, str, Condition, str], bytes]:
        """Keys of the numbers that are noted of an exam's views, by side, position, condition and name."""
        noting = {c: PERTURBATIONS[c.perturbation].notes for c in self.conditions if c != CLEAN}
        return {
            (source.side, source.position, condition, name): score_key(
                [self.pixels[source]],
                f"note {source.side} {source.position} {name}",
                exam.exam_id,
                condition,
                seed=self.sweep.seed,
                classifier=self.fingerprint,
                precision=self.sweep.inference.precision,
                device=self.device,
            )
            for breast in exam.breasts
            for source in self.sweep.unit(exam, breast)
            if source in self.pixels
            for condition, notes in noting.items()
            for name in notes
            if self.needs.met(breast, condition.perturbation)
        }

    def _also(self, exam: Exam, breast: Breast, condition: Condition) -> bytes:
        """What decides a score beside views, condition and classifier."""
        if condition == CLEAN or PERTURBATIONS[condition.perturbation].needs != "gradient":
            return b""
        if condition.perturbation == UNIVERSAL.name:
            assert self.sweep.fields is not None
            return self.sweep.fields.digest + str(fold_of(exam.exam_id, self.sweep.fields.seed)).encode()
        return repr(sorted(signs_of(exam, breast, condition.perturbation, self.needs).items())).encode()
