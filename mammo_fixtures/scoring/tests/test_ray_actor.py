"""What an actor of Ray does, without Ray: chunks travel as bytes and give the rows that this process would."""

from __future__ import annotations

import functools
import itertools
import pickle
import re
import time
from dataclasses import replace

import numpy as np
import pytest

from mammo_fixtures import read_cohort
from mammo_fixtures.classifiers import load_classifier
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Cohort
from mammo_fixtures.scoring import Condition
from mammo_fixtures.scoring.engines import ray_actor
from mammo_fixtures.scoring.engines.engine import CHUNK_EXAMS
from mammo_fixtures.scoring.engines.ray import RayEngine, chunk_exams, keep, missing, setup_of
from mammo_fixtures.scoring.engines.ray_actor import ChunkScorer
from mammo_fixtures.scoring.engines.ray_session import check_address, check_installed
from mammo_fixtures.scoring.tests import tiny_cohort
from mammo_fixtures.scoring.tests.comparing import same
from mammo_fixtures.scoring.tests.tiny_cohort import (
    CONDITIONS,
    FourViews,
    Pattern,
    in_memory,
    on_disk,
    view_level,
)

GRADIENT = {"fgsm": (1.0,), "universal": (4.0,)}


class InThisProcess:
    """An engine that sends every chunk to one actor, through pickle, as Ray would."""

    def __init__(self, load=view_level, actor=ChunkScorer, timeout_seconds=None):
        self.load = load
        self.actor = actor
        self.timeout_seconds = timeout_seconds
        self.chunks = 0

    def device_type(self, own):
        return own

    def run(self, work):
        work.store.begin(work.name, chunks=0, cells=work.cells)
        chunks = list(missing(work))
        self.chunks += len(chunks)
        scorer = self.actor(pickle.loads(pickle.dumps(setup_of(work, self.load, "cpu", self.timeout_seconds))))
        for chunk in chunks:
            row = scorer({"chunk": pickle.dumps(chunk)})
            keep(work, chunk, pickle.loads(row["scored"]))


class Hanging(Pattern):
    """Answers three times."""

    def forward(self, batch):
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls > 3:
            time.sleep(3600)
        return super().forward(batch)


def hanging():
    return replace(view_level(), network=Hanging(), name="hanging")


def test_a_network_that_hangs_ends_in_time_and_says_where(tmp_path, run):
    began = time.monotonic()
    with pytest.raises(UnusableInput) as refused:
        run(read_cohort(on_disk(tmp_path, 2)), classifier=hanging(), engine=InThisProcess(hanging, timeout_seconds=0.5))
    assert re.fullmatch(
        r"classifier hanging: an answer must come within 0\.5 s, none came for exam \S+, [LR]-CC, .*; look at the "
        r"network there, or give it longer: --mammo-timeout=SECONDS \(Ray node .*\)",
        str(refused.value),
    )
    assert time.monotonic() - began < 60


def test_within_its_time_a_network_gives_the_same_table(tmp_path, run):
    manifest = on_disk(tmp_path, 3)
    first, _, _ = run(read_cohort(manifest), engine=InThisProcess(timeout_seconds=600.0))
    run.store.rename(tmp_path / "other.sqlite")
    assert same(first, run(read_cohort(manifest))[0])


def exam_level():
    return tiny_cohort.Classifier(
        FourViews(), name="four", level="exam", views=("L-CC", "L-MLO", "R-CC", "R-MLO"), score="probability"
    )


def test_same_table_and_what_the_store_has_does_not_travel(tmp_path, run):
    manifest = on_disk(tmp_path, 10)
    engine = InThisProcess()
    first, images, decoded = run(read_cohort(manifest), engine=engine)
    assert (images, decoded, engine.chunks) == (20 * CONDITIONS, 20, -(-10 // CHUNK_EXAMS))
    run.store.rename(tmp_path / "other.sqlite")
    local, _, _ = run(read_cohort(manifest))
    assert same(first, local)
    again = InThisProcess()
    table, images, decoded = run(read_cohort(manifest), engine=again)
    assert (images, decoded, again.chunks) == (0, 0, 0)
    assert same(table, first)


def test_a_subset_then_the_whole_computes_what_is_missing(tmp_path, run):
    manifest = on_disk(tmp_path)
    run(read_cohort(manifest), {"lowpass": (4.0,)})
    whole, images, _ = run(read_cohort(manifest), engine=InThisProcess())
    assert images == 6 * (CONDITIONS - 2)
    run.store.unlink()
    assert same(whole, run(read_cohort(manifest))[0])


@pytest.mark.parametrize("load", [view_level, exam_level])
def test_what_the_whole_cohort_decides_travels(load, run):
    """Chosen breasts, fitted fields, refusals and exam level: an actor sees its chunk alone."""
    cohort = in_memory(5)
    plan = {**GRADIENT, "view_swap": (1.0,), "lowpass": (4.0,)}
    first, _, _ = run(cohort, plan, load(), engine=InThisProcess(load))
    run.store.unlink()
    local, _, _ = run(cohort, plan, load())
    assert np.isfinite(first.scores[first.conditions.index(Condition("universal", 4.0))]).any()
    np.testing.assert_array_equal(first.scores, local.scores)


def with_blanks():
    return replace(exam_level(), missing_views="blank")


def test_views_that_an_exam_has_not_are_known_in_its_chunk(run):
    """Which views can change places is decided by each exam: two of five have no MLO."""
    cohort = in_memory(5)
    short = in_memory(5, positions=("CC",))
    exams = tuple((short if number in (1, 3) else cohort).exams[number] for number in range(5))
    cohort = Cohort(name="tiny", exams=exams)
    plan = {"view_swap": (1.0,), "missing_view": (1.0,)}
    first, _, _ = run(cohort, plan, with_blanks(), engine=InThisProcess(with_blanks))
    run.store.unlink()
    np.testing.assert_array_equal(first.scores, run(cohort, plan, with_blanks())[0].scores)


def test_flags_come_back(tmp_path, run, monkeypatch):
    from mammo_fixtures.scoring.sweep import Sweep

    counted = []
    monkeypatch.setattr(
        Sweep, "exam", lambda self, exam, wanted, read: self.flags.update({("lowpass", 1.0, "odd"): 1}) or {}
    )
    engine = InThisProcess()
    original = engine.run
    engine.run = lambda work: (original(work), counted.append(dict(work.pipeline.sweep.flags)))
    with pytest.raises(UnusableInput, match="does not give back"):  # nothing was scored, so there is no table
        run(read_cohort(on_disk(tmp_path, 5)), {"lowpass": (1.0,)}, engine=engine)
    assert counted == [{("lowpass", 1.0, "odd"): 5}]


def other_weights():
    return view_level(Pattern(gain=2.0))


def broken():
    raise RuntimeError("no such weights")


@pytest.mark.parametrize(("load", "message"), [
    (other_weights, "^Ray node .*: classifier pattern: weights and code must be the same everywhere, but the "
     "classifier loaded here is another one than where the pass was started; install the same release$"),
    (functools.partial(load_classifier, "nowhere:load"),
     r"^Ray node .*: classifier nowhere:load: module 'nowhere' could not be imported"),
])  # fmt: skip
def test_a_classifier_that_cannot_be_used_there_is_one_line(load, message, run):
    with pytest.raises(UnusableInput, match=message):
        run(in_memory(1), engine=InThisProcess(load))


def test_another_version_is_one_line(run, monkeypatch):
    class OtherVersion(ChunkScorer):
        def __init__(self, setup):
            monkeypatch.setattr(ray_actor, "__version__", "9.9")
            super().__init__(setup)

    with pytest.raises(UnusableInput, match=r"mammo-robustness must be the same everywhere, got 9\.9 here and"):
        run(in_memory(1), engine=InThisProcess(actor=OtherVersion))


def test_a_fault_comes_back_with_its_traceback(run):
    with pytest.raises(RuntimeError, match=r"(?s)Traceback.*RuntimeError: no such weights"):
        run(in_memory(1), engine=InThisProcess(broken))


def test_an_unusable_exam_comes_back_as_its_line(tmp_path, run):
    cohort = read_cohort(on_disk(tmp_path, 2))
    (tmp_path / "1_L.png").unlink()
    with pytest.raises(UnusableInput, match=r"^exam 1, L-CC: the image must be a readable file"):
        run(cohort, engine=InThisProcess())


def test_a_large_cohort_makes_larger_chunks():
    assert {count: chunk_exams(count) for count in (10, 80_000, 80_001, 1_000_000)} == {
        10: 4,
        80_000: 4,
        80_001: 5,
        1_000_000: 50,
    }


@pytest.mark.parametrize("address", ["", "auto", "10.0.0.5:6379", "head.local:6379", "[::1]:6379"])
def test_addresses(address):
    try:
        check_address(address)
        refused = ""
    except UnusableInput as error:
        refused = str(error)
    assert not refused


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:port", ":6379", "http://head:8265"])
def test_other_addresses_are_refused(address):
    with pytest.raises(UnusableInput) as refused:
        check_address(address)
    assert str(refused.value) == (
        "the address of a Ray cluster must be auto or its head node's host:port, such as 10.0.0.5:6379, "
        f"got {address!r}; leave it out to start Ray on this machine"
    )


def test_without_ray_one_line_says_what_to_install(monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ray" else real("json"))
    with pytest.raises(UnusableInput) as refused:
        check_installed()
    assert str(refused.value) == (
        "--mammo-engine=ray needs Ray Data, ray missing; pip install 'mammo-robustness[ray]', or use "
        "--mammo-engine=local"
    )


def test_a_numbered_gpu_is_refused():
    with pytest.raises(
        UnusableInput, match="device must be auto, cpu or cuda where Ray gives each actor its GPU, got 'cuda:1'"
    ):
        RayEngine(load=view_level, device="cuda:1")


class TwoActors(InThisProcess):
    """Chunks in turn to two actors, each with a classifier that it loaded itself."""

    def run(self, work):
        work.store.begin(work.name, chunks=0, cells=work.cells)
        setup = setup_of(work, self.load, "cpu")
        scorers = [ChunkScorer(setup) for _ in range(2)]
        for chunk in missing(work):
            keep(work, chunk, scorers[chunk.number % 2].scored(chunk))


def drifting():
    """Other weights each time, which no fingerprint tells."""
    network = Pattern(1 + 0.5 * next(gains))
    return tiny_cohort.Classifier(lambda batch: network(batch), name="drifting")


gains = itertools.count()


def test_actors_that_loaded_other_weights_are_told(tmp_path, run):
    with pytest.raises(
        UnusableInput, match=r"^classifier drifting: every Ray actor must load the same one, .* for exam"
    ):
        run(read_cohort(on_disk(tmp_path, 10)), classifier=drifting(), engine=TwoActors(drifting))
