"""Copies to a GPU, on one that is played: what waits for what, and that every copy is taken or forgotten."""

import os
import pickle
import signal
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from mammo_fixtures import PERTURBATIONS, UnusableInput, score
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Cohort
from mammo_fixtures.perturbations import Shared, apply, breast_mask, feather, fields, jpeg2000_stream, storage
from mammo_fixtures.perturbations.host_work import RESTS_ON, host_work
from mammo_fixtures.scoring import Condition, pipeline, uploads
from mammo_fixtures.scoring.one_pass import Pass
from mammo_fixtures.scoring.shared_memory import possible
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
RARE = ("detector_lines", "fourier_mask", "impulse_noise", "marker", "occlusion", "patch_shuffle", "phase_noise")
ON_A_VIEW = [record for record in PERTURBATIONS if record.needs == "" and record.name not in (*RARE, "elastic")]
"""But those whose random numbers are drawn when they are asked for."""


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
    monkeypatch.setattr(uploads, "pinned_copy", lambda array: array.copy())
    monkeypatch.setattr(pipeline, "pinned", lambda memory: lambda: None)


def test_the_computing_stream_waits_for_the_copy_and_keeps_its_memory():
    view = in_memory(1).exams[0].views[0]
    under_way = Uploads(torch.device("cpu"))
    under_way.begin(view)
    assert log == ["on uploads", "uploads done"]
    shared = under_way.take(view)
    assert log[2:] == ["main waits", "kept for main"]
    assert np.array_equal(shared.pixels.numpy(), view.pixels)
    assert not np.shares_memory(shared.pixels.numpy(), view.pixels)
    assert under_way.take(view) is None


def test_what_is_forgotten_is_not_taken():
    views = in_memory(1).exams[0].views
    under_way = Uploads(torch.device("cpu"))
    for view in views:
        under_way.begin(view)
    under_way.forget(views[1:])
    assert [under_way.take(view) is None for view in views] == [False, True, True, True]


def test_what_the_cpu_has_done_of_a_view_is_taken_with_it_and_not_done_again(monkeypatch):
    view = in_memory(1).exams[0].views[0]
    conditions = [(record, severity) for record in ON_A_VIEW for severity in record.severities]

    def images(shared):
        return [apply(record, shared, severity, torch.empty(view.shape)) for record, severity in conditions]

    expected = images(Shared(view, seed=3))
    done = host_work(Shared(view, seed=3), conditions)
    on_device = Shared.on_device
    monkeypatch.setattr(Shared, "on_device", lambda self, array: log.append("copied") or on_device(self, array))
    under_way = Uploads(torch.device("cpu"))
    under_way.begin(view, pickle.loads(pickle.dumps(done)), seed=3)
    shared = under_way.take(view)
    arrays = ["pixels", "mask", "feathered mask", "deviation from the mean", "normal field"]
    assert log.count("kept for main") == len(arrays) + len(PERTURBATIONS["jpeg2000"].severities)
    assert log.index("uploads done") == 1 + log.count("copied") == 1 + log.count("kept for main")
    # Decoded values are there already: nothing of them is copied where severities are computed.
    monkeypatch.setattr(storage.CodedBreast, "decoded", None)
    for module, name in ((fields, "_drawn"), (breast_mask, "foreground_of"), (feather, "breast_deviation")):
        monkeypatch.setattr(module, name, None)
    monkeypatch.setattr(jpeg2000_stream, "_saved", None)
    assert all(map(torch.equal, images(shared), expected))


def test_whatever_severities_share_is_the_gpus_or_said_to_rest_on_what_the_cpu_does():
    on_the_gpu = {"fine_detail", "fourier", "log_pixels", "spectrum"}
    of_the_view = {"grid_phase", "key", "motion_direction", "spacing_mm"}
    rare = {"elastic_field", "feathered_region", "fourier_field", "occlusion_places"}
    shares = {share for record in PERTURBATIONS for share in record.shares}
    assert shares - set(RESTS_ON) == on_the_gpu | of_the_view | rare
    assert not {share for record in PERTURBATIONS if record.set == "core" for share in record.shares} & rare


class Ending:
    """A source whose reader is killed, as for its memory."""

    exam_id, side, position = "2", "L", "CC"

    def __init__(self):
        self.asking = os.getpid()

    def read(self):
        assert os.getpid() != self.asking, "the process that drives the GPU does not try it too"
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not possible(), reason="this system shares no memory without a file")
def test_a_pass_whose_reader_is_killed_says_at_which_view_and_keeps_what_was_scored(monkeypatch, store):
    *before, last = in_memory(3).exams
    breasts = [replace(last.breasts[0], views=(Ending(), *last.breasts[0].views[1:])), *last.breasts[1:]]
    cohort = Cohort(name="tiny", exams=(*before, replace(last, breasts=tuple(breasts))))
    monkeypatch.setattr(pipeline.Pipeline, "_decoders", lambda self: 2)
    sweep = Sweep(inference=Inference(view_level(), device="cpu"))
    sweep.uploads = Uploads(torch.device("cpu"))
    with pytest.raises(UnusableInput) as caught:
        Pass(cohort=cohort, sweep=sweep, conditions=[], store=store).run()
    assert "exam 2, L-CC: the process that reads it must go on, it ended with signal 9" in str(caught.value)
    again = Pass(
        cohort=in_memory(3), sweep=Sweep(inference=Inference(view_level(), device="cpu")), conditions=[], store=store
    )
    again.run()
    _, computed, found = store.progress(again.name)
    assert (computed, found) == (2, 4)


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
