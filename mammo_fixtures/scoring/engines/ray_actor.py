"""What runs in an actor of Ray, on whatever machine: a classifier loaded once, and chunks of exams scored with it."""

from __future__ import annotations

import pickle
import platform
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mammo_fixtures import __version__
from mammo_fixtures.classifiers import Classifier
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Cohort, Exam
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations.universal import UniversalFields
from mammo_fixtures.scoring.agreement import identity
from mammo_fixtures.scoring.cell_keys import CellKeys
from mammo_fixtures.scoring.needs import Needs, Side
from mammo_fixtures.scoring.pipeline import ExamRows, Pipeline
from mammo_fixtures.scoring.readers import Readers
from mammo_fixtures.scoring.score_table import Condition
from mammo_fixtures.scoring.shared_memory import possible
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.uploads import pinned
from mammo_fixtures.scoring.watch import Limited, unwatched


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setup:
    """Everything that an actor must know before its first chunk, as plain data."""

    load: Callable[[], Classifier]
    """Called once in each actor; must be importable there."""
    device: str
    precision: str
    speed: tuple[str, ...]
    batch_size: int | None
    seed: int
    timeout_seconds: float | None
    """For one call of the classifier; None for as long as it takes."""
    conditions: tuple[Condition, ...]
    fingerprint: str
    """What the classifier's scores are kept under."""
    checked: bool
    """Whether that is the fingerprint of weights and code, which the loaded classifier must have too."""
    fields: UniversalFields | None
    refused: Mapping[str, str]
    chosen: Mapping[int, frozenset[Side]]
    """What the whole cohort decides, which no actor sees: as in `Needs`."""
    first: Exam | None = None
    """What actors tell by that they loaded the same classifier, where its fingerprint does not."""
    decoders: int | None = None
    """Readers of an actor that drives a GPU."""
    paths: tuple[str, ...] = ()
    """Where modules are looked for last, the driver's `sys.path`."""
    version: str = __version__


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunk:
    """Exams to be scored one after the other."""

    number: int
    exams: tuple[Exam, ...]
    pixels: Mapping[ViewSource, bytes] = field(default_factory=dict)
    """Pixel digests that the store knows."""
    known: frozenset[bytes] = frozenset()
    """Keys of scores that the store has."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """What came of a chunk."""

    number: int
    rows: tuple[ExamRows, ...] = ()
    digests: tuple[tuple[bytes | None, ...], ...] = ()
    """Of the pixels of each exam's views."""
    flags: Counter[tuple[str, float, str]] = field(default_factory=Counter)
    decoded: int = 0
    identity: Mapping[str, float] = field(default_factory=dict)
    """Of the classifier that the actor loaded."""
    said: str = ""
    """What a reader must know of batches that did not fit."""
    refusal: str = ""
    """Why there are no scores, in one line."""
    fault: str = ""
    """An exception that is nobody's input, with its traceback."""


class ChunkScorer:
    """Scores chunks with a classifier that is loaded when the actor starts. Faults come back as data."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._pipeline: Pipeline | None = None
        self._said: dict[str, str] = {}
        self._identity: dict[str, float] = {}
        try:
            self._pipeline = _pipeline(setup)
            if setup.first is not None:
                sweep = self._pipeline.sweep
                self._identity = identity(sweep.inference.classifier, "", sweep, setup.first)
        except UnusableInput as error:
            self._said = {"refusal": f"Ray node {platform.node()}: {error}"}
        except Exception:
            self._said = {"fault": traceback.format_exc()}

    def __call__(self, row: Mapping[str, Any]) -> dict[str, bytes]:
        """A row of Ray Data with a pickled chunk becomes one with what came of it."""
        return {"scored": pickle.dumps(self.scored(pickle.loads(row["chunk"])))}

    def scored(self, chunk: Chunk) -> Scored:
        """Rows of every exam of the chunk."""
        if self._pipeline is None:
            return Scored(number=chunk.number, **self._said)  # type: ignore[arg-type]
        try:
            return replace(_scored(self._pipeline, self._setup, chunk), identity=self._identity)
        except UnusableInput as error:
            return Scored(number=chunk.number, refusal=f"{error} (Ray node {platform.node()})")
        except Exception:
            return Scored(number=chunk.number, fault=f"Ray node {platform.node()}: {traceback.format_exc()}")


def _pipeline(setup: Setup) -> Pipeline:
    if setup.version != __version__:
        raise UnusableInput(
            f"mammo-robustness must be the same everywhere, got {__version__} here and {setup.version} where the pass "
            "was started; install one version"
        )
    sys.path.extend(path for path in setup.paths if path not in sys.path)
    classifier = setup.load()
    if setup.checked and fingerprint(classifier) != setup.fingerprint:
        raise UnusableInput(
            f"classifier {classifier.name}: weights and code must be the same everywhere, but the classifier loaded "
            "here is another one than where the pass was started; install the same release"
        )
    needs = _needs(setup, classifier, ())
    sweep = Sweep(
        inference=Inference(classifier, device=setup.device, precision=setup.precision, speed=setup.speed),
        seed=setup.seed,
        batch_size=setup.batch_size,
        needs=needs,
        fields=setup.fields,
        watch=unwatched if setup.timeout_seconds is None else Limited(setup.timeout_seconds, classifier.name),
    )
    keys = CellKeys(sweep=sweep, needs=needs, conditions=setup.conditions, fingerprint=setup.fingerprint)
    # An actor's chunks are short: their readers go on from one to the next, and end with the actor.
    readers = Readers(pinned) if sweep.uploads is not None and possible() else None
    return Pipeline(keys=keys, decoders=setup.decoders, readers=readers)


def _needs(setup: Setup, classifier: Classifier, exams: tuple[Exam, ...]) -> Needs:
    """Of exams whose cohort is elsewhere."""
    return Needs(
        cohort=Cohort(name="", exams=exams),
        classifier=classifier,
        seed=setup.seed,
        refused=dict(setup.refused),
        _chosen=dict(setup.chosen),
    )


def _scored(pipeline: Pipeline, setup: Setup, chunk: Chunk) -> Scored:
    sweep, pixels, before = pipeline.sweep, pipeline.keys.pixels, pipeline.decoded
    sweep.needs = pipeline.keys.needs = _needs(setup, sweep.inference.classifier, chunk.exams)
    pixels.clear()
    pixels.update(chunk.pixels)
    sweep.flags.clear()

    def look_up(keys: Sequence[bytes]) -> dict[bytes, float]:
        # The store is not here; what it has needs no score, so that any number stands for one.
        return dict.fromkeys(chunk.known.intersection(keys), 0.0)

    rows: list[ExamRows] = []
    pipeline.run(chunk.exams, look_up=look_up, keep=rows.append)
    return Scored(
        number=chunk.number,
        rows=tuple(rows),
        digests=tuple(tuple(pixels.get(source) for source in exam.views) for exam in chunk.exams),
        flags=Counter(sweep.flags),
        decoded=pipeline.decoded - before,
        said=sweep.batches.said,
    )
