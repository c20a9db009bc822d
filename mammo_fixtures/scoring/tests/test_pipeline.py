"""Views are decoded ahead of the device, in bounded number, and the table does not depend on it."""

import threading
import time

import pytest
import torch

from mammo_fixtures import UnusableInput, read_cohort, score
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.scoring import Condition, pipeline
from mammo_fixtures.scoring.one_pass import Pass
from mammo_fixtures.scoring.read_ahead import ReadAhead
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests.comparing import same
from mammo_fixtures.scoring.tests.tiny_cohort import CONDITIONS, PLAN, on_disk, view_level

SECONDS = 10


@pytest.fixture
def ahead():
    """Read-aheads over numbers, whose reading is noted."""
    made = []

    def make(*, threads=2, room=3, read=None):
        reads = []
        made.append(ReadAhead(read or (lambda source: reads.append(source) or -source), threads=threads, room=room))
        return made[-1], reads

    yield make
    for each in made:
        each.close()


def until(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_no_more_is_decoded_than_there_is_room_for(ahead):
    views, reads = ahead(room=3)
    views.plan(range(100))
    until(lambda: len(reads) == 3)
    time.sleep(0.02)
    assert sorted(reads) == [0, 1, 2]
    assert views.take(0) == 0
    until(lambda: len(reads) == 4)
    assert [views.take(number) for number in range(1, 100)] == [-number for number in range(1, 100)]
    assert sorted(reads) == list(range(100)), "each once"


def test_decoding_goes_on_while_a_view_is_scored(ahead):
    begun = threading.Event()

    def read(source):
        if source == 1:
            begun.set()
        return source

    views, _ = ahead(threads=1, read=read)
    views.plan([0, 1])
    views.take(0)
    assert begun.wait(SECONDS), "the second view is decoded before it is asked for"


def test_without_threads_nothing_is_decoded_ahead(ahead):
    views, reads = ahead(threads=0)
    views.plan([1, 2])
    assert not reads
    assert views.take(2) == -2
    assert reads == [2]


def test_what_nobody_takes_makes_room_again(ahead):
    views, reads = ahead(room=2)
    views.plan([1, 2, 3, 4])
    until(lambda: len(reads) == 2)
    views.forget([1, 2, 4])
    until(lambda: len(reads) == 3)
    assert views.take(3) == -3
    assert sorted(reads) == [1, 2, 3]


def test_what_was_decoded_and_is_not_taken_is_told():
    dropped = []
    views = ReadAhead(lambda source: -source, threads=2, room=2, unused=dropped.append)
    views.plan([1, 2, 3])
    views.forget([1])
    views.take(2)
    views.close()
    assert dropped in ([], [-1]), "unless it was forgotten before it was begun"


def test_a_view_that_cannot_be_decoded_is_told_where_it_is_taken(ahead):
    def read(source):
        if source == 2:
            raise UnusableInput("exam 2: cut short")
        return source

    views, _ = ahead(read=read)
    views.plan([1, 2, 3])
    assert views.take(1) == 1
    with pytest.raises(UnusableInput, match="exam 2: cut short"):
        views.take(2)
    assert views.take(3) == 3


@pytest.mark.parametrize("decoders", [0, 1, 4])
def test_the_same_table_with_any_number_of_decoders(tmp_path, monkeypatch, decoders, store):
    cohort = read_cohort(on_disk(tmp_path, 5))
    expected = score(cohort, view_level(), PLAN, device="cpu")
    conditions = [Condition(name, severity) for name, several in PLAN.items() for severity in several]
    one_pass = Pass(
        cohort=cohort,
        sweep=Sweep(inference=Inference(view_level(), device="cpu")),
        conditions=conditions,
        store=store,
    )
    one_pass._pipeline.decoders = decoders
    assert same(one_pass.run(), expected)
    assert one_pass.decoded == 10
    assert store.progress(one_pass.name) == (10 * CONDITIONS, 10 * CONDITIONS, 0)


def test_exams_whose_scores_are_all_known_are_handed_over_at_once(tmp_path, store):
    cohort = read_cohort(on_disk(tmp_path, 6))
    conditions = [Condition(name, severity) for name, several in PLAN.items() for severity in several]

    def a_pass():
        sweep = Sweep(inference=Inference(view_level(), device="cpu"))
        return Pass(cohort=cohort, sweep=sweep, conditions=conditions, store=store, fingerprint="the same")

    a_pass().run()
    again, asked, handed_over = a_pass(), [], []
    again.keys.recall(store, cohort)
    again._pipeline.decoders = 4

    def exams():
        for exam in cohort:
            asked.append(exam)
            yield exam

    again._pipeline.run(exams(), look_up=store.scores, keep=lambda rows: handed_over.append(len(asked)))
    assert handed_over == [2, 3, 4, 5, 6, 6]
    assert again.decoded == 0


def test_decoders_end_with_a_pass_that_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline.Pipeline, "_decoders", lambda self: 2)
    cohort = read_cohort(on_disk(tmp_path, 4))
    (tmp_path / "1_R.png").write_bytes(b"")
    before = threading.enumerate()
    with pytest.raises(UnusableInput, match=r"exam 1, R-CC: the image must be DICOM or PNG, got an empty file"):
        score(cohort, view_level(), PLAN, device="cpu")
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert not [thread for thread in left if thread.name.startswith("mammo")]


def test_readers_beside_a_gpu_take_all_cores_but_two_whatever_torch_may_use(monkeypatch):
    """OMP_NUM_THREADS=1, as torchrun and schedulers set it, left one reader, and the GPU waiting."""
    monkeypatch.setattr(pipeline, "usable_cores", lambda: 12)
    sweep = Sweep(inference=Inference(view_level(), device="cpu"))
    assert pipeline.decoders_of(sweep) == 0
    sweep.inference.device = torch.device("cuda", 0)
    assert pipeline.decoders_of(sweep) == 10
    sweep.cores = 4
    assert pipeline.decoders_of(sweep) == 2
    sweep.cores = 1
    assert pipeline.decoders_of(sweep) == 1
