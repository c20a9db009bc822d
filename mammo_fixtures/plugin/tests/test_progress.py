"""Progress: rate and time left, not more often than is of use."""

import pytest

from mammo_fixtures.plugin import progress
from mammo_fixtures.plugin.progress import Progress
from mammo_fixtures.plugin.tests.gate_folder import CONFTEST


def lines(states, every_seconds=60.0, exams=0):
    now, said = [0.0], []
    tell = Progress(said.append, every_seconds=every_seconds, clock=lambda: now[0], exams=lambda: exams)
    for seconds, state in states:
        now[0] = seconds
        tell(*state)
    return said


def test_tells_rate_and_time_left_once_an_interval():
    said = lines([(10, (1000, 100, 0)), (60, (1000, 300, 100)), (70, (1000, 350, 100)), (120, (1000, 700, 100))])
    assert said == [
        "[mammo] 400 of 1,000 scores, 100 from the store, 5 scores/s, 2:00 min left",
        "[mammo] 800 of 1,000 scores, 100 from the store, 5.8 scores/s, 0:34 min left",
    ]


def test_what_comes_before_the_first_score_is_no_part_of_the_rate():
    assert (
        lines([(600, (1000, 0, 0)), (660, (1000, 300, 0))])[-1]
        == "[mammo] 300 of 1,000 scores, 5 scores/s, 2:20 min left"
    )


def test_a_warm_run_is_silent_and_a_long_one_tells_its_end():
    assert lines([(1, (1000, 0, 1000))]) == []
    assert lines([(60, (10, 5, 0)), (65, (10, 10, 0))])[-1] == "[mammo] 10 of 10 scores, 0.15 scores/s"


def test_tells_exams_once_their_number_is_known():
    """Exams by their share of scores; a slow classifier's rates keep their digits, and long times become hours."""
    said = lines([(60, (26_760, 100, 5_000)), (120, (26_760, 3_000, 5_000))], exams=200)
    assert said[0].startswith("[mammo] 38 of 200 exams (5,100 of 26,760 scores, 5,000 from the store), ")
    assert said[0].endswith(", 0.012 exams/s, 1.7 scores/s, 3.6 h left")
    assert said[1].startswith("[mammo] 59 of 200 exams (8,000 of 26,760 scores, 5,000 from the store), ")
    assert said[1].endswith(", 0.19 exams/s, 25 scores/s, 12:30 min left")


@pytest.fixture
def stages(monkeypatch):
    """Lines of a stage that is told its numbers at given seconds, 5 s apart at least."""
    now, said = [0.0], []
    monkeypatch.setattr(progress, "_writer", lambda config: (said.append, 5.0))
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    tell = progress._stage_lines(None)

    def lines(states):
        for now[0], stage, done, wanted in states:
            tell(stage, done, wanted)
        return said

    return lines


def test_what_comes_before_the_first_exam_tells_its_beginning_time_left_and_end_once(stages):
    said = stages(
        [
            (0, "phantoms", 101, 200),
            (3, "phantoms", 104, 200),
            (10, "phantoms", 111, 200),
            (20, "phantoms", 111, 200),
            (99, "phantoms", 200, 200),
            (100, "phantoms", 200, 200),
            (101, "fields", 0, 1920),
            (200, "fields", 960, 1920),
        ]
    )
    assert said == [
        "[mammo] phantoms, once for all runs: 101 of 200 exams written",
        "[mammo] phantoms, once for all runs: 111 of 200 exams written, 1:29 min left",
        "[mammo] phantoms, once for all runs: 200 of 200 exams written",
        "[mammo] universal fields, fitted once for this classifier: 0 of 1,920 gradients",
        "[mammo] universal fields, fitted once for this classifier: 960 of 1,920 gradients, 1:39 min left",
    ]


PHANTOMS = """
import os, signal, time
import mammo_fixtures.exams.phantoms as phantoms

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what it starts behind

def phantom_cohort(progress):
    for done in (5, 6):
        progress(done, 200)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.kill(os.getpid(), signal.SIGINT)
    elif "AT_THE_TERMINAL" in os.environ:
        os.kill(os.getppid(), signal.SIGINT)
    time.sleep(3)
    raise KeyboardInterrupt

phantoms.phantom_cohort = phantom_cohort
"""


@pytest.mark.parametrize(("workers", "at_the_terminal"), [((), False), (("-n", "2"), False), (("-n", "2"), True)])
def test_phantoms_show_their_progress_and_an_interrupted_run_says_that_they_stay(
    gate, workers, at_the_terminal, monkeypatch
):
    """Ctrl-C at a terminal reaches the controller too, which then hears from no worker."""
    if at_the_terminal:
        monkeypatch.setenv("AT_THE_TERMINAL", "1")
    gate.makeconftest(CONFTEST + PHANTOMS)
    result = gate.runpytest_subprocess("-k", "contrast and holds", "--mammo-exams=phantoms", *workers, timeout=300)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    if not at_the_terminal:  # where the end may come before the line
        result.stdout.fnmatch_lines(["[[]mammo] phantoms, once for all runs: [56] of 200 exams written"])
    result.stdout.fnmatch_lines(["note: 6 of 200 phantom exams were written and stay: the next run makes the rest"])
