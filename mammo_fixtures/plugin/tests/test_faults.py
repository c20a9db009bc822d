"""Faults in the midst of a pass: one line says where, the run is red, and the next one goes on from what was kept."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from mammo_fixtures.plugin.tests.faulty_classifiers import FAULTY
from mammo_fixtures.plugin.tests.gate_folder import write_exams

SELECTED = ("-k", "contrast and holds", "--mammo-batch-size=1")


@pytest.fixture
def faulty(gate, monkeypatch):
    """The gate with few exams and a classifier that fails at the 41st image."""
    monkeypatch.setenv("FAULT", "nothing")
    write_exams(gate.path / "exams", exams=40)
    gate.makefile(".py", faulty=FAULTY)
    return gate


def run(gate, fault, *args):
    os.environ["FAULT"] = fault
    return gate.runpytest_subprocess("--mammo-classifier=faulty:load", *SELECTED, *args, timeout=300)


WHERE = "exam 10, L-CC, clean"
"""Where the 41st image is: two an exam's breast, two breasts an exam."""

FAULTS = [
    (
        "inner_step",
        f"the network must accept float32 (1, 1, 64, 48) of {WHERE}, it raised KeyError: 'stage \\x1b[31m3'",
    ),
    ("lose_gpu", f"the GPU must answer for float32 (1, 1, 64, 48) of {WHERE}, it failed: RuntimeError: CUDA error: an"),
    ("nan", f"scores must be finite, got nan for {WHERE}; look at the network's input there"),
    ("one_too_many", f"scores must be real numbers of shape (1,) or (1, 1), one a view, got (2,) for {WHERE}"),
    ("two_columns", f"scores must be real numbers of shape (1,) or (1, 1), one a view, got (1, 2) for {WHERE}"),
    ("text", f"scores must be real numbers of shape (1,) or (1, 1), one a view, got list for {WHERE}"),
]


@pytest.mark.parametrize(("name", "line"), FAULTS, ids=[name for name, _ in FAULTS])
def test_the_line_names_exam_side_and_condition_and_what_was_scored_is_kept(faulty, name, line):
    result = run(faulty, name, "--mammo-report=out", "--junitxml=junit.xml")
    said = result.stdout.str()
    assert result.ret == 1
    assert line in said
    page = (faulty.path / "out" / "report.html").read_text("utf-8")
    assert WHERE in page
    assert str(faulty.path) not in page, "a report holds no path of the machine that made it"
    result.stdout.fnmatch_lines(
        ["note: the pass ended with 40 of 160 scores, kept in the score store: the next run computes the rest"]
    )
    if name == "nan":
        assert "Traceback" not in said
        again = run(faulty, "nothing")
        assert again.ret == 0, again.stdout.str()
        again.stdout.fnmatch_lines(["scored: *, 160 scores, 40 of them from the store, *"])
    if name == "inner_step":
        assert "\x1b[31m3" not in said
        assert 'faulty.py", line' in said
        assert "in inner_step" in said, "the traceback is there for the classifier's author"
        assert "inference.py" not in said, "and nothing of the suite is"


def test_a_probability_outside_its_range_is_refused(faulty):
    result = faulty.runpytest_subprocess("--mammo-classifier=faulty:beyond_one", *SELECTED, timeout=300)
    assert result.ret == 1
    assert (
        "a probability must lie in [0, 1], got 1.25 for exam 0, L-CC, clean; declare score='logit'"
        in result.stdout.str()
    )


def test_a_constant_classifier_fails_the_contract_and_no_claim_of_it_is_held(faulty):
    result = faulty.runpytest_subprocess(
        "--mammo-classifier=faulty:constant", "-k", "contrast or contract", timeout=300
    )
    said = result.stdout.str()
    assert result.ret == 1
    assert "clean scores must differ between breasts, constant gives 0.3 for all of them" in said
    assert "0 held" in said


def test_scores_that_were_not_kept_are_said_to_be_lost(faulty):
    result = run(faulty, "nan", "--mammo-store=none")
    result.stdout.fnmatch_lines(["note: the pass ended with 40 of 160 scores, none of them kept (--mammo-store=none)"])


TIMEOUT = "--mammo-timeout=2"
HUNG = f"classifier faulty: an answer must come within 2 s, none came for {WHERE}"


def test_a_call_that_hangs_ends_the_run_with_report_and_status(faulty):
    result = run(faulty, "sleep_forever", TIMEOUT, "--mammo-report=out", "--junitxml=junit.xml")
    said = result.stdout.str()
    assert result.ret == 1, said
    assert HUNG in said
    assert HUNG in (faulty.path / "out" / "report.html").read_text("utf-8")
    assert HUNG in (faulty.path / "junit.xml").read_text("utf-8")
    result.stdout.fnmatch_lines(["note: the pass ended with 40 of 160 scores, kept in the score store: *"])


def test_a_call_that_hangs_in_a_worker_ends_all_of_them(faulty):
    began = time.monotonic()
    result = run(faulty, "sleep_forever", TIMEOUT, "-n", "2", "--mammo-report=out", "-k", "holds or responds or clean")
    said = result.stdout.str()
    assert result.ret == 1, said
    assert re.search(r"classifier faulty: an answer must come within 2 s, none came for exam \d+, [LR]-CC", said)
    assert "0 held" in said
    assert "none came for exam" in (faulty.path / "out" / "report.html").read_text("utf-8")
    assert time.monotonic() - began < 100, "not once for each test"


def test_native_code_that_holds_the_interpreter_is_ended_too(faulty):
    faulty.makepyfile(
        sitecustomize="import mammo_fixtures.plugin.watchdog as dog\ndog.AFTER_SECONDS = 1.0\n",
    )
    command = [sys.executable, "-m", "pytest", "--mammo-classifier=faulty:load", *SELECTED, TIMEOUT]
    path = os.pathsep.join([str(faulty.path), *sys.path])
    process = subprocess.run(
        command, cwd=faulty.path, capture_output=True, text=True, timeout=200, check=False,
        env=os.environ | {"FAULT": "hold_the_interpreter", "PYTHONPATH": path},
    )  # fmt: skip
    assert process.returncode not in (0, None)
    assert "Timeout" in process.stderr
    assert f"in {WHERE}" in process.stderr, "the stack names the exam"
    assert "in hold_the_interpreter" in process.stderr


def test_a_process_that_dies_shows_where(faulty):
    result = run(faulty, "die")
    assert result.ret not in (0, 1)
    assert f"in {WHERE}" in result.stderr.str()


def test_code_that_ends_the_process_as_if_all_were_well_ends_a_run_that_failed(faulty):
    result = run(faulty, "leave")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stderr.fnmatch_lines(["mammo: the process was ended by os._exit(0) in the midst of the run"])


def test_a_thread_that_is_left_does_not_keep_the_process(faulty):
    faulty.makefile(
        ".py",
        left="""
        import threading
        import mammo_fixtures.plugin.termination as termination
        from release import load

        termination.LEFT_SECONDS = 0.5
        threading.Thread(target=threading.Event().wait, name="prefetch").start()
        """,
    )
    result = faulty.runpytest_subprocess("--mammo-classifier=left:load", *SELECTED, timeout=120)
    assert result.ret == 0
    result.stderr.fnmatch_lines(["mammo: thread prefetch of the classifier did not end in 0.5 s after the run"])
    result.stdout.fnmatch_lines(["scored: 40 exams*", "*1 passed*"])


def test_a_timeout_that_cannot_be_is_a_usage_error(faulty):
    for value in ("0", "soon"):
        result = run(faulty, "nothing", "--co", f"--mammo-timeout={value}")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert f"--mammo-timeout must be a number of seconds above 0, or none, got '{value}'" in result.stderr.str()
    assert run(faulty, "nothing", "--mammo-timeout=none").ret == 0


def interrupt(pid):
    # As a terminal does: to every process in the foreground.
    os.killpg(pid, signal.SIGINT)


def terminate(pid):
    os.kill(pid, signal.SIGTERM)
    time.sleep(0.2)
    os.kill(pid, signal.SIGTERM)  # as `timeout` does: to the process and to its group


@pytest.mark.parametrize(
    ("end", "workers"), [(interrupt, ()), (interrupt, ("-n", "2")), (terminate, ("-n", "2"))],
    ids=["ctrl_c", "ctrl_c-workers", "scheduler-workers"],
)  # fmt: skip
def test_a_pass_that_is_ended_leaves_a_report_and_what_was_scored(faulty, monkeypatch, tmp_path, end, workers):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    status, output = ended_by(faulty, end, workers)
    assert status == 2, output
    assert "note: the pass ended with " in output
    assert "The gate was stopped: it was interrupted" in (faulty.path / "out" / "report.html").read_text("utf-8")
    assert not list(tmp_path.glob("mammo-robustness-*")), "which has exam ids in it"
    again = run(faulty, "nothing").stdout.str()
    assert re.search(r"scores, (3[0-9]|4[0-9]|5[0-9]|6[0-9]|7[0-9]|8[0-9]) of them from the store", again), again


def ended_by(faulty, end, workers):
    """Exit status and output of a run that `end` ends in its pass."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--mammo-classifier=faulty:load",
        *SELECTED,
        *workers,
        "--mammo-report=out",
    ]
    os.environ["FAULT"] = "interrupt"
    process = subprocess.Popen(
        command,
        cwd=faulty.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell ignores it for what it starts behind
    )
    for _ in range(1200):
        if (faulty.path / "reached.txt").exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    end(process.pid)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output
