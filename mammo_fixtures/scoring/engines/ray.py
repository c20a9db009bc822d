"""A Ray cluster: exams travel to actors that hold the classifier, scores come back into the store of this machine."""

from __future__ import annotations

import math
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mammo_fixtures.classifiers import Classifier
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Exam
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.agreement import check_same, told_by_scores
from mammo_fixtures.scoring.engines.engine import CHUNK_EXAMS, Work
from mammo_fixtures.scoring.engines.ray_actor import Chunk, ChunkScorer, Scored, Setup
from mammo_fixtures.scoring.engines.ray_session import connected, is_of_the_cluster
from mammo_fixtures.scoring.keys import UNKEPT
from mammo_fixtures.scoring.pipeline import readers_beside
from mammo_fixtures.scoring.score_table import CLEAN

CHUNKS_AT_MOST = 20_000
"""Ray plans each chunk; of a larger cohort they hold more exams."""
FAILURES_IN_A_ROW = 3
"""So often the cluster may fail without a single chunk done between."""
SILENT_SECONDS = 6 * 3600.0
"""A cluster that gives no chunk for so long is taken to be stuck."""
_BREATH_SECONDS = 2.0
"""Until Ray has noticed that a node is gone."""


@dataclass(slots=True, kw_only=True, eq=False)
class RayEngine:
    """Scores on the GPUs of a cluster, one actor each; on its CPU cores where it has none."""

    load: Callable[[], Classifier]
    """Gives the classifier; called once in each actor, and must be importable there."""
    address: str = ""
    """`auto` or host:port; empty starts a Ray on this machine."""
    device: str = "auto"
    """`auto`, `cpu` or `cuda`; settled once the cluster was asked, so that a pass never goes on on another one."""
    timeout_seconds: float | None = None
    """For one call of the classifier in an actor; None for as long as it takes."""
    ran_on: str = field(default="", init=False)
    """What the last pass was scored on; empty where the store had everything."""

    def __post_init__(self) -> None:
        if self.device not in ("auto", "cpu", "cuda"):
            raise UnusableInput(
                f"device must be auto, cpu or cuda where Ray gives each actor its GPU, got {self.device!r}"
            )

    def device_type(self, own: str) -> str:
        """GPUs of a cluster that has any; of a Ray that is yet to be started here, what this process would take."""
        if self.device == "auto" and self.address:
            with connected(self.address) as ray:
                self.device = "cuda" if ray.cluster_resources().get("GPU", 0) else "cpu"
        elif self.device == "auto":
            self.device = own
        return self.device

    def run(self, work: Work) -> None:
        """Score what the store does not have; writes each chunk as it comes, so a killed run keeps what it has."""
        work.store.begin(work.name, chunks=0, cells=work.cells)
        left = {chunk.number: chunk for chunk in missing(work)}
        work.tell()
        if not left:
            return
        with connected(self.address) as ray:
            failures = 0
            while left:
                before = len(left)
                try:
                    for scored in self._results(ray, work, left):
                        keep(work, left.pop(scored.number), scored)
                except Exception as error:
                    if not is_of_the_cluster(error, ray):
                        raise
                    failures = failures + 1 if len(left) == before else 1
                    if failures == FAILURES_IN_A_ROW:
                        raise _given_up(error, len(left)) from error
                    time.sleep(_BREATH_SECONDS)

    def _results(self, ray: Any, work: Work, left: Mapping[int, Chunk]) -> Iterator[Scored]:
        """One Ray Data pipeline over the chunks that are left.

        An actor is not restarted: its chunk would wait for the resources of a node that is gone. The pipeline fails
        instead, and the next one is made of what there is.
        """
        device = work.pipeline.keys.device
        actors = self._pool(ray, device, len(left))
        self.ran_on = f"{device} × {actors} (Ray)"
        setup = setup_of(work, self.load, device, self.timeout_seconds)
        if device == "cuda":
            has = ray.cluster_resources()
            setup = replace(setup, decoders=readers_beside(int(has.get("CPU", 0)) // int(has["GPU"])))
        data = ray.data.from_items(
            [{"chunk": pickle.dumps(chunk)} for chunk in left.values()], override_num_blocks=len(left)
        )
        data.context.execution_no_progress_timeout_s = SILENT_SECONDS
        rows = data.map(
            ChunkScorer,
            fn_constructor_kwargs={"setup": setup},
            concurrency=actors,
            max_restarts=0,
            **({"num_gpus": 1} if device == "cuda" else {"num_cpus": 1}),
        ).iter_rows()
        for row in rows:
            yield pickle.loads(row["scored"])

    def actors(self, device: str) -> int:
        """How many would score a large pass on such a device; asks the cluster, or starts a Ray to ask it."""
        with connected(self.address) as ray:
            return self._pool(ray, device, sys.maxsize)

    def _pool(self, ray: Any, device: str, chunks: int) -> int:
        """How many actors there can be."""
        has = ray.cluster_resources()
        gpus, cpus = int(has.get("GPU", 0)), int(has.get("CPU", 0))
        actors = gpus if device == "cuda" else cpus
        if not actors:
            raise UnusableInput(
                f"the Ray cluster must have a {'GPU' if device == 'cuda' else 'CPU core'} for the classifier, got "
                f"{len([node for node in ray.nodes() if node['Alive']])} nodes with none; add nodes, or choose "
                f"another --mammo-device="
            )
        return min(actors, chunks)


def setup_of(work: Work, load: Callable[[], Classifier], device: str, timeout_seconds: float | None = None) -> Setup:
    """What actors on a device must know of a pass."""
    keys, sweep = work.pipeline.keys, work.pipeline.sweep
    subsets = {PERTURBATIONS[c.perturbation].subset for c in keys.conditions if c != CLEAN} - {0}
    return Setup(
        load=load,
        device=device,
        precision=sweep.inference.precision,
        speed=tuple(sweep.inference.speed),
        batch_size=sweep.batch_size,
        seed=sweep.seed,
        timeout_seconds=timeout_seconds,
        conditions=tuple(keys.conditions),
        fingerprint=keys.fingerprint,
        checked=not keys.fingerprint.startswith(UNKEPT),
        fields=sweep.fields,
        refused=keys.needs.refused,
        first=work.cohort.exams[0] if told_by_scores(sweep.inference.classifier, keys.fingerprint) else None,
        chosen={count: keys.needs.chosen(count) for count in subsets},
        paths=tuple(sys.path),
    )


def missing(work: Work) -> Iterator[Chunk]:
    """Chunks of the exams that the store has not all scores of, or cannot tell without decoding."""
    keys, found = work.pipeline.keys, 0
    wanted: list[tuple[Exam, frozenset[bytes]]] = []
    for exam in work.cohort:
        known: frozenset[bytes] = frozenset()
        if keys.known(exam):
            cells = keys.of(exam, work.pipeline.open)
            known = frozenset(work.store.scores(list(cells.values())))
            if len(known) == len(set(cells.values())):
                found += len(cells)
                continue
        wanted.append((exam, known))
    work.store.keep((), pass_name=work.name, found=found)
    size = chunk_exams(len(wanted))
    for number, start in enumerate(range(0, len(wanted), size)):
        some = wanted[start : start + size]
        yield Chunk(
            number=number,
            exams=tuple(exam for exam, _ in some),
            pixels={s: keys.pixels[s] for exam, _ in some for s in exam.views if s in keys.pixels},
            known=frozenset().union(*(known for _, known in some)),
        )


def chunk_exams(exams: int) -> int:
    """How many exams a chunk of a cohort holds."""
    return max(CHUNK_EXAMS, math.ceil(exams / CHUNKS_AT_MOST))


def keep(work: Work, chunk: Chunk, scored: Scored) -> None:
    """Write what came of a chunk. Raises UnusableInput where its input could not be used."""
    if scored.refusal:
        raise UnusableInput(scored.refusal)
    if scored.fault:
        raise RuntimeError(scored.fault)
    work.loaded = work.loaded or dict(scored.identity)
    check_same(work.pipeline.sweep.inference.classifier.name, scored.identity, work.loaded, "Ray actor")
    for rows in scored.rows:
        work.keep(rows)
    for exam, digests in zip(chunk.exams, scored.digests, strict=True):
        work.pipeline.keys.pixels.update(
            {source: digest for source, digest in zip(exam.views, digests, strict=True) if digest is not None}
        )
    work.pipeline.sweep.flags.update(scored.flags)
    work.pipeline.sweep.batches.said = scored.said or work.pipeline.sweep.batches.said
    work.pipeline.decoded += scored.decoded
    work.tell()


def _given_up(error: Exception, chunks: int) -> UnusableInput:
    said = next((line for line in str(error).splitlines() if line.strip()), "")
    return UnusableInput(
        f"the Ray cluster must do one of {chunks} chunks in {FAILURES_IN_A_ROW} tries, got {type(error).__name__}: "
        f"{said}; look at `ray status`, then run again: the store has what was scored"
    )
