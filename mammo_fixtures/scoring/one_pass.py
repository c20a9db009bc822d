"""One pass over a cohort: every missing score is computed once, by whichever process comes first."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path

import numpy as np

from mammo_fixtures.classifiers import Classifier
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.classifiers.speed import DEFAULT_SPEED
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Cohort, Exam
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.cell_keys import CellKeys, Cells
from mammo_fixtures.scoring.engines import Engine, Work
from mammo_fixtures.scoring.engines.local import LocalEngine
from mammo_fixtures.scoring.keys import UNKEPT
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.pipeline import Pipeline
from mammo_fixtures.scoring.preparation import Preparation
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable, check_strata
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.sweep import Sweep

_BEAT_SECONDS = 1.0


def score(
    cohort: Cohort,
    classifier: Classifier,
    plan: Mapping[str, Iterable[float] | float],
    *,
    seed: int = 0,
    device: str = "auto",
    precision: str = "fp32",
    batch_size: int | None = None,
    speed: Collection[str] = DEFAULT_SPEED,
    store: str | Path | None = None,
) -> ScoreTable:
    """Scores of a cohort, clean and under each perturbation of the plan: `{"lowpass": (0.5, 1.0)}`.

    With a `store` file, scores that it holds are not computed again.
    """
    _check_given(cohort, classifier)
    conditions = _planned(plan)
    with tempfile.TemporaryDirectory() as folder:
        opened = Store(Path(folder, "scores.sqlite") if store is None else Path(store))
        try:
            inference = Inference(classifier, device=device, precision=precision, speed=speed)
            sweep = Sweep(inference=inference, seed=seed, batch_size=batch_size)
            return Pass(cohort=cohort, sweep=sweep, conditions=conditions, store=opened).run()
        finally:
            opened.close()


def _check_given(cohort: object, classifier: object) -> None:
    """What a notebook gives in their place: a manifest's path, a network, a classifier's name."""
    if not isinstance(cohort, Cohort):
        raise UnusableInput(
            f"score: cohort must be a Cohort, got {type(cohort).__name__}; read_cohort('site.csv') gives one"
        )
    if not isinstance(classifier, Classifier):
        raise UnusableInput(
            f"score: classifier must be a Classifier, got {type(classifier).__name__}; Classifier(network, …) declares "
            "a network, load_classifier(name) loads one"
        )


def _planned(plan: Mapping[str, Iterable[float] | float]) -> list[Condition]:
    if not isinstance(plan, Mapping):
        raise UnusableInput(
            f"score: plan must be perturbations with their severities, got {type(plan).__name__}; "
            "an example: {'lowpass': (0.5, 1.0)}"
        )
    conditions = []
    for name, given in plan.items():
        record = PERTURBATIONS[name]
        severities = [given] if isinstance(given, (Real, str)) or not isinstance(given, Iterable) else list(given)
        for severity in severities:
            if not isinstance(severity, Real):
                raise UnusableInput(f"score: severities of {name} must be numbers, got {severity!r}; give them as such")
        checked = [record.check(float(severity)) for severity in severities]
        conditions += [Condition(part, severity) for part in PERTURBATIONS.parts(name) for severity in checked]
    return conditions


@dataclass(slots=True, kw_only=True, eq=False)
class Pass:
    """A cohort under conditions, with what this process knows of it so far."""

    cohort: Cohort
    sweep: Sweep
    conditions: Sequence[Condition]
    store: Store
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    """The same for all processes that share the pass."""
    owner: str = field(default_factory=lambda: f"{os.getpid()}-{uuid.uuid4().hex[:8]}")
    """This process, by a text that no other has."""
    fingerprint: str = ""
    """The classifier's, or where it has none, a text that only this run uses."""
    engine: Engine = field(default_factory=LocalEngine)
    progress: Callable[[int, int, int], None] = lambda cells, computed, found: None
    """Told the cells in all, computed and found, whenever a chunk is done or waited for, and at most each second."""
    fitting: Callable[[int, int], None] = lambda done, wanted: None
    """Told the gradients followed and wanted, where fields are fitted before the first exam."""
    needs: Needs = field(init=False)
    _pipeline: Pipeline = field(init=False)
    _told: float = field(default_factory=time.monotonic, init=False)
    """When progress was told last."""

    def __post_init__(self) -> None:
        self.conditions = [CLEAN, *(c for c in dict.fromkeys(self.conditions) if c != CLEAN)]
        check_strata((name for breast in self.cohort.breasts for name in breast.strata), self.cohort.source)
        if not self.fingerprint:
            self.fingerprint = fingerprint(self.sweep.inference.classifier) or f"{UNKEPT}{self.name}"
        self.needs = Needs(cohort=self.cohort, classifier=self.sweep.inference.classifier, seed=self.sweep.seed)
        self.sweep.needs = self.needs
        self.sweep.beat = self._beat
        keys = CellKeys(
            sweep=self.sweep,
            needs=self.needs,
            conditions=self.conditions,
            fingerprint=self.fingerprint,
            device=self.engine.device_type(self.sweep.inference.device.type),
        )
        self._pipeline = Pipeline(keys=keys)

    @property
    def decoded(self) -> int:
        """Views this process has decoded."""
        return self._pipeline.decoded

    @property
    def keys(self) -> CellKeys:
        return self._pipeline.keys

    @property
    def keeps(self) -> bool:
        """Whether another run can use the scores: the classifier has a fingerprint."""
        return not self.fingerprint.startswith(UNKEPT)

    @property
    def unmet(self) -> dict[str, str]:
        """What perturbations need that some breasts have not."""
        names = dict.fromkeys(c.perturbation for c in self.conditions[1:])
        return {name: said for name in names if (said := self.needs.said(name))}

    def run(self) -> ScoreTable:
        """Score what is missing, with whoever else runs this pass, then read the merged scores."""
        self.keys.recall(self.store, self.cohort)
        self._prepare()
        work = Work(
            name=self.name,
            owner=self.owner,
            cohort=self.cohort,
            pipeline=self._pipeline,
            store=self.store,
            cells=sum(self.needs.met(b, c.perturbation) for b in self.cohort.breasts for c in self.conditions),
            tell=self._tell,
        )
        self.engine.run(work)
        return self._table(work)

    def _tell(self) -> None:
        self._told = time.monotonic()
        state = self.store.progress(self.name)
        if state is not None:
            cells, computed, found = state
            self.progress(cells, min(cells - found, computed + int(self.sweep.under_way)), found)

    def _beat(self) -> None:
        """Between two exams, which may take long; asking the store after each of many fast batches would, too."""
        if time.monotonic() - self._told >= _BEAT_SECONDS:
            self._tell()

    @property
    def preparation(self) -> Preparation:
        """What is found out before the first exam."""
        keys, open_view = self.keys, self._pipeline.open
        return Preparation(
            needs=self.needs,
            sweep=self.sweep,
            store=self.store,
            pass_name=self.name,
            owner=self.owner,
            fingerprint=self.fingerprint,
            read=open_view,
            digest=lambda source: keys.pixels_of(source, open_view),
            known=keys.pixels,
            fitting=self.fitting,
        )

    def _prepare(self) -> None:
        self.preparation.make({c.perturbation for c in self.conditions if c != CLEAN})
        self.store.remember_files(self._pipeline.learned().items())

    def _mend(self, work: Work, exam: Exam) -> None:
        """Score what is missing of an exam, on a device of the kind that all others were scored on."""
        if self.keys.device != self.sweep.inference.device.type:
            self.engine.run(work)
            return
        work.pipeline.run(
            [exam],
            look_up=self.store.scores,
            keep=lambda rows: self.store.keep([*rows.notes.items(), *rows.scores.items()]),
        )

    def _known(self, exam: Exam) -> tuple[Cells, dict[bytes, float]]:
        cells = self.keys.of(exam, self._pipeline.open)
        return cells, self.store.scores(list(cells.values()))

    def _table(self, work: Work) -> ScoreTable:
        keys = self.keys
        keys.recall(self.store, self.cohort)
        breasts = self.cohort.breasts
        scores = np.full((len(self.conditions), len(breasts), 1), np.nan)
        notes: dict[Condition, dict[str, list[float]]] = {}
        row = 0
        for exam in self.cohort:
            cells, known = self._known(exam)
            if len(known) < len(cells):
                # A row was damaged or deleted since its chunk was done.
                self._mend(work, exam)
                cells, known = self._known(exam)
            if len(known) < len(cells):
                raise self.store.file.damaged("it does not give back what was just written into it")
            self.store.touch(list(known))
            for breast in exam.breasts:
                scores[:, row, 0] = [
                    known[cells[breast.side, condition]] if (breast.side, condition) in cells else np.nan
                    for condition in self.conditions
                ]
                row += 1
            note_keys = keys.notes_of(exam)
            noted = self.store.scores(list(note_keys.values()))
            for (_, _, condition, name), key in note_keys.items():
                if key in noted:
                    notes.setdefault(condition, {}).setdefault(name, []).append(noted[key])
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
            unmet=self.unmet,
            notes=notes,
        )
