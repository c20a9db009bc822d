"""Processes that read views: the same as reading here, and whatever goes wrong there is told here."""

import os
import pickle
import signal
import threading
import time
import warnings
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from mammo_fixtures import PERTURBATIONS, UnusableInput, read_cohort
from mammo_fixtures.scoring import CLEAN, Condition
from mammo_fixtures.scoring.readers import Readers
from mammo_fixtures.scoring.reading import Request, answered
from mammo_fixtures.scoring.shared_memory import possible
from mammo_fixtures.scoring.tests.tiny_cohort import in_memory, on_disk

CONDITIONS = [CLEAN, *(Condition(r.name, s) for r in PERTURBATIONS if r.needs == "" for s in r.severities)]
pytestmark = pytest.mark.skipif(not possible(), reason="this system shares no memory without a file")


@pytest.fixture
def readers():
    made = Readers()
    yield made
    made.close()


@pytest.fixture
def sources(tmp_path):
    return read_cohort(on_disk(tmp_path, 3)).exams[0].views


def plain(value):
    """What can be compared."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    if is_dataclass(value) and not hasattr(value, "__dict__"):
        return [plain(getattr(value, each.name)) for each in fields(value)]
    if hasattr(value, "__dict__"):
        return {name: plain(each) for name, each in vars(value).items()}
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def test_the_same_as_reading_here(readers, sources):
    for source in sources:
        request = Request(source=source, conditions=CONDITIONS, seed=5)
        there, here = readers.read(request), answered(request, work=True)
        assert np.array_equal(there.view.pixels, here.view.pixels)
        assert (there.view.name, there.view.notes, there.pixels, there.file) == (
            here.view.name, here.view.notes, here.pixels, here.file,
        )  # fmt: skip
        assert list(there.done) == list(here.done)
        assert plain(there.done) == plain(pickle.loads(pickle.dumps(here.done)))


def test_an_answer_stays_when_the_next_one_comes(readers, sources):
    first = readers.read(Request(source=sources[0]))
    before = first.view.pixels.copy()
    readers.read(Request(source=sources[1]))
    assert np.array_equal(first.view.pixels, before)


def test_memory_is_used_again_when_no_array_of_an_answer_is_left(sources):
    log = []
    made = Readers(lambda memory: log.append("pinned") or (lambda: log.append("unpinned")))
    try:
        for _ in range(4):
            answer = made.read(Request(source=sources[0], conditions=CONDITIONS))
            pixels = answer.view.pixels
            del answer
            assert len(made._free) == len(made._memories) - 1, "one array holds all of it"
            del pixels
            assert len(made._free) == len(made._memories) == 1
        held = [made.read(Request(source=source)) for source in (*sources, *sources)]
        assert len(made._memories) == len(held)
    finally:
        made.close()
    assert log.count("pinned") == log.count("unpinned")


def test_what_is_known_is_not_digested_again(readers, sources):
    answer = readers.read(Request(source=sources[0], digest=False))
    assert (answer.pixels, answer.file) == (None, None)


def test_a_view_that_cannot_be_read_is_told_as_it_would_be_here(readers, sources):
    sources[0].path.write_bytes(b"")
    with pytest.raises(UnusableInput, match=r"exam 0, L-CC: the image must be DICOM or PNG, got an empty file"):
        readers.read(Request(source=sources[0]))
    assert readers.read(Request(source=sources[1])).view.side == "R"


def test_a_source_that_no_other_process_knows_is_read_here(readers):
    view = in_memory(1).exams[0].views[0]

    class Local:
        exam_id, side, position = "7", "L", "CC"

        def read(self):
            return view

    answer = readers.read(Request(source=Local(), conditions=CONDITIONS))
    assert answer.view is view
    assert answer.done == {}


class Ending:
    """A source whose reader ends."""

    exam_id, side, position = "9", "R", "MLO"

    def read(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Odd:
    exam_id, side, position = "9", "R", "MLO"

    def read(self):
        warnings.warn("a tag is odd", UserWarning, stacklevel=1)
        return in_memory(1).exams[0].views[0]


def test_a_process_that_ends_is_told_with_the_view_and_another_one_goes_on(readers, sources):
    with pytest.raises(
        UnusableInput, match=r"^exam 9, R-MLO: the process that reads it must go on, it ended .*signal 9"
    ):
        readers.read(Request(source=Ending()))
    assert readers.read(Request(source=sources[0])).view.side == "L"


class Stopping(Ending):
    """A source whose reader is stopped, as by a frozen container; a file server that is gone is alike."""

    def read(self):
        os.kill(os.getpid(), signal.SIGSTOP)


def test_a_process_that_hangs_is_ended_in_time_and_told_with_the_view(sources):
    made = Readers(seconds=20.0)
    try:
        assert made.read(Request(source=sources[0])).view.side == "L"
        made._seconds = 0.3
        with pytest.raises(UnusableInput, match=r"^exam 9, R-MLO: it must be read within 0\.3 s, it was not; look at"):
            made.read(Request(source=Stopping()))
        assert made._all[0]._process.poll() == -signal.SIGKILL
        made._seconds = 20.0
        assert made.read(Request(source=sources[1])).view.side == "R"
    finally:
        made.close()


def test_a_system_that_forbids_shared_memory_is_one_without_it(monkeypatch):
    def forbidden(name):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "memfd_create", forbidden)
    assert not possible()
    monkeypatch.delattr(os, "memfd_create")
    assert not possible()


def test_its_warnings_are_given_here(readers):
    with pytest.warns(UserWarning, match="a tag is odd"):
        readers.read(Request(source=Odd(), digest=False))


def test_the_close_does_not_wait_for_a_process_that_hangs(sources):
    made, ended = Readers(), []
    made.read(Request(source=sources[0]))

    def ask():
        try:
            made.read(Request(source=Stopping()))
        except UnusableInput as error:
            ended.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    while made._idle:
        time.sleep(0.01)
    made.close()
    thread.join(10)
    assert not thread.is_alive()
    assert "the process that reads it must go on, it ended" in ended[0]


def test_threads_ask_processes_of_their_own_and_all_end_at_the_close(sources):
    made, found = Readers(), []
    threads = [
        threading.Thread(target=lambda each=each: found.append(made.read(Request(source=each)).view.side))
        for each in sources
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == sorted(source.side for source in sources)
    processes = [reader._process for reader in made._all]
    assert 1 <= len(processes) <= len(sources)
    made.close()
    assert all(process.poll() is not None for process in processes)
