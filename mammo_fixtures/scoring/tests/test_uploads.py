"""Copies to a GPU, on one that is played: what waits for what, and that every copy is taken or forgotten."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from mammo_fixtures import score
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.scoring import Condition, pipeline, uploads
from mammo_fixtures.scoring.one_pass import Pass
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests.comparing import same
from mammo_fixtures.scoring.tests.tiny_cohort import PLAN, in_memory, view_level
from mammo_fixtures.scoring.uploads import Uploads


class Stream:
    def __init__(self, device=None, name="uploads"):
        self.name = name

    def wait_event(self, event):
        assert event.recorded, "an event that was never recorded is waited for by nobody"
        log.append(f"{self.name} waits")


class Event:
    recorded = False

    def record(self, stream):
        self.recorded = True
        log.append(f"{stream.name} done")


log: list[str] = []


@pytest.fixture(autouse=True)
def gpu(monkeypatch):
    """Streams and events that only note what they are told; memory is the CPU's."""
    log.clear()

    @contextmanager
    def on(stream):
        log.append(f"on {stream.name}")
        yield

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "stream", on)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device=None: Stream(name="main"))
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda self, stream: log.append(f"kept for {stream.name}"))
    monkeypatch.setattr(uploads, "pinned_like", lambda view: torch.empty(view.shape))


def test_the_computing_stream_waits_for_the_copy_and_keeps_its_memory():
    view = in_memory(1).exams[0].views[0]
    under_way = Uploads(torch.device("cpu"))
    under_way.begin(view)
    assert log == ["on uploads", "uploads done"]
    pixels = under_way.take(view)
    assert log[2:] == ["main waits", "kept for main"]
    assert np.array_equal(pixels.numpy(), view.pixels)
    assert under_way.take(view) is None


def test_what_is_forgotten_is_not_taken():
    views = in_memory(1).exams[0].views
    under_way = Uploads(torch.device("cpu"))
    for view in views:
        under_way.begin(view)
    under_way.forget(views[1:])
    assert [under_way.take(view) is None for view in views] == [False, True, True, True]


def test_a_pass_takes_every_copy_and_gives_the_same_table(monkeypatch, store):
    cohort = in_memory(3)
    expected = score(cohort, view_level(), PLAN, device="cpu")
    monkeypatch.setattr(pipeline.Pipeline, "_decoders", lambda self: 2)
    sweep = Sweep(inference=Inference(view_level(), device="cpu"))
    sweep.uploads = Uploads(torch.device("cpu"))
    conditions = [Condition(name, severity) for name, several in PLAN.items() for severity in several]
    log.clear()
    table = Pass(cohort=cohort, sweep=sweep, conditions=conditions, store=store).run()
    assert same(table, expected)
    assert log.count("main waits") == log.count("uploads done") == 12
    assert not sweep.uploads._begun
